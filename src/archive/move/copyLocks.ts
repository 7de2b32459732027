import type { ArchiveCopy } from '../../catalogue/jobs/archiveCopies.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import type { MovePorts } from './move.ts';
import { keysOf } from '../../store/objectKeys.ts';
import type { Protection } from '../../store/objectLock.ts';
import { endsPass, overRows, type RowPass } from '../rowPass.ts';
import type { ObjectStore } from '../../store/store.ts';
import { within } from '../../store/stoppable.ts';

/** What keeps old copies in the earlier archive, looked for anew by each move: one that ended early has told nobody. */
export type LegalHolds = {
  /** Somebody has set one there, and the new archive has none. */
  legalHolds: RecordingId[];
  /** Whether there is one could not be asked. */
  holdsUnknown: RecordingId[];
};

/** Notes until when old copies are locked. Throws what makes asking on of no use, and the signal's reason. */
export async function lookAtCopies(ports: MovePorts, source: ObjectStore, signal: AbortSignal): Promise<LegalHolds> {
  const { catalogue, from, atOnce, attemptMs } = ports;
  const result: LegalHolds = { legalHolds: [], holdsUnknown: [] };
  const limited = (): AbortSignal => AbortSignal.any([signal, timeLimit(attemptMs)]);
  if ((await source.capabilities(limited())).objectLock === 'off') return result;
  const pass: RowPass<ArchiveCopy> = {
    page: (after, most) => catalogue.archiveCopies.listIn(from, after, most),
    idOf: ({ recording }) => recording,
    attempt: async ({ recording }) => {
      const hold = await holdOn(recording, ports, source, limited());
      if (hold === 'on') result.legalHolds.push(recording);
      if (hold === 'unknown') result.holdsUnknown.push(recording);
    },
    failed: (_copy, error) => error,
    atOnce,
    total: 0,
  };
  await overRows(pass, { signal });

  return result;
}

/** `off` also where the new archive has one, too, and where nothing is left. */
async function holdOn(
  id: RecordingId,
  { catalogue, target, from }: MovePorts,
  source: ObjectStore,
  signal: AbortSignal,
): Promise<Protection['legalHold']> {
  const row = await catalogue.recordings.find(id);
  if (row?.status !== 'archived' || row.archive !== target.location) return 'off';
  const { wav } = keysOf(row);
  try {
    const { longest, legalHold } = await within(signal, () => source.protection(wav, null, signal));
    if (longest !== undefined) await catalogue.archiveCopies.noteLock(id, from, longest.until);
    if (legalHold !== 'on') return legalHold;
    const here = await within(signal, () => target.protection(wav, row.objectVersion, signal));

    return here.legalHold === 'on' ? 'off' : 'on';
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (endsPass(error) || signal.aborted) throw thrown;

    return error.code === 'archive_object_missing' ? 'off' : 'unknown';
  }
}
