import type { Clock } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import { makeApprovals } from './access/approvals.ts';
import { makeAnnotations } from './annotation/annotations.ts';
import { makeRequireAnnotatable } from './annotation/changing.ts';
import { makeCollections } from './annotation/collections.ts';
import { makeComments } from './annotation/comments.ts';
import { makeSessions } from './access/sessions.ts';
import { makeSignIns } from './access/signIns.ts';
import { badRow, byPostgres, bySqlite, type Asynchronous, type CarryOut } from './asynchronous.ts';
import { makeCallers } from './calls/callers.ts';
import { makeCalls } from './calls/calls.ts';
import { makeDialled } from './calls/dialled.ts';
import { makeExtensions } from './calls/extensions.ts';
import { makeEndedUnwatched } from './calls/endedUnwatched.ts';
import { makeListings } from './calls/listings.ts';
import { makePreferences } from './calls/preferences.ts';
import { makeRecordings } from './calls/recordings.ts';
import { makeTraces } from './calls/traces.ts';
import { makeSearch } from './calls/search.ts';
import { makeTimeline } from './calls/timeline.ts';
import { makeUnfinishedElsewhere } from './calls/unfinishedElsewhere.ts';
import { makeWitness } from './calls/witness.ts';
import { makeFigures } from './figures.ts';
import { onlyHere, type Here } from './here.ts';
import { makeIdentity } from './identity.ts';
import { makeArchiveCopies } from './jobs/archiveCopies.ts';
import { makeArchiveKeys } from './jobs/archiveKeys.ts';
import { makeDeliveries, type Subscriber } from './jobs/deliveries.ts';
import { makeLeases } from './jobs/leases.ts';
import { makePasses } from './jobs/passes.ts';
import { repository } from './jobs/turns.ts';
import { noLedgerLock, type LedgerLock } from './ledgerLock.ts';
import { makePlots } from './plots.ts';
import { openDatabase } from './open.ts';
import { makeLedgerLock } from './postgres/ledgerLock.ts';
import { openPostgres, type PostgresCatalogue } from './postgres/open.ts';
import { makePostgresRunner } from './postgres/runner.ts';
import { makeAskedErasures } from './retention/askedErasures.ts';
import { makeAuditTrail } from './retention/auditTrail.ts';
import { makeCertificates } from './retention/certificates.ts';
import { makeChainHeads } from './retention/chainHeads.ts';
import { makeClockDoubts } from './retention/clockDoubts.ts';
import { makeDecisions } from './retention/decisions.ts';
import { makeLegalHolds } from './retention/legalHolds.ts';
import { makePromises } from './retention/promises.ts';
import { makeSqliteRunner } from './sqlite/runner.ts';
import type { Database } from './sqlite/sqlite.ts';
import { makeTrailSearch } from './retention/trailSearch.ts';
import { makeStorageLimits } from './storageLimits.ts';
import { makeWriteAheadLog } from './sqlite/writeAheadLog.ts';

type Made = ReturnType<typeof makeSqliteRepositories>;
type Repositories = { readonly [Name in keyof Made]: Asynchronous<Made[Name]> };

/**
 * What is known of calls and recordings, in one repository for each subject; the files of this folder have their methods, each with its
 * SQL. Asynchronous although SQLite is not, so that another database can stand behind it. Every method throws catalogue_unusable when the
 * database fails, row_unreadable for a damaged row; `recordings.move` also status_conflict.
 */
export type Catalogue = Repositories & { ledgerLock: LedgerLock; close: () => void };

type Choice = { readonly [Name in keyof Repositories]?: keyof Repositories[Name] };

/** Some methods of some repositories, for what needs no more: `CataloguePart<{ recordings: 'find' | 'move'; calls: 'find' }>`. */
export type CataloguePart<Chosen extends Choice> = {
  readonly [Name in keyof Chosen & keyof Repositories]: Pick<
    Repositories[Name],
    Extract<Chosen[Name], keyof Repositories[Name]>
  >;
};

/** For `catch`, in a pass over many rows: one that cannot be read is told by openCatalogue and left aside. */
export function undefinedIfUnreadable(thrown: unknown): undefined {
  if (thrown instanceof PreavisError && thrown.code === 'row_unreadable') return undefined;
  throw thrown;
}

export type CatalogueOptions = {
  mustExist?: boolean;
  /** Told of each row that a pass leaves aside, since it does not have its form; once for each. */
  unreadable?: (recording: string, error: PreavisError) => void;
  /** For which serve the process acts: what is local to a PBX is seen to by its own alone. By default for the only one, without a name. */
  here?: Here;
  /** Who is told of what becomes of recordings: each process that moves one must say it. Nobody by default. */
  webhooks?: readonly Subscriber[];
};

/** Opens the SQLite catalogue; see openDatabase for what it throws. */
export function openCatalogue(
  file: string,
  clock: Clock,
  { unreadable, webhooks = [], here = onlyHere, ...options }: CatalogueOptions = {},
): Catalogue {
  const database = openDatabase(file, options);
  const made = makeSqliteRepositories(database, clock, here, webhooks, tellingOnce(unreadable));

  return {
    ...carriedOut(made, bySqlite(makeSqliteRunner(database))),
    ledgerLock: noLedgerLock,
    close: () => {
      database.close();
    },
  };
}

