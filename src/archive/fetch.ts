/**
 * Hands a recording out for one of its purposes. Whether it may be is decided before the first byte is read, and again
 * when all are: a purpose may end meanwhile, and what retention has erased must not appear after it. The beginning is in
 * the audit trail before any byte leaves, each end and each refusal as well, with the purpose and who asked. Each hand-out
 * is there once, as what it was.
 */
import type { FileHandle } from 'node:fs/promises';
import { archiveAt, type Archives } from './archives.ts';
import { otherLength, type ObjectStore, type PartRead } from '../store/store.ts';
import type { HeldKeys } from '../store/heldKeys.ts';
import { keysOf } from '../store/objectKeys.ts';
import { chunksOf, openRecording } from '../audio/recordingFile.ts';
import { spoolFile } from './finish/spool.ts';
import { recordedDigest, type Digest } from '../store/digest.ts';
import { copyVerified, type CopyTarget } from './verifiedCopy.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, errnoOf, PreavisError } from '../core/errors.ts';
import { isUlid, type RecordingId } from '../core/ids.ts';
import { accessUntil, type Subject } from './access.ts';
import { endsWhileHeld, purposesInForce } from './purposes.ts';

export type FetchPorts = Archives & {
  catalogue: CataloguePart<{
    recordings: 'find' | 'purposeEnds' | 'isHere';
    calls: 'find';
    legalHolds: 'of';
    auditTrail: 'append';
  }>;
  spoolFolder: string;
  clock: Clock;
  /** Whether a hold keeps a purpose open beyond its end. */
  holdsAllowed: (purpose: string) => boolean;
  /** Who asks. */
  actor: string;
};

type AccessPorts = Pick<FetchPorts, 'catalogue' | 'clock' | 'holdsAllowed'>;

export type FetchOrder = {
  id: string;
  purpose: string;
  target: CopyTarget;
  progress(bytes: number, of: number): void;
  signal: AbortSignal;
};

export type Fetched = Digest & {
  id: RecordingId;
  from: 'archive' | 'spool';
  durationMs: number | null;
  /** The end of the purpose, ms since 1970 UTC. */
  keepUntil: number;
};

/** What the audit trail says of a hand-out. Without `done` the copy is only a part of it: its maker says when it is done. */
export type HandOutEvents = { refused: string; begun: string; failed: string; done?: string };

const fetchEvents: HandOutEvents = {
  refused: 'fetch refused',
  begun: 'fetch begun',
  failed: 'fetch failed',
  done: 'fetched',
};

/** Throws recording_unknown, what accessUntil and copyVerified throw, and what the archive or the spool does. */
export async function fetchRecording(
  ports: FetchPorts,
  order: FetchOrder,
  events: HandOutEvents = fetchEvents,
): Promise<Fetched> {
  const { catalogue, actor } = ports;
  const { purpose, target, signal } = order;
  const { id } = await rowOf(ports, order.id);
  const note = (event: string, detail: Record<string, unknown>): Promise<void> =>
    catalogue.auditTrail.append(id, { event, actor, detail: { purpose, ...detail } });
  const granted = (): ReturnType<typeof grantAccess> => grantAccess(ports, id, purpose);
  const noted = async <T>(event: string, step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (thrown) {
      const error = asPreavisError(thrown);
      await note(event, { code: error.code });
      throw error;
    }
  };

  const { row, expected, keepUntil } = await noted(events.refused, granted);
  await note(events.begun, {});
  let from: Fetched['from'] = 'archive';
  const open = async (): Promise<AsyncIterable<Buffer>> => {
    const source = await sourceOf(row, ports, signal);
    from = source.from;

    return source.bytes;
  };
  const proved = async (): Promise<void> => {
    await granted();
    if (events.done !== undefined) await note(events.done, { from, ...expected });
  };
  const progress = (bytes: number): void => {
    order.progress(bytes, expected.bytes);
  };
  await noted(events.failed, () => copyVerified({ open, expected }, target, { proved, progress, signal }));

  return { id, from, ...expected, durationMs: row.durationMs, keepUntil };
}

/** Throws recording_unknown, and unless it may be fetched for this purpose now what accessUntil does. */
export async function grantAccess(
  ports: AccessPorts,
  id: string,
  purpose: string,
): Promise<{ row: RecordingRow; expected: Digest; keepUntil: number }> {
  const { row, subject, at } = await subjectOf(ports, id);
  const keepUntil = accessUntil(subject, purpose, at);

  return { row, expected: recordedDigest(row), keepUntil };
}

