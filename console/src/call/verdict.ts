import type { Receipt } from '../../../src/receipt/receipt.ts';

/**
 * What the receipt shows, in one word. told: the whole notice, then the recorder; accepted: and a yes in between. unproved: there is a recording
 * of which the receipt does not show that.
 */
export type Verdict = 'told' | 'accepted' | 'refused' | 'unrecorded' | 'unproved' | 'notConnected' | 'goingOn';

/** Who was to be told. */
export const toldSide = ({ call }: Pick<Receipt, 'call'>): 'caller' | 'destination' =>
  call.direction === 'incoming' ? 'caller' : 'destination';

const removed: readonly string[] = ['discarded'];

export function verdictOf(receipt: Receipt): Verdict {
  const { call, consent, recording, told } = receipt;
  if (call.endedAt === null && call.result === null) return 'goingOn';
  if (recording === null || removed.includes(recording.status)) {
    if (consent.answer === 'refused' || call.reason === 'refused' || call.reason === 'erase_asked') return 'refused';

    return call.result === 'notConnected' || call.result === 'abandoned' ? 'notConnected' : 'unrecorded';
  }
  if (told === null || recording.startedAt === null || (recording.gapMs ?? -1) < 0) return 'unproved';
  if (consent.mode === 'optIn') return consent.answer === 'accepted' ? 'accepted' : 'unproved';

  return consent.answer === 'refused' ? 'refused' : 'told';
}

/** What became of each newcomer, in the order of their numbers; the last word about one counts. */
export function newcomersIn({
  changes,
}: Pick<Receipt, 'changes'>): { newcomer: number; state: 'told' | 'refused' | 'untold'; at: string | null }[] {
  const states = { newcomerTold: 'told', newcomerRefused: 'refused', newcomerUntold: 'untold' } as const;
  const found = new Map<number, { state: 'told' | 'refused' | 'untold'; at: string | null }>();
  for (const { change, newcomer, at } of changes) {
    if (newcomer === null) continue;
    if (change === 'newcomerTold' || change === 'newcomerRefused' || change === 'newcomerUntold') {
      found.set(newcomer, { state: states[change], at });
    }
  }

  return [...found]
    .map(([newcomer, each]) => ({ newcomer, ...each }))
    .toSorted((one, other) => one.newcomer - other.newcomer);
}
