import type { CallRow, RecordingRow, UnwatchedRow } from '../catalogue/rows.ts';
import { failPoint } from '../core/failPoint.ts';
import type { FinishPorts } from './finish.ts';
import { judgeUnwatched, type Presence } from './unwatchedSpans.ts';
import { inspectWav, silenceWav } from './wav.ts';

/** The time of a call, ms since 1970 UTC, and whether Asterisk told the end of its recorder. */
export type PresenceWindow = { from: number; to: number; recorderEnd: 'told' | 'untold' };

/** Who was in the bridge of a call while nobody listened, as far as something beside ARI tells. */
export type PresencePorts = {
  /** By the id of each interval. */
  of: (intervals: readonly UnwatchedRow[], window: PresenceWindow) => Promise<ReadonlyMap<number, Presence>>;
  /** How long after the end of a call it may still be written, ms. */
  waitMs: number;
};

export const nobodyTells: PresencePorts = { of: () => Promise.resolve(new Map()), waitMs: 0 };

/**
 * Judges what was recorded while nobody listened, before the file is measured: what is not shown to be clean becomes silence of the same
 * length. Gives the flags for that, or `later` where the end of the call may not be written down yet. Throws spool_unusable, wav_invalid
 * and wav_empty; the recording is not on its way then.
 */
export async function judgeSound(
  file: string,
  row: RecordingRow,
  call: CallRow | undefined,
  { catalogue, presence, clock, log }: Pick<FinishPorts, 'catalogue' | 'presence' | 'clock' | 'log'>,
): Promise<string[] | 'later'> {
  const [unwatched, changes] = await Promise.all([catalogue.unwatched(row.callId), catalogue.changes(row.callId)]);
  const isAsked = unwatched.length > 0 || changes.some(({ change }) => change === 'joined' || change === 'transferred');
  const endedAt = call?.endedAt ?? row.finishedAt ?? clock.now();
  const window = {
    from: call?.startedAt ?? row.noticeFinishedAt,
    to: endedAt + presence.waitMs,
    recorderEnd: row.finishedAt === null ? ('untold' as const) : ('told' as const),
  };
  const found = unwatched.length === 0 ? new Map<number, Presence>() : await presence.of(unwatched, window);
  const isWhole = unwatched.every(({ id }) => (found.get(id) ?? 'incomplete') !== 'incomplete');
  if (!isWhole && Math.abs(clock.now() - endedAt) < presence.waitMs) return 'later';
  const { durationMs } = isAsked ? await inspectWav(file) : { durationMs: 0 };
  const { spans, judged } = judgeUnwatched({ ...row, durationMs }, unwatched, changes, found);
  if (spans.length > 0) await silenceWav(file, spans);
  failPoint?.('finish, unwatched sound silenced');
  await catalogue.judgeUnwatched(judged);
  const isBlanked = judged.some((each) => each.judged === 'blanked');
  if (isBlanked) log.warn({ recording: row.id }, 'what was recorded while nobody listened was made silent');
  if (isBlanked) return ['unwatched_blanked'];

  return judged.some((each) => each.judged === 'witnessed') ? ['unwatched'] : [];
}
