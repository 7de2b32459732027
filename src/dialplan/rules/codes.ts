import { fault, type Fault } from '../faults.ts';
import { featureLetters } from '../flow/moves.ts';
import type { BuiltInFeature } from '../source/features.ts';
import type { Look, Scene } from './scene.ts';

/** The code by which a caller refuses in a talk, beside the codes of features.conf. Only with `follow`: else Préavis dials itself. */

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

const change = 'Choose another consent.featureCode in the configuration, or another code in features.conf.';

function mayRefuse({ policy }: Scene): boolean {
  return [...policy.purposes.values()].some(
    ({ consent, optInForCountries }) => consent !== 'announce' || optInForCountries.length > 0,
  );
}

function ofStep({ step, invocations, arrivals }: Look, { features, policy }: Scene): Fault[] {
  if (!arrivals.some(({ told }) => told === 'follow')) return [];
  const letters = invocations.map(featureLetters).join('');
  const { featureCode } = policy.consent;

  return Object.entries(features.builtIn).flatMap(([name, code]) => {
    const letter = lettersOf[name as BuiltInFeature];
    const how = relation(code, featureCode);
    const [byCaller, byCalled] = [letters.includes(letter.toUpperCase()), letters.includes(letter)];
    if (how === 'none' || (!byCaller && !byCalled)) return [];
    const option = byCaller ? letter.toUpperCase() : letter;
    if (how === 'taken' && byCaller) {
      const problem = `With the option ${option}, ${name} of features.conf takes the keys of ${featureCode}: no caller can refuse in a talk.`;
      return [fault('code-collision', step.place, problem, `Take the option ${option} away, or: ${change}`)];
    }
    const problem = `With the option ${option}, ${name} of features.conf and ${featureCode} begin with the same keys.`;

    return [fault('code-near', step.place, problem, change)];
  });
}

function ofOwn({ features, policy }: Scene): Fault[] {
  const { featureCode } = policy.consent;

  return features.own.flatMap(({ code, place }) => {
    const how = relation(code, featureCode);
    if (how === 'none') return [];

    return how === 'taken'
      ? [
          fault(
            'code-collision',
            place,
            `This code takes the keys of ${featureCode}, by which a caller refuses.`,
            change,
          ),
        ]
      : [fault('code-near', place, `This code begins with ${featureCode}, by which a caller refuses.`, change)];
  });
}

export function codeFaults(scene: Scene, all: readonly Look[]): Fault[] {
  return mayRefuse(scene) ? [...ofOwn(scene), ...all.flatMap((look) => ofStep(look, scene))] : [];
}
