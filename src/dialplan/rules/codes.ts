import { allCodesOf, codesOf, keyOf, type LineCode } from '../../config/codes.ts';
import { fault, type Fault } from '../faults.ts';
import { makeFlow } from '../flow/flow.ts';
import { featureLetters } from '../flow/moves.ts';
import { noticeOfCalled } from '../flow/notice.ts';
import { hasVariable, type Invocation } from '../invocation.ts';
import type { BuiltInFeature } from '../source/features.ts';
import type { Look, Scene } from './scene.ts';

/**
 * The codes that are pressed in a talk (that of a refusal, and those of the lines) beside the codes of features.conf. Only where the dialplan
 * dials: in a bridge of Préavis, Asterisk takes no keys.
 */

/** The options of Dial() and Queue(): a capital letter for who calls, a small one for who is called. */
const lettersOf: Readonly<Record<BuiltInFeature, string>> = {
  blindxfer: 't',
  atxfer: 't',
  disconnect: 'h',
  parkcall: 'k',
  automon: 'w',
  automixmon: 'x',
};

/** `taken`: theirs is done before ours is dialled whole. `longer`: theirs begins with ours. */
function relation(theirs: string, ours: string): 'taken' | 'longer' | 'none' {
  if (theirs === '') return 'none';
  if (ours.startsWith(theirs)) return 'taken';

  return theirs.startsWith(ours) ? 'longer' : 'none';
}

/** Codes that count in a talk, and who calls in it. `line`: undefined for what every line has. */
type Talk = { codes: readonly LineCode[]; line: string | undefined; agent: 'calls' | 'isCalled' };

const isRefusal = ({ task }: LineCode): boolean => task === 'refuse';

const inWords = (code: LineCode, line: string | undefined): string =>
  isRefusal(code) || line === undefined ? code.keys : `${code.keys} (codes.${keyOf(code.task).join('.')} of ${line})`;

const changeOf = (code: LineCode): string =>
  `Choose another ${isRefusal(code) ? 'consent.featureCode' : 'code'} in the configuration, or another code in features.conf.`;

function mayRefuse({ policy }: Scene): boolean {
  return [...policy.purposes.values()].some(
    ({ consent, optInForCountries }) => consent !== 'announce' || optInForCountries.length > 0,
  );
}

/** Whether a capital letter is for who presses this code, and a small one. */
function pressersOf({ pressedBy }: LineCode, agent: Talk['agent']): { calls: boolean; isCalled: boolean } {
  const agentPresses = pressedBy !== 'caller';
  const toldPresses = pressedBy !== 'agent';

  return agent === 'calls'
    ? { calls: agentPresses, isCalled: toldPresses }
    : { calls: toldPresses, isCalled: agentPresses };
}

function ofTalk({ codes, line, agent }: Talk, { step, invocations }: Look, { features, dialplan }: Scene): Fault[] {
  const letters = invocations.map((each) => featureLetters(each, dialplan)).join('');

  return codes.flatMap((code) =>
    Object.entries(features.builtIn).flatMap(([name, theirs]) => {
      const letter = lettersOf[name as BuiltInFeature];
      const how = relation(theirs, code.keys);
      const presses = pressersOf(code, agent);
      const given = [letter.toUpperCase(), letter].filter((each) => letters.includes(each));
      const isOwn = (each: string): boolean => (each === letter ? presses.isCalled : presses.calls);
      const [option] = given.toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
      if (how === 'none' || option === undefined) return [];
      const ours = inWords(code, line);
      const change = changeOf(code);
      if (how === 'taken' && isOwn(option)) {
        const lost = isRefusal(code)
          ? `: no ${agent === 'calls' ? 'called party' : 'caller'} can refuse in a talk`
          : '';
        const problem = `With the option ${option}, ${name} of features.conf takes the keys of ${ours}${lost}.`;
        return [fault('code-collision', step.place, problem, `Take the option ${option} away, or: ${change}`)];
      }
      const problem = `With the option ${option}, ${name} of features.conf and ${ours} begin with the same keys.`;

      return [fault('code-near', step.place, problem, change)];
    }),
  );
}

function ofOwn({ codes, line }: Talk, { features }: Scene): Fault[] {
  return codes.flatMap((code) =>
    features.own.flatMap(({ code: theirs, place }) => {
      const how = relation(theirs, code.keys);
      if (how === 'none') return [];
      const ours = isRefusal(code) ? `${code.keys}, by which a caller refuses` : inWords(code, line);

      return how === 'taken'
        ? [fault('code-collision', place, `This code takes the keys of ${ours}.`, changeOf(code))]
        : [fault('code-near', place, `This code begins with ${ours}.`, changeOf(code))];
    }),
  );
}

/** The line that these arguments name; undefined where only a call knows it. */
function lineIn(given: readonly string[]): string | undefined {
  const [, name = 'default'] = given.map((each) => /^\s*line\s*=\s*(.*?)\s*$/.exec(each)).find((each) => each) ?? [];

  return hasVariable(name) ? undefined : name === '' ? 'default' : name;
}

/** The line by which who is dialled here is told when they answer; undefined where nobody is. */
function outgoingLine(invocation: Invocation): string | undefined {
  const notice = noticeOfCalled(invocation);

  return notice && lineIn(notice.given);
}

/** The lines of calls that are told and go on in the dialplan, as far as it names them. */
function followedLines(all: readonly Look[]): string[] {
  const named = all.flatMap(({ notices }) =>
    notices.flatMap(({ way, given }) => (way === 'follow' ? lineIn(given) : [])),
  );

  return [...new Set(named)].filter((each) => each !== undefined);
}

/** The codes of each followed line, at the steps where a call of that line may be. */
function ofLines(scene: Scene, all: readonly Look[]): Fault[] {
  return followedLines(all).flatMap((line) => {
    const codes = codesOf(scene.policy.lines.get(line) ?? {});
    if (codes.length === 0) return [];
    const flow = makeFlow(scene.graph, (given) => lineIn(given) === line);
    const talk: Talk = { codes, line, agent: 'isCalled' };
    const looks = all.filter(({ node }) => flow.arrivals(node).some(({ told }) => told === 'follow'));

    return [...ofOwn(talk, scene), ...looks.flatMap((look) => ofTalk(talk, look, scene))];
  });
}

/** Who was called is told, and who dialled is the agent. */
function ofOutgoing(scene: Scene, all: readonly Look[]): Fault[] {
  const { policy } = scene;

  return all.flatMap((look) => {
    const line = look.invocations.map(outgoingLine).find((each) => each !== undefined);
    if (line === undefined) return [];
    const found = allCodesOf(policy.lines.get(line) ?? {}, policy.consent.featureCode);
    const codes = found.filter((each) => !isRefusal(each) || mayRefuse(scene));

    return ofTalk({ codes, line, agent: 'calls' }, look, scene);
  });
}

/** That of a refusal, which every line has. */
function ofRefusal(scene: Scene, all: readonly Look[]): Fault[] {
  if (!mayRefuse(scene)) return [];
  const codes = allCodesOf({}, scene.policy.consent.featureCode);
  const talk: Talk = { codes, line: undefined, agent: 'isCalled' };
  const looks = all.filter(({ arrivals }) => arrivals.some(({ told }) => told === 'follow'));

  return [...ofOwn(talk, scene), ...looks.flatMap((look) => ofTalk(talk, look, scene))];
}

export const codeFaults = (scene: Scene, all: readonly Look[]): Fault[] => [
  ...ofRefusal(scene, all),
  ...ofLines(scene, all),
  ...ofOutgoing(scene, all),
];
