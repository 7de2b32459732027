import type { ArchiveUse, CopiesLeft } from '../../catalogue/jobs/archiveCopies.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { withLease } from '../../catalogue/jobs/lease.ts';
import { moveLease } from '../../catalogue/jobs/leases.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { lookAtCopies, type LegalHolds } from './copyLocks.ts';
import { moveRecordings, type Moved, type MovePorts } from './move.ts';
import { isSamePlace, refuseMove } from './refusals.ts';
import { findStrays, moveDocuments, removeDocuments, type Documents, type HeadMover, type Strays } from './rest.ts';
import { giveUpCopies, removeCopies, type Removed } from './removeCopies.ts';

/** The steps of `preavis archive move` for one earlier archive, in their order. */

export type MoveArchivePorts = Omit<MovePorts, 'catalogue'> & {
  catalogue: MovePorts['catalogue'] &
    CataloguePart<{ archiveCopies: 'archiveUse' | 'left'; leases: 'take' | 'renew' | 'release' }>;
  heads: HeadMover;
  /** Throws archive_unprotected when the new archive cannot give the locks that purposes ask for. */
  refuseUnprotected: (signal: AbortSignal) => Promise<void>;
};

export type MoveArchiveOptions = {
  /** Only look what would be moved, and whether it can be. */
  dryRun: boolean;
  /** Remove what was moved from where it was, once everything that can be is moved. */
  removeOld: boolean;
  decrypt: boolean;
  /** How long to wait while another process does it, ms. */
  waitMs: number;
  /** Ends it between two recordings; its reason is thrown. */
  signal: AbortSignal;
  progress?: (done: number, total: number) => void;
};

export type ArchiveMoved = Moved &
  LegalHolds & {
    from: string;
    to: string;
    /** Two names of one place: there is no old copy. */
    isSamePlace: boolean;
    documents: Documents;
    strays: Strays;
    /** undefined: it was not asked for. heldBack: recordings could not be moved, for a reason that may pass. */
    removal: undefined | 'heldBack' | (Removed & { documentsLeft: number });
    /** In the earlier archive, as the catalogue has it now. */
    left: { recordings: number; copies: number; lockedUntil: number | null };
  };

const checkLimitMs = 120_000;
/** These do not pass: the others need not wait for them. */
const ofSource: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['archive_object_missing', 'recording_altered']);

/** Throws job_busy, what refuses it, and what makes going on of no use. */
export async function moveArchive(ports: MoveArchivePorts, options: MoveArchiveOptions): Promise<ArchiveMoved> {
  return options.dryRun
    ? preview(ports, options)
    : withLease(ports.catalogue, moveLease, options.waitMs, (catalogue) => run({ ...ports, catalogue }, options));
}

async function useOf({ catalogue, from }: MoveArchivePorts): Promise<ArchiveUse | undefined> {
  return (await catalogue.archiveCopies.archiveUse()).find(({ archive }) => archive === from);
}

async function refuse(ports: MoveArchivePorts, { decrypt, signal }: MoveArchiveOptions): Promise<void> {
  await refuseMove({ ...ports, use: await useOf(ports), decrypt });
  await ports.source?.list('')[Symbol.asyncIterator]().next();
  await ports.refuseUnprotected(AbortSignal.any([signal, timeLimit(checkLimitMs)]));
}

async function preview(ports: MoveArchivePorts, options: MoveArchiveOptions): Promise<ArchiveMoved> {
  await refuse(ports, options);
  const { recordings: moved = 0, bytes = 0 } = (await useOf(ports)) ?? {};

  return {
    ...{ from: ports.from, to: ports.target.location, isSamePlace: false },
    ...(await recordingsMoved(ports, { moved, bytes, receiptsMended: [], otherEncryption: [], failed: [] }, false)),
  };
}

/** Before anything else was looked at. */
async function recordingsMoved(ports: MoveArchivePorts, moved: Moved, isOnePlace: boolean): Promise<ArchiveMoved> {
  return {
    ...moved,
    ...{ legalHolds: [], holdsUnknown: [] },
    ...{ from: ports.from, to: ports.target.location, isSamePlace: isOnePlace },
    documents: { moved: 0, left: [] },
    strays: { found: 0, unsettled: 0, unknown: 0 },
    removal: undefined,
    left: await leftIn(ports),
  };
}

async function run(ports: MoveArchivePorts, options: MoveArchiveOptions): Promise<ArchiveMoved> {
  const { source, target } = ports;
  const { signal, removeOld } = options;
  await refuse(ports, options);
  await target.check();
  await target.tryKey(timeLimit(checkLimitMs));
  const isOnePlace = source !== undefined && (await isSamePlace(source, target));
  const moved = await moveRecordings(ports, { ...options, isSamePlace: isOnePlace }, await useOf(ports));
  const result = await recordingsMoved(ports, moved, isOnePlace);
  if (source === undefined) await giveUpCopies(ports);
  if (source === undefined || isOnePlace) return { ...result, left: await leftIn(ports) };
  Object.assign(result, await lookAtCopies(ports, source, signal));
  result.documents = await moveDocuments(source, target, { ...ports, signal });
  result.strays = await findStrays(source, ports, signal);
  if (removeOld) {
    const mayPass = moved.failed.some(({ code }) => !ofSource.has(code));
    result.removal = mayPass ? 'heldBack' : await remove(ports, source, options);
  }

  return { ...result, left: await leftIn(ports) };
}

type Removal = Exclude<ArchiveMoved['removal'], undefined | 'heldBack'>;

async function remove(
  ports: MoveArchivePorts,
  source: NonNullable<MoveArchivePorts['source']>,
  options: MoveArchiveOptions,
): Promise<Removal> {
  const removed = await removeCopies(ports, source, { ...options, total: (await leftIn(ports)).copies });
  const left = await leftIn(ports);
  // While something is there it is an archive, and what proves erasures in it stays beside it.
  const isEmpty = left.recordings + left.copies === 0;

  return {
    ...removed,
    documentsLeft: isEmpty ? await removeDocuments(source, ports.target, ports, options.signal) : 0,
  };
}

async function leftIn(ports: MoveArchivePorts): Promise<ArchiveMoved['left']> {
  const copies: CopiesLeft | undefined = (await ports.catalogue.archiveCopies.left()).find(
    ({ archive }) => archive === ports.from,
  );
  const { recordings = 0 } = (await useOf(ports)) ?? {};

  return { recordings, copies: copies?.copies ?? 0, lockedUntil: copies?.lockedUntil ?? null };
}