/** All of its purposes, and those that it may be fetched for now. Throws recording_unknown. */
export async function openPurposes(
  ports: AccessPorts,
  id: string,
): Promise<{ all: readonly string[]; open: string[] }> {
  const { subject, at } = await subjectOf(ports, id);
  const { status, purposes, ends } = subject;

  return { all: purposes, open: purposesInForce(status, purposes, ends, at) };
}

async function subjectOf(
  { catalogue, clock, holdsAllowed }: AccessPorts,
  id: string,
): Promise<{ row: RecordingRow; subject: Subject; at: number }> {
  const row = await rowOf({ catalogue }, id);
  const purposes = (await catalogue.calls.find(row.callId))?.purposes ?? [];
  const at = clock.now();
  const holds = await catalogue.legalHolds.of(row.id);
  const ends = endsWhileHeld(await catalogue.recordings.purposeEnds(row.id), holds, holdsAllowed, at);

  return { row, subject: { status: row.status, purposes, ends }, at };
}

async function rowOf(
  { catalogue }: { catalogue: CataloguePart<{ recordings: 'find' }> },
  id: string,
): Promise<RecordingRow> {
  const row = isUlid(id) ? await catalogue.recordings.find(id) : undefined;
  if (row === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');

  return row;
}

export type Source = { from: Fetched['from']; bytes: AsyncIterable<Buffer> };
/** `proved`: how its bytes are known to be what was recorded. */
export type PartSource = Source & { proved: PartRead['proved'] };

type SourcePorts = Archives &
  Pick<FetchPorts, 'spoolFolder'> & { catalogue: CataloguePart<{ recordings: 'find' | 'isHere' }> };

/** Where its bytes are now, not yet compared with its digest. Throws archive_changed and what the archive or the spool does. */
export function sourceOf(row: RecordingRow, ports: SourcePorts, signal: AbortSignal): Promise<Source> {
  return whereItLies<Source>(row, ports, {
    archived: async (store, key, version) => ({ from: 'archive', bytes: await store.read(key, version, signal) }),
    spooled: (handle) => Promise.resolve({ from: 'spool', bytes: chunksOf(handle) }),
  });
}

/**
 * A part of it: `bytes` of the WAV from `from` on. Throws archive_mismatch where what lies there is not as long as what was recorded, and
 * what sourceOf does.
 *
 * @param keys where its data key is held between two parts
 */
export function partSourceOf(
  row: RecordingRow,
  part: { from: number; bytes: number },
  ports: SourcePorts,
  signal: AbortSignal,
  keys?: HeldKeys,
): Promise<PartSource> {
  const { bytes: of } = recordedDigest(row);

  return whereItLies<PartSource>(row, ports, {
    archived: async (store, key, version) => {
      const { stream, proved } = await store.readPart(key, version, { ...part, of }, signal, keys);

      return { from: 'archive', bytes: stream, proved };
    },
    spooled: async (handle) => {
      const { size } = await handle.stat();
      if (size === of) return { from: 'spool', bytes: chunksOf(handle, part), proved: 'length' };
      await handle.close();
      throw otherLength(size, of);
    },
  });
}

type Opening<T> = {
  archived: (store: ObjectStore, key: string, version: string | null) => Promise<T>;
  spooled: (handle: FileHandle) => Promise<T>;
};

async function whereItLies<T>(row: RecordingRow, ports: SourcePorts, opening: Opening<T>): Promise<T> {
  if (row.status === 'archived') {
    try {
      return await opening.archived(archiveAt(row.archive, ports), keysOf(row).wav, row.objectVersion);
    } catch (thrown) {
      // It may just have been moved, and its old copy removed.
      const now = asPreavisError(thrown).code === 'archive_object_missing' ? await rowOf(ports, row.id) : row;
      if (now.status === 'archived' && now.archive !== row.archive) return whereItLies(now, ports, opening);
      throw thrown;
    }
  }
  try {
    return await opening.spooled(await openRecording(spoolFile(ports.spoolFolder, row.id)));
  } catch (thrown) {
    const error = asPreavisError(thrown);
    // The upload may have been faster.
    const now = errnoOf(error.cause) === 'ENOENT' ? await rowOf(ports, row.id) : row;
    if (now.status === 'archived') return whereItLies(now, ports, opening);
    if (errnoOf(error.cause) !== 'ENOENT' || (await ports.catalogue.recordings.isHere(row.id))) throw error;
    throw new PreavisError('recording_elsewhere', `recording ${row.id} is not archived yet, and lies at another PBX`);
  }
}
