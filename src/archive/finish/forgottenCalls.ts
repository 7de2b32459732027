import { lastWritten } from './spool.ts';
import { endUnseen } from '../../call/watch/endUnseen.ts';
import type { UnreadableCall } from '../../call/session/journal.ts';
import type { CallState } from '../../call/decide/state.ts';
import type { Catalogue, CataloguePart } from '../../catalogue/catalogue.ts';
import { serveLease, type ServeName } from '../../catalogue/jobs/leases.ts';
import { boundTo } from '../../catalogue/jobs/turns.ts';
import type { Config } from '../../config/schema.ts';
import type { RecordingId } from '../../core/ids.ts';
import { thisProcess } from '../../core/processes.ts';

/** Recorded talks that a serve which died has left open, for `preavis upload` where no serve comes back. */

/** A serve that comes back so late finds the talk over, as a rule, ms. */
const forgottenMs = 10 * 60_000;

type Open = CataloguePart<{ journal: 'open'; recordings: 'find'; leases: 'otherHolder' | 'notServedMs' }>;
type Recording = Config['recording'];
/** Whose calls: those of this PBX. */
export type Forgetful = { recording: Recording; serve: ServeName };

const recordingOf = (call: CallState | UnreadableCall): RecordingId | undefined =>
  call.kind === 'unreadable' ? call.recording : call.facts.order?.recording;

/** How long no serve has served until they are forgotten, ms. */
const awayMs = ({ unwatchedSeconds }: Recording): number => unwatchedSeconds * 1_000 + forgottenMs;

/**
 * Recordings of open calls while no serve is there, which would see to them: those that have begun. One that starts again and again, and does not
 * come to serve, is not there.
 */
export async function unendedRecordings(catalogue: Open, { recording, serve }: Forgetful): Promise<RecordingId[]> {
  const { spoolFolder } = recording;
  const isHeld = (await catalogue.leases.otherHolder(serveLease(serve), thisProcess())) !== undefined;
  if (isHeld && ((await catalogue.leases.notServedMs(serve)) ?? 0) < awayMs(recording)) return [];
  const unended: RecordingId[] = [];
  for (const call of await catalogue.journal.open()) {
    const id = recordingOf(call);
    if (id !== undefined && (await isBegun(id, catalogue, spoolFolder))) unended.push(id);
  }

  return unended;
}

/** By its row; the recorder may have begun before that was written down. A row that cannot be read is of a recording, too. */
async function isBegun(
  id: RecordingId,
  catalogue: CataloguePart<{ recordings: 'find' }>,
  spoolFolder: string,
): Promise<boolean> {
  const hasRow = await catalogue.recordings.find(id).then(
    (row) => row?.status === 'recording',
    () => true,
  );

  return hasRow || (await lastWritten(spoolFolder, id)) !== undefined;
}

/**
 * Ends those for which no serve was there for ten minutes beyond recording.unwatchedSeconds, so that they are judged and finished without one.
 * By then Asterisk has ended their recorders, or the talk has; whose file is still written to is left. A serve that comes back sooner takes
 * them up: the caller may still talk, be on hold, or refuse.
 */
export async function endForgotten(
  all: Catalogue,
  { recording, serve }: Forgetful,
  { now, actor }: { now: number; actor: string },
): Promise<void> {
  const left = new Set<RecordingId>();
  for (const id of await unendedRecordings(all, { recording, serve })) {
    const writtenAt = await lastWritten(recording.spoolFolder, id);
    if (writtenAt === undefined || now - writtenAt >= awayMs(recording)) left.add(id);
  }
  if (left.size === 0) return;
  const turn = await all.leases.takeAbandonedServe(serve, thisProcess(), awayMs(recording));
  if (turn === undefined) return;
  const catalogue = boundTo(all, turn);
  try {
    const watchedUntil = await catalogue.timeline.watchedUntil();
    if (watchedUntil !== undefined) await flagEndedByAsterisk(left, watchedUntil, { catalogue, recording, actor });
    for (const call of await catalogue.journal.open()) {
      const id = recordingOf(call);
      if (call.kind === 'unreadable' || id === undefined || !left.has(id)) continue;
      const end = endUnseen(call, watchedUntil);
      if (end === undefined) continue;
      await catalogue.journal.addToTimeline(call.facts.id, { kind: 'unwatched', interval: end.interval });
      await catalogue.journal.save(end.ended);
      await catalogue.auditTrail.append(id, { event: 'call ended without a serve: nobody saw its end', actor });
    }
  } finally {
    await all.leases.release(turn);
  }
}

type FlagPorts = {
  catalogue: CataloguePart<{ recordings: 'withoutEnd' | 'flagEndedUnwatched' }>;
  recording: Recording;
  actor: string;
};

/**
 * Flags those whose files were written to until Asterisk ends recorders that nobody watches. When that was is not asked of it here: it counted
 * last within a fifth of its limit before all was seen.
 */
async function flagEndedByAsterisk(left: ReadonlySet<RecordingId>, watchedUntil: number, ports: FlagPorts) {
  const { catalogue, recording, actor } = ports;
  const endedAt = watchedUntil + recording.unwatchedSeconds * 800;
  const others: RecordingId[] = [];
  for (const id of await catalogue.recordings.withoutEnd(endedAt)) {
    const writtenAt = left.has(id) ? await lastWritten(recording.spoolFolder, id) : undefined;
    if (writtenAt === undefined || writtenAt < endedAt) others.push(id);
  }
  await catalogue.recordings.flagEndedUnwatched(endedAt, actor, others);
}
