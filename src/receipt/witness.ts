import type { CallWitness, NoticeRow, SentenceWitness } from '../catalogue/rows.ts';
import type { WitnessStatement } from '../catalogue/calls/witness.ts';
import { soundNameOf } from '../prompts/library.ts';
import type { CelLine } from './celLine.ts';

/**
 * The second witness of what a caller heard: Asterisk's CEL, which logs each sound where it is streamed to the channel,
 * without ARI. Here its lines are compared with what ARI's events said; nothing is decided by it, it is evidence.
 */

/** How far the two may differ and still mean the same, ms. Both have Asterisk's clock; what was seen is in docs/operations/second-witness.md. */
export const toleranceMs = 100;

/** The first release of each branch that logs sounds in CEL; later branches do from the start. */
const firstMinor: Readonly<Record<number, number>> = { 20: 16, 21: 11, 22: 6 };

/** Whether this Asterisk (`core show version`) can log sounds; one whose version says no number is taken to be new. */
export function logsSounds(version: string): boolean {
  const found = /(\d+)\.(\d+)/.exec(version);
  if (found === null) return true;
  const [major, minor] = [Number(found[1]), Number(found[2])];

  return major > 22 || minor >= (firstMinor[major] ?? Infinity);
}

/** One stretch of one sound; paused and resumed, a sentence has several. */
type Stretch = {
  sound: string | undefined;
  language: string | undefined;
  beganAt: number;
  endedAt: number | undefined;
};

function stretchesOf(lines: readonly CelLine[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const line of lines) {
    if (line.event === 'begin') {
      stretches.push({ sound: line.sound, language: line.language, beganAt: line.at, endedAt: undefined });
      continue;
    }
    const last = stretches.at(-1);
    if (last !== undefined) last.endedAt ??= line.at;
  }

  return stretches;
}

type Heard = Pick<NoticeRow, 'prompt' | 'sha256' | 'language' | 'startedAt' | 'finishedAt'>;
type Said = NonNullable<NoticeRow['witness']>;

const near = (one: number, other: number): boolean => Math.abs(one - other) <= toleranceMs;

/** The stretch of this sound that begins nearest to `at`; its place in the list, -1 for none. */
function nearest(stretches: readonly Stretch[], sound: string, at: number): number {
  let best = -1;
  let distance = Infinity;
  for (const [index, stretch] of stretches.entries()) {
    if (stretch.sound !== sound || Math.abs(stretch.beganAt - at) >= distance) continue;
    best = index;
    distance = Math.abs(stretch.beganAt - at);
  }

  return best;
}

/** The end of the sentence that begins with stretch `first`: that of its last stretch before `limit`. */
function endOf(stretches: readonly Stretch[], first: number, limit: number): number | undefined {
  const sound = stretches[first]?.sound;
  let last = stretches[first];
  for (const stretch of stretches.slice(first + 1)) {
    if (stretch.sound !== sound || stretch.beganAt > limit) break;
    last = stretch;
  }

  return last?.endedAt;
}

function compareSentence(heard: Heard, stretches: readonly Stretch[]): Said {
  const { startedAt, finishedAt, language } = heard;
  const nothing = (status: SentenceWitness): Said => ({ status, beganAt: null, endedAt: null });
  // ARI saw nothing begin: there is nothing that could be contradicted.
  if (startedAt === null) return nothing('agrees');
  const sound = soundNameOf(heard.prompt, heard.sha256);
  const first = nearest(stretches, sound, startedAt);
  const begun = stretches[first];
  if (begun === undefined) {
    // A sound that Asterisk does not have fails at once by ARI, and is not begun by CEL.
    if (finishedAt !== null && near(startedAt, finishedAt)) return nothing('agrees');
    const other = stretches.some((stretch) => near(stretch.beganAt, startedAt));
    return nothing(other ? 'disagrees' : 'missing');
  }
  const end = endOf(stretches, first, finishedAt ?? Infinity);
  const says = (status: SentenceWitness): Said => ({ status, beganAt: begun.beganAt, endedAt: end ?? null });
  if (!near(begun.beganAt, startedAt)) return says('disagrees');
  if (begun.language !== undefined && begun.language !== language) return says('disagrees');
  // ARI told of no end: the caller hung up, held the call, or refused.
  if (finishedAt === null) return says('agrees');
  if (end === undefined) return says('missing');

  return says(near(end, finishedAt) ? 'agrees' : 'disagrees');
}

const worst: readonly CallWitness[] = ['disagrees', 'missing', 'agrees'];

/** Compares the sentences of a call with the lines of its channel. A call without sentences has no witness. */
export function compareCall(sentences: readonly Heard[], lines: readonly CelLine[]): WitnessStatement {
  const stretches = stretchesOf(lines);
  const said = sentences.map((sentence) => compareSentence(sentence, stretches));
  const status = worst.find((each) => said.some((one) => one.status === each)) ?? 'unavailable';

  return { status, sentences: said };
}
