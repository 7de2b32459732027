import { discardFilesIn } from './discardFiles.ts';
import { lastWritten } from './spool.ts';
import { endUnseen } from '../../call/watch/endUnseen.ts';
import { withReasons } from '../../call/session/discardFileJournal.ts';
import type { UnreadableCall } from '../../call/session/journal.ts';
import type { CallState } from '../../call/decide/state.ts';
import type { Catalogue, CataloguePart } from '../../catalogue/catalogue.ts';
import type { OpenCalls } from '../../catalogue/calls/calls.ts';
import { watchedBy } from '../../catalogue/calls/timeline.ts';
import { serveLease, type ServeName } from '../../catalogue/jobs/leases.ts';
import { boundTo } from '../../catalogue/jobs/turns.ts';
import type { Config } from '../../config/schema.ts';
import { workerNames } from '../../config/workerNames.ts';
import { applicationOf } from '../../config/workers.ts';
import type { RecordingId } from '../../core/ids.ts';
import { thisProcess } from '../../core/processes.ts';

/** Recorded talks that a serve which died has left open, for `preavis upload` where no serve comes back. */

/** A serve that comes back so late finds the talk over, as a rule, ms. */
const forgottenMs = 10 * 60_000;

type Open = CataloguePart<{
  journal: 'open' | 'openApplications';
  recordings: 'find';
  leases: 'otherHolder' | 'notServedMs';
}>;
type Recording = Config['recording'];
/** Whose calls: those of this PBX. */
export type Forgetful = { recording: Recording; serve: ServeName };

const recordingOf = (call: CallState | UnreadableCall): RecordingId | undefined =>
  call.kind === 'unreadable' ? call.recording : call.facts.order?.recording;

/** How long no serve has served until they are forgotten, ms. */
const awayMs = ({ unwatchedSeconds }: Recording): number => unwatchedSeconds * 1_000 + forgottenMs;

/** The calls that one serve has, and the leases by which it is there. */
type Part = { serve: ServeName; holders: readonly ServeName[]; calls: OpenCalls; watched: string | undefined };

/**
 * Those of the one serve, and of each of two workers; what is from before applications were written down, one serve or the first of them has. And those
 * of serves that have another application, or had one before it was changed.
 */
async function partsOf(serve: ServeName, { journal }: Open): Promise<Part[]> {
  const workers = workerNames.map((worker) => ({ ...serve, application: applicationOf(serve.application, worker) }));
  const [first] = workers;
  const known = new Set([serve, ...workers].map(({ application }) => application));
  const others = (await journal.openApplications()).filter((of): of is string => of !== null && !known.has(of));

  return [
    {
      serve,
      holders: [serve, ...(first === undefined ? [] : [first])],
      calls: { application: serve.application, orNone: true },
      watched: undefined,
    },
    ...workers.map((worker) => ({
      serve: worker,
      // One serve alone, after there were two, has the calls of both.
      holders: [worker, serve],
      calls: { application: worker.application },
      watched: watchedBy(worker),
    })),
    ...others.map((application) => {
      const other = { ...serve, application };

      return { serve: other, holders: [other], calls: { application }, watched: watchedBy(other) };
    }),
  ];
}

async function isServed(catalogue: Open, { holders }: Part, recording: Recording): Promise<boolean> {
  for (const serve of holders) {
    const isHeld = (await catalogue.leases.otherHolder(serveLease(serve), thisProcess())) !== undefined;
    if (isHeld && ((await catalogue.leases.notServedMs(serve)) ?? 0) < awayMs(recording)) return true;
  }

  return false;
}

/**
 * Recordings of open calls while no serve is there, which would see to them: those that have begun. One that starts again and again, and does not
 * come to serve, is not there.
 */
export async function unendedRecordings(catalogue: Open, { recording, serve }: Forgetful): Promise<RecordingId[]> {
  const parts = await partsOf(serve, catalogue);

  return (await Promise.all(parts.map((part) => unendedOf(part, catalogue, recording)))).flat();
}

async function unendedOf(part: Part, catalogue: Open, recording: Recording): Promise<RecordingId[]> {
  if (await isServed(catalogue, part, recording)) return [];
  const { spoolFolder } = recording;
  const unended: RecordingId[] = [];
  for (const call of await catalogue.journal.open(part.calls)) {
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
  by: { now: number; actor: string },
): Promise<void> {
  for (const part of await partsOf(serve, all)) await endForgottenOf(part, all, { ...by, recording });
}

type ByWhom = { now: number; actor: string; recording: Recording };

async function endForgottenOf(part: Part, all: Catalogue, { now, actor, recording }: ByWhom): Promise<void> {
  const left = new Set<RecordingId>();
  for (const id of await unendedOf(part, all, recording)) {
    const writtenAt = await lastWritten(recording.spoolFolder, id);
    if (writtenAt === undefined || now - writtenAt >= awayMs(recording)) left.add(id);
  }
  if (left.size === 0) return;
  const turn = await all.leases.takeAbandonedServe(part.serve, thisProcess(), awayMs(recording));
  if (turn === undefined) return;
  const catalogue = boundTo(all, turn);
  try {
    const watchedUntil = await catalogue.timeline.watchedUntil(part.watched);
    if (watchedUntil !== undefined) await flagEndedByAsterisk(left, watchedUntil, { catalogue, recording, actor });
    const reasons = await discardFilesIn(recording.spoolFolder).all();
    for (const call of withReasons(await catalogue.journal.open(part.calls), reasons)) {
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
