import type { Receipt } from '../../../src/receipt/receipt.ts';

/** Where in the file of a recording a time of the receipt lies. The file has nothing of the time while the recorder was paused. */

/** ms since 1970 UTC. `to` is null where the receipt has no time of its end. */
type Span = { from: number; to: number | null };

type Recorded = Pick<Receipt, 'changes' | 'recording'>;

/** When the recorder was paused, in their order; one without an end lasts to the end of the recording. */
function pausesIn({ changes, recording }: Recorded): Span[] {
  const pauses: Span[] = [];
  let from: number | undefined;
  for (const { change, at } of changes) {
    if (at === null) continue;
    if (change === 'recorderPaused') from ??= Date.parse(at);
    if (change !== 'recorderResumed' || from === undefined) continue;
    pauses.push({ from, to: Date.parse(at) });
    from = undefined;
  }
  if (from !== undefined) {
    const end = recording?.finishedAt ?? null;
    pauses.push({ from, to: end === null ? null : Date.parse(end) });
  }

  return pauses;
}

/** Whether some pause has no time: then nothing behind it has a place that is known. */
const isSure = ({ changes }: Recorded): boolean =>
  changes.every(({ change, at }) => at !== null || !['recorderPaused', 'recorderResumed'].includes(change));

/** @param before what a time before the recording is: of nothing, or where the file begins */
export type PlaceOf = (iso: string | null, before?: 'nowhere' | 'begin') => number | undefined;

/** The place of a time, ms from the beginning of the file; undefined for what lies outside, or nobody knows where. */
export function placesIn(receipt: Recorded): PlaceOf {
  const { recording } = receipt;
  const began = recording?.startedAt ?? null;
  const length = recording?.durationMs ?? null;
  if (began === null || length === null || !isSure(receipt)) return () => undefined;
  const start = Date.parse(began);
  const pauses = pausesIn(receipt);

  return (iso, before = 'nowhere') => {
    if (iso === null) return undefined;
    const at = Date.parse(iso);
    if (at < start && before === 'begin') return 0;
    // Of what ended only now, as a part of a second that the file does not have any more.
    if (at < start || at - start > length + 1_000 + pausedBefore(pauses, Infinity)) return undefined;

    return Math.min(length, at - start - pausedBefore(pauses, at));
  };
}

function pausedBefore(pauses: readonly Span[], at: number): number {
  return pauses.reduce((sum, { from, to }) => {
    if (from >= at) return sum;

    return sum + Math.min(at, to ?? at) - from;
  }, 0);
}
