import type { Change } from '../../call/watch/timeline.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { CallRow, RecordingRow, UnwatchedRow } from '../../catalogue/rows.ts';
import type { Clock } from '../../core/clock.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { BridgeId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { judgeUnwatched, type Presence } from './unwatchedSpans.ts';
import { shapeOfWav, silenceWav, type WavInfo } from '../../audio/wav.ts';

/** The time of a call, ms since 1970 UTC, and what is known of the end of its recorder. */
export type PresenceWindow = {
  from: number;
  to: number;
  recorderEnd: number;
  /** unfinished: Asterisk did not close the file, so it died. */
  header: WavInfo['header'];
};

/** Who was in the bridge of a call while nobody listened, as far as something beside ARI tells. */
export type PresencePorts = {
  /** By the id of each interval. */
  of: (intervals: readonly UnwatchedRow[], window: PresenceWindow) => Promise<ReadonlyMap<number, Presence>>;
  /** How long after the end of a call it may still be written, ms. */
  waitMs: number;
};

export const nobodyTells: PresencePorts = { of: () => Promise.resolve(new Map()), waitMs: 0 };

/** What was made silent, ms from the beginning. */
export type SilentSpan = { fromMs: number; toMs: number; why?: 'pause' };
type JudgedSound = { flags: string[]; silent: readonly SilentSpan[] };

/** More sound than this behind somebody who joined is no matter of milliseconds, ms: 0.3 s before them is silent as well. */
const lateMs = 1_300;

type Judge = {
  catalogue: CataloguePart<{
    timeline: 'unwatched' | 'changes' | 'judgeUnwatched';
    recordings: 'find';
    journal: 'addToTimeline';
  }>;
  presence: PresencePorts;
  clock: Clock;
  log: Logger;
};

/** For those that are not judged yet; `later` where the end of the call may not be written down yet. */
async function presenceIn(
  unwatched: readonly UnwatchedRow[],
  call: CallRow | undefined,
  {
    noticeFinishedAt,
    recorderEnd,
    header,
  }: Pick<RecordingRow, 'noticeFinishedAt'> & Omit<PresenceWindow, 'from' | 'to'>,
  { presence, clock }: Judge,
): Promise<ReadonlyMap<number, Presence> | 'later'> {
  const open = unwatched.filter(({ judged }) => judged === null);
  if (open.length === 0) return new Map();
  const window = {
    from: call?.startedAt ?? noticeFinishedAt,
    // Where nobody saw the end, they may have talked on after the recorder.
    to: (call?.endedAt ?? Math.max(recorderEnd, clock.now())) + presence.waitMs,
    recorderEnd,
    header,
  };
  const found = await presence.of(open, window);
  const isWhole = open.every(({ id }) => (found.get(id) ?? 'incomplete') !== 'incomplete');

  return !isWhole && Math.abs(clock.now() - (call?.endedAt ?? recorderEnd)) < presence.waitMs ? 'later' : found;
}

/**
 * Judges what was recorded while nobody listened, before the file is measured: what is not shown to be clean becomes silence of the same
 * length. The judgement is written first, and the first one stands: a process that dies before the file is on its way, or a second one
 * beside it, makes the same of it. Gives the flags for that and what is silent, or `later` where the end of the call may not be written down yet, or another
 * process was faster. Throws spool_unusable, wav_invalid and wav_empty; the recording is not on its way then.
 * @param writtenAt when the file was last written to, ms since 1970 UTC; undefined where nothing tells
 */
export async function judgeSound(
  file: string,
  row: RecordingRow,
  call: CallRow | undefined,
  writtenAt: number | undefined,
  ports: Judge,
): Promise<JudgedSound | 'later'> {
  const { catalogue, clock, log } = ports;
  const [unwatched, changes] = await Promise.all([
    catalogue.timeline.unwatched(row.callId),
    catalogue.timeline.changes(row.callId),
  ]);
  const mayBeSilent: readonly Change[] = ['joined', 'transferred', 'pauseBegan'];
  if (unwatched.length === 0 && !changes.some(({ change }) => mayBeSilent.includes(change)))
    return { flags: [], silent: [] };
  const { durationMs, header } = await shapeOfWav(file);
  const end = { ...row, header, recorderEnd: row.finishedAt ?? writtenAt ?? clock.now() };
  const found = await presenceIn(unwatched, call, end, ports);
  if (found === 'later') return 'later';
  const recorded = { ...row, durationMs, writtenAt, call };
  await catalogue.timeline.judgeUnwatched(judgeUnwatched(recorded, unwatched, changes, found).judged);
  failPoint?.('finish, unwatched sound judged');
  const standing = await catalogue.timeline.unwatched(row.callId);
  const now = await catalogue.recordings.find(row.id);
  const isMine = now?.status === row.status && now.finishedAt === row.finishedAt;
  if (!isMine || standing.some(({ judged }) => judged === null)) return 'later';
  const { spans, judged, joinedAt, untoldMs } = judgeUnwatched(recorded, standing, changes, new Map());
  // Events that came late, as to a process that was stopped: a recorder that is ended at once gets less.
  const isLate = untoldMs !== undefined && untoldMs > lateMs;
  const isBlanked = judged.some((each) => each.judged === 'blanked');
  if (isLate && !isBlanked && joinedAt !== undefined) await keepLate(row.callId, joinedAt, catalogue);
  if (spans.length > 0) await silenceWav(file, spans);
  const silent = spans.map(({ from, to, why }) => ({
    fromMs: Math.round(from),
    toMs: Math.round(Math.min(to, durationMs)),
    ...(why === undefined ? {} : { why }),
  }));
  if (isLate || isBlanked) {
    log.warn({ recording: row.id }, 'unwatched part of recording silenced');
    return { flags: ['unwatched_blanked'], silent };
  }

  return { flags: judged.some((each) => each.judged === 'witnessed') ? ['unwatched'] : [], silent };
}

/** For the receipt: from when somebody was there whose coming was read so late. It is silent, whoever they were. */
async function keepLate(
  id: CallRow['id'],
  joinedAt: number,
  catalogue: CataloguePart<{ journal: 'addToTimeline'; timeline: 'unwatched' | 'judgeUnwatched' }>,
): Promise<void> {
  const why = 'events_late';
  const unknown = '' as BridgeId;
  const interval = { from: joinedAt, to: null, heardAgainAt: null, why, bridge: unknown, parties: [] } as const;
  await catalogue.journal.addToTimeline(id, { kind: 'unwatched', interval });
  const late = (await catalogue.timeline.unwatched(id)).filter((each) => each.why === why);
  await catalogue.timeline.judgeUnwatched(late.map((each) => ({ id: each.id, judged: 'blanked' })));
}
