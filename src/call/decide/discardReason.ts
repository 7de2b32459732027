import { decide } from './decide.ts';
import { mayHaveRecorded, startOf } from './erase.ts';
import { unpaused } from './newcomers.ts';
import type { Asker } from './order.ts';
import { withoutAwaited } from './recorder.ts';
import type { CallState, In, Recorder } from './state.ts';

/** Why nothing of a call may be recorded or kept any more. `at`: Asterisk's time of the key, ms. */
export type DiscardReason = { why: 'refused'; digits: string; at: number } | { why: 'erase_asked'; by: Asker };

/** For the audit trail. */
export const whyDiscarded: Readonly<Record<DiscardReason['why'], string>> = {
  refused: 'the caller refused',
  erase_asked: 'somebody asked to erase it',
};

/** What whoever takes this call up must know of it; undefined where its recording may be kept. */
export function discardReasonOf(state: CallState): DiscardReason | undefined {
  if (!('answer' in state)) return undefined;
  const { answer } = state;
  if (answer.kind === 'refused') return { why: 'refused', digits: answer.digits, at: answer.at };
  const by = 'recorder' in state && state.recorder.kind === 'discarded' ? state.recorder.erasedBy : undefined;

  return by === undefined ? undefined : { why: 'erase_asked', by };
}

/**
 * A call that the catalogue has as it was before this reason came up: nothing of it is recorded any more. One that has ended, or that goes back to the
 * dialplan before they talk, stays as it is.
 */
export function withDiscardReason(state: CallState, reason: DiscardReason): CallState {
  const known = discardReasonOf(state);
  if (known !== undefined && (known.why === 'refused' || reason.why === 'erase_asked')) return state;
  const refused =
    reason.why === 'refused' ? { answer: { kind: 'refused', digits: reason.digits, at: reason.at } as const } : {};
  if (state.kind === 'dialling') return { ...state, ...refused, keysMissed: true };
  if (state.kind === 'following') return { ...unpaused(state), ...refused, recorder: discarded(state, reason) };
  if (state.kind === 'talking')
    return { ...unpaused(state), ...refused, telling: [], recorder: discarded(state, reason) };
  if (state.kind !== 'releasing') return state;
  if (reason.why === 'refused') return { ...state, ...refused };

  // There was something to erase, so they have gone on since.
  return withDiscardReason(decide(state, { type: 'callerReleased' }).state, reason);
}

/** As after the same in a process that saw the recorder; one that the catalogue knows nothing of may have run in between. */
function discarded(state: In<'talking' | 'following'>, reason: DiscardReason): Recorder {
  const { recorder, paused } = state;
  const erasedBy = reason.why === 'erase_asked' ? { erasedBy: reason.by } : {};
  const isUnknown = reason.why === 'erase_asked' && recorder.kind !== 'withheld';
  if (!mayHaveRecorded(state) && !isUnknown) return withoutAwaited(recorder, paused);

  return { kind: 'discarded', startedAt: startOf(recorder), ...erasedBy };
}