/**
 * Opens the catalogue in PostgreSQL; see openPostgres for what it throws. What is under way when it is closed comes to its end, and `close` does not
 * wait for it. `stepTimeoutMs`: see makePostgresRunner.
 */
export async function openPostgresCatalogue(
  { stepTimeoutMs, ...address }: PostgresCatalogue & { stepTimeoutMs?: number },
  clock: Clock,
  { unreadable, webhooks = [], here = onlyHere, ...options }: CatalogueOptions = {},
): Promise<Catalogue> {
  const pool = await openPostgres({ ...address, ...options });
  // No file of ours has what was erased.
  const file = { ...makeIdentity(), emptyLog: (): 'empty' => 'empty' };
  const made = { ...makeRepositories(clock, here, webhooks, tellingOnce(unreadable)), file };
  let closing: Promise<void> | undefined;

  return {
    ...carriedOut(made, byPostgres(makePostgresRunner(pool, stepTimeoutMs))),
    ledgerLock: makeLedgerLock(pool),
    close: () => {
      // As with a file, whoever closes it again finds it closed.
      closing ??= pool.end();
    },
  };
}

function carriedOut(made: ReturnType<typeof makeSqliteRepositories>, carryOut: CarryOut): Repositories {
  const wrapped = Object.entries(made).map(([name, steps]) => [name, repository(steps, carryOut)] as const);

  return Object.fromEntries(wrapped) as Repositories;
}

type LeftAside = (id: string, cause: unknown) => void;

/** Tells each row once. */
function tellingOnce(unreadable: CatalogueOptions['unreadable']): LeftAside {
  const alreadyTold = new Set<string>();

  return (id, cause) => {
    if (alreadyTold.has(id)) return;
    alreadyTold.add(id);
    unreadable?.(id, badRow(cause));
  };
}

/** With what only a file has. */
function makeSqliteRepositories(database: Database, ...given: Parameters<typeof makeRepositories>) {
  return { ...makeRepositories(...given), file: { ...makeIdentity(), ...makeWriteAheadLog(database) } };
}

/**
 * All that can be asked of the catalogue. What some steps share within their transaction (`appendStep`, the `append` of
 * deliveries, `releaseAllOf`) is handed from one to the other here, and is in no repository.
 */
function makeRepositories(clock: Clock, here: Here, webhooks: readonly Subscriber[], leftAside: LeftAside) {
  const now = (): number => clock.now();
  const { appendStep, ...auditTrail } = makeAuditTrail(now);
  const trail = { ...auditTrail, appendStep };
  const { append: appendDelivery, ...deliveries } = makeDeliveries(now, webhooks);
  const messages = { append: appendDelivery };
  const clockDoubts = makeClockDoubts(trail, now);
  const { releaseAllOf, ...legalHolds } = makeLegalHolds(trail, messages, now);
  const recordings = makeRecordings(here, trail, messages, leftAside, clockDoubts.raise);
  const { save, open, openOfOthers, openAnywhere, openApplications, adoptOpen, endUnreadable, ...calls } = makeCalls(
    here,
    trail,
  );
  const decisions = makeDecisions(recordings.shorten);
  const requireAnnotatable = makeRequireAnnotatable(trail);
  const { addToTimeline, ...timeline } = makeTimeline(here);

  return {
    journal: { save, open, openOfOthers, openAnywhere, openApplications, adoptOpen, endUnreadable, addToTimeline },
    calls: { ...calls, ...makeWitness(here, trail) },
    timeline,
    search: makeSearch(),
    listings: makeListings(),
    recordings: { ...recordings, ...makeEndedUnwatched(here, trail), ...makeUnfinishedElsewhere(here) },
    archiveCopies: { ...makeArchiveCopies(trail), ...makeArchiveKeys() },
    auditTrail: { ...auditTrail, ...makeTrailSearch() },
    legalHolds,
    clockDoubts,
    certificates: makeCertificates(trail, recordings.move, releaseAllOf),
    askedErasures: makeAskedErasures(here, trail, decisions.carryOut, leftAside),
    decisions,
    chainHeads: makeChainHeads(),
    preferences: makePreferences(now),
    callers: makeCallers(),
    traces: makeTraces(),
    extensions: makeExtensions(),
    dialled: makeDialled(),
    leases: makeLeases(clock),
    passes: makePasses(here),
    deliveries,
    sessions: makeSessions(),
    signIns: makeSignIns(),
    approvals: makeApprovals(trail, requireAnnotatable),
    annotations: makeAnnotations(trail, requireAnnotatable),
    comments: makeComments(trail, requireAnnotatable),
    collections: makeCollections(trail, requireAnnotatable),
    figures: {
      ...makeFigures(),
      ...makePlots(),
      ...makePromises(),
      ...makeStorageLimits(),
    },
  };
}
