import { parseArguments, type ArgumentsResult } from '../../call/plan/arguments.ts';
import { didYouMean, nearest } from '../../config/suggestion.ts';
import type { Policy } from '../../policy/policy.ts';
import { fault, type Fault } from '../faults.ts';
import { losesArguments, noticeOfCalled, type Notice } from '../flow/notice.ts';
import { hasVariable, targetOf } from '../invocation.ts';
import { type Look, type Scene } from './scene.ts';

/** What Préavis would refuse, said before the first call: by the parser of the calls themselves. */

/** Whatever a variable has becomes one digit, so that what is around it can be judged. */
function withoutVariables(text: string): string {
  let plain = '';
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    const opens = character === '$' && (text[at + 1] === '{' || text[at + 1] === '[');
    if (opens) {
      if (depth === 0) plain += '1';
      depth += 1;
      at += 1;
    } else if (depth > 0 && (character === '{' || character === '[')) depth += 1;
    else if (depth > 0 && (character === '}' || character === ']')) depth -= 1;
    else if (depth === 0) plain += character;
  }

  return plain;
}

type Judged = { given: string[]; unsure: ReadonlySet<string> };

/** The arguments with what is sure of them. Nothing is claimed of `unsure` ones. */
function sureOf(given: readonly string[], policy: Policy): Judged {
  const unsure = new Set<string>();
  const [anyLine = 'default'] = policy.lines.keys();
  const sure = given.map((argument) => {
    if (!hasVariable(argument)) return argument;
    const name = argument.slice(0, Math.max(0, argument.indexOf('='))).trim();
    unsure.add(name);
    if (name === 'line') return `line=${anyLine}`;
    if (name !== 'to') return '';
    const to = withoutVariables(argument.slice(argument.indexOf('=') + 1));
    if (given.includes('way=follow') || /^\s*[A-Za-z][A-Za-z0-9]*\//.test(to)) return `to=${to}`;

    return to.includes('&') ? 'to=PJSIP/1&PJSIP/2' : 'to=PJSIP/1';
  });

  return { given: sure, unsure };
}

/** Whether a variable decides what was found. */
function isUnsure(argument: string, { unsure }: Judged): boolean {
  if (unsure.has('')) return true;
  if (argument === 'to') return false;
  if (argument === 'must') return ['must', 'line', 'purpose'].some((name) => unsure.has(name));
  if (argument === 'purpose') return unsure.has('purpose') || unsure.has('line');

  return unsure.has(argument);
}

const listed = (names: readonly string[]): string => names.toSorted().join(', ');

function remedyOf(code: string, value: string, { lines, purposes }: Policy): string {
  const [what, names] = code === 'unknown-line' ? ['line', [...lines.keys()]] : ['purpose', [...purposes.keys()]];
  const meant = didYouMean(nearest(value, names));

  return `Write one of these: ${listed(names)}${meant === '' ? '' : ` (${meant})`}; or add the ${what} to the configuration.`;
}

const seeArguments = 'Write the arguments as docs/dialplan.md lists them; Préavis lets such a call go on unrecorded.';

/** The place as the Gosub has it, not as Stasis() gets it. */
const placeIn = (argument: string, before: number): string =>
  argument.replace(/^number (\d+)$/, (_, place: string) => `number ${Number(place) - before}`);

/** A destination that is surely one, so that what is said of it holds for all such. */
const ordinary = /^to=[A-Za-z0-9]{2,20}\/[\w@.+-]{1,100}$/;

/** The parser reads the sentences of all languages; most calls of a dialplan have the same arguments but for the destination. */
function makeParser(policy: Policy): (given: readonly string[]) => ArgumentsResult {
  const known = new Map<string, ArgumentsResult>();

  return (given) => {
    const alike = given.map((argument) => (ordinary.test(argument) ? 'to=PJSIP/1' : argument));
    const key = JSON.stringify(alike);
    const result = known.get(key) ?? parseArguments(alike, policy);
    known.set(key, result);

    return result;
  };
}

function ofNotice(
  notice: Notice,
  look: Look,
  { policy }: Scene,
  parse: (given: readonly string[]) => ArgumentsResult,
): Fault[] {
  const { place } = look.step;
  if (notice.surplus > 0) {
    const problem = `The include file passes on no more than ${notice.way === 'follow' ? 'five' : 'four'} named arguments, and here are more.`;
    return [fault('arguments-refused', place, problem, 'Take the last arguments away.')];
  }
  const judged = sureOf(notice.given, policy);
  const result = parse(judged.given);
  if (result.ok || isUnsure(result.argument, judged)) return [];
  const valueOf = (name: string): string =>
    judged.given
      .find((argument) => argument.trim().startsWith(`${name}=`))
      ?.split('=')[1]
      ?.trim() ?? '';
  const line = valueOf('line');
  if (result.argument === 'line' && !policy.lines.has(line)) {
    const problem = 'The argument line is not a line of the configuration.';
    return [fault('unknown-line', place, problem, remedyOf('unknown-line', line, policy))];
  }
  const unknown = valueOf('purpose')
    .split('+')
    .find((purpose) => purpose !== '' && !policy.purposes.has(purpose));
  if (result.argument === 'purpose' && unknown !== undefined) {
    const problem = 'The argument purpose names one that is not a purpose of the configuration.';
    return [fault('unknown-purpose', place, problem, remedyOf('unknown-purpose', unknown, policy))];
  }
  const problem = `The argument ${placeIn(result.argument, notice.placesBefore)} ${result.problem}.`;

  return [fault('arguments-refused', place, problem, seeArguments)];
}

/** A Goto to the include file gives Préavis no arguments, and comes back to nowhere. */
function ofGoto({ step, invocations }: Look): Fault[] {
  const isGoto = invocations.some(({ application, data }) => {
    const context = application === 'goto' ? targetOf(data)?.context : undefined;

    return context === 'preavis' || context === 'preavis-tell';
  });
  const problem = 'Goto() gives Préavis no arguments, and nothing to come back to.';

  return isGoto && !step.context.startsWith('preavis')
    ? [fault('arguments-refused', step.place, problem, 'Write Gosub(preavis,s,1(DESTINATION,SECONDS)) instead.')]
    : [];
}

function ofLost({ step, invocations }: Look): Fault[] {
  const problem = 'Gosub() passes on only what stands in parentheses, so this call has none of these arguments.';

  return invocations.some(losesArguments)
    ? [fault('arguments-refused', step.place, problem, 'Write Gosub(CONTEXT,s,1(ARGUMENTS)).')]
    : [];
}

export function argumentFaults(scene: Scene, all: readonly Look[]): Fault[] {
  const parse = makeParser(scene.policy);

  return all.flatMap((look) => [
    ...[...look.notices, ...look.invocations.flatMap((each) => noticeOfCalled(each) ?? [])].flatMap((notice) =>
      ofNotice(notice, look, scene, parse),
    ),
    ...ofGoto(look),
    ...ofLost(look),
  ]);
}
