import type { Receipt } from '../../../src/receipt/receipt.ts';
import { placesIn, type PlaceOf } from './places.ts';

/** What of the receipt is drawn on the waveform. */

export type MarkKind = 'pause' | 'hold' | 'newcomer' | 'told' | 'silent' | 'unheard' | 'mark' | 'refusal' | 'comment';

/** ms from the beginning of the file. `to` is undefined for what is a point. `iso` is the time of the line in the timeline. */
export type Mark = { kind: MarkKind; from: number; to: number | undefined; iso: string };

type Change = Receipt['changes'][number];

/** What is a point in time. */
export const points: Readonly<Partial<Record<Change['change'], MarkKind>>> = {
  joined: 'newcomer',
  transferred: 'newcomer',
  awareJoined: 'newcomer',
  neverRecorded: 'newcomer',
  newcomerTold: 'told',
  allTold: 'told',
  newcomerRefused: 'refusal',
  eraseAsked: 'refusal',
  agreementMarked: 'mark',
  exemplaryMarked: 'mark',
  recordAsked: 'mark',
};

/** What lasts from one change to another, of the same party where there is one. */
const spans = [
  { from: 'held', to: ['resumed'], kind: 'hold' },
  { from: 'pauseBegan', to: ['pauseEnded', 'pauseExpired'], kind: 'pause' },
  { from: 'unheard', to: ['heardAgain'], kind: 'unheard' },
] as const;

/** What is shorter than this is a point, ms. */
const leastSpanMs = 200;

/** Somebody who came untold is silent from so long before Asterisk told of them, ms (src/archive/finish/unwatchedSpans.ts). */
const joinedMarginMs = 300;

function spanMarks(changes: readonly Change[], place: PlaceOf, end: number): Mark[] {
  return spans.flatMap(({ from, to: ends, kind }) =>
    changes.flatMap((begun, index): Mark[] => {
      // A pause that was asked for before the recorder began is silence from the first sound on.
      const at = kind === 'pause' ? place(begun.at, 'begin') : place(begun.at);
      if (begun.change !== from || at === undefined || begun.at === null) return [];
      const ended = changes
        .slice(index + 1)
        .find(
          ({ change, party }) => ends.some((each) => each === change) && (kind === 'pause' || party === begun.party),
        );

      const to = ended === undefined ? end : (place(ended.at, 'begin') ?? end);
      // It was over before the recorder began.
      if (to === 0) return [];

      // While the recorder was paused the file has nothing: of a hold only its place is left.
      return [{ kind, from: at, to: to - at < leastSpanMs ? undefined : to, iso: begun.at }];
    }),
  );
}

/** Pauses of the recorder that no hold and no wish explains, as for a newcomer who is told. */
function otherPauses(changes: readonly Change[], place: PlaceOf, explained: readonly Mark[]): Mark[] {
  return changes.flatMap(({ change, at }): Mark[] => {
    const from = change === 'recorderPaused' ? place(at) : undefined;
    if (from === undefined || at === null) return [];
    // A pause takes no room in the file: it is the place where the time before and after it meet.
    const isExplained = explained.some((mark) => Math.abs(mark.from - from) < 1_500);

    return isExplained ? [] : [{ kind: 'pause', from, to: undefined, iso: at }];
  });
}

function silentMarks({ unwatched }: Receipt, place: PlaceOf, end: number): Mark[] {
  return unwatched.flatMap(({ from, to, judged }): Mark[] => {
    const at = place(from);

    return judged === 'blanked' && at !== undefined
      ? [{ kind: 'silent', from: at, to: place(to) ?? end, iso: from }]
      : [];
  });
}

/** What the file has of the time since somebody came untold is silent, until everybody had been told. */
function untoldMarks(changes: readonly Change[], place: PlaceOf, end: number): Mark[] {
  const found: Mark[] = [];
  let open: { from: number; iso: string } | undefined;
  const close = (to: number): void => {
    if (open !== undefined && to > open.from) found.push({ kind: 'silent', from: open.from, to, iso: open.iso });
    open = undefined;
  };
  for (const { change, at } of changes) {
    const from = change === 'joined' || change === 'transferred' ? place(at) : undefined;
    if (from !== undefined && at !== null) open ??= { from: Math.max(0, from - joinedMarginMs), iso: at };
    if (change === 'allTold') close(place(at) ?? end);
  }
  close(end);

  return found;
}

/** In the order of their places. */
export function marksOf(receipt: Receipt): Mark[] {
  const { changes, recording } = receipt;
  const place = placesIn(receipt);
  const end = recording?.durationMs ?? 0;
  const lasting = spanMarks(changes, place, end);
  const found = changes.flatMap(({ change, at }): Mark[] => {
    const kind = points[change];
    const from = place(at);

    return kind === undefined || from === undefined || at === null ? [] : [{ kind, from, to: undefined, iso: at }];
  });

  return [
    ...lasting,
    ...otherPauses(changes, place, lasting),
    ...silentMarks(receipt, place, end),
    ...untoldMarks(changes, place, end),
    ...found,
  ].toSorted((one, other) => one.from - other.from);
}
