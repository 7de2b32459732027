import { markCatalogue } from '../../store/catalogueMarker.ts';
import { leftBehind } from '../../services/leftBehind.ts';
import { serveNameOf } from '../../services/serveName.ts';
import { requireOneTime } from '../../catalogue/clockApart.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import { logEmptied, logHeld } from '../../catalogue/sqlite/emptyLog.ts';
import { numberKeyWarning } from '../../catalogue/numberKeys.ts';
import { openSqlite } from '../../catalogue/sqlite/sqlite.ts';
import type { CallWitness } from '../../catalogue/rows.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import { asPreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { hasCatalogue, openConfiguredCatalogue } from '../../services/catalogue.ts';
import { makeServices } from '../../services/services.ts';
import { ledgerOf } from '../../services/signing.ts';
import { addArchives, makeStore } from '../../services/store.ts';
import { requirePlausibleClock } from '../../retention/pass.ts';
import { dueFigures } from '../../retention/promised.ts';
import { lookAtArchive } from './archive.ts';
import type { CommandContext } from '../context.ts';
import { leaveOut, noteLast, type CheckResult, type Look } from './checklist.ts';
import { ledgerFindings, requireSigningKey } from './ledger.ts';
import { trailFindings } from './trail.ts';
import { servingFindings, whoWatches } from './serving.ts';
import { commandLog } from '../withServices.ts';

/** What Asterisk is asked about the catalogue. */
export const asteriskOfPbx = 'asterisk of this pbx';

const markLimitMs = 10_000;
/** For others that work with the write-ahead log of the catalogue, ms. */
const logWaitMs = 2_000;

/**
 * `catalogue`: open, where there is one that works. `newest`: what the second witness last said; `unfinished`: how many recordings are not finished long
 * after their calls.
 */
export type Kept = { catalogue: Catalogue | undefined; newest: CallWitness | undefined; unfinished: number };

/**
 * Catalogue, archive and ledger.
 *
 * @param kept is filled in; whoever has given it closes its catalogue, also where this throws
 */
export async function lookAtWhatIsKept(
  kept: Kept,
  config: Config,
  { clock }: CommandContext,
  list: CheckResult[],
  look: Look,
): Promise<void> {
  const catalogueWorks = await look('catalogue', () => openKept(kept, config, clock));
  if (!catalogueWorks) {
    kept.catalogue?.close();
    kept.catalogue = undefined;
    leaveOut(list, [
      'clocks',
      whoWatches,
      'retention',
      'requests of persons by their number',
      'archive',
      'signing key',
      ...(isNamed(config) ? [asteriskOfPbx] : []),
    ]);
  }
  const known = kept.catalogue;
  const services =
    known &&
    (await addArchives(
      makeServices({ config, catalogue: known, clock, log: await commandLog(config), actor: 'check' }),
    ));
  // Only the catalogue knows whether there must be something in the archive.
  if (catalogueWorks) {
    await look('clocks', () => clockWarning(known));
    if (isNamed(config)) await look('recordings of other PBXs', () => leftWarning(known));
    if (known !== undefined) list.push(...(await servingFindings(known)));
    await look('retention', async () => {
      if (known === undefined) return;
      await requireOneTime(known);
      await requirePlausibleClock(known, clock.now());
    });
    await lookAtErasures(known, clock.now(), list, look);
    await look('requests of persons by their number', () => numberKeyWarning(config, known));
    await lookAtArchive(config, services, list, look);
    if (known === undefined) await look('new catalogue', () => refuseNewBeginning(config));
  }
  list.push(...(await ledgerFindings(services ?? { ledger: ledgerOf(config) })));
  if (services !== undefined) list.push(...(await trailFindings(services)));
  if (catalogueWorks) await look('signing key', () => services && requireSigningKey(services));
}

/** A warning where its log grows. Throws what the catalogue throws. */
async function openKept(kept: Kept, config: Config, clock: Clock): Promise<string | undefined> {
  // One that is not there yet is made by serve, for the user that it runs as.
  if (!(await hasCatalogue(config))) {
    if (config.catalogue.store === 'sqlite') openSqlite(':memory:').close();
    return undefined;
  }
  const catalogue = await openConfiguredCatalogue(config, clock);
  kept.catalogue = catalogue;
  // Reading works where a disk is full.
  await catalogue.passes.note('check', clock.now());
  kept.newest = await newestWitness(catalogue);
  kept.unfinished = await unfinishedLong(catalogue, clock.now());

  return (await logEmptied(catalogue, logWaitMs)) ? undefined : logHeld;
}

/** Whether the PBX is one of several of its catalogue. */
export const isNamed = (config: Config): boolean => serveNameOf(config).pbx !== undefined;

/** A serve that reaches Asterisk has finished a recording by then, ms. */
const finishedWithinMs = 10 * 60_000;

async function unfinishedLong(catalogue: Catalogue, now: number): Promise<number> {
  const rows = await catalogue.recordings.finishable();
  const since = rows.map(({ finishedAt, startedAt, noticeFinishedAt }) => finishedAt ?? startedAt ?? noticeFinishedAt);

  return since.filter((at) => now - at > finishedWithinMs).length;
}

/** What is due and not erased. A lock that is known is no warning: nothing can be done until it is over. */
async function lookAtErasures(
  catalogue: Catalogue | undefined,
  at: number,
  list: CheckResult[],
  look: Look,
): Promise<void> {
  let locked = 0;
  const isReadable = await look('erasures', async () => {
    if (catalogue === undefined) return undefined;
    const figures = await dueFigures(catalogue, at);
    const { failedRequests } = await catalogue.figures.promised(at);
    ({ locked } = figures);
    const codes = Object.entries(figures.codes).map(([code, recordings]) => `${recordings} ${code}`);
    const warnings = [
      ...(figures.overdue === 0
        ? []
        : [`recordings whose time was over, or whose erasure was decided, more than 25 hours ago: ${figures.overdue}`]),
      ...(codes.length === 0 ? [] : [`recordings that are due and could not be erased: ${codes.join(', ')}`]),
      ...(failedRequests === 0
        ? []
        : [`recordings that a person asked for and that could not be erased: ${failedRequests}`]),
    ];

    return warnings.length === 0 ? undefined : `${warnings.join('; ')} (preavis report; preavis retention run)`;
  });
  if (isReadable && locked > 0)
    noteLast(list, `recordings that are due and that only a lock in the archive keeps: ${locked}`);
}

/** Before there is a catalogue: serve would make a new one. What else is wrong with the archive is told of that. */
async function refuseNewBeginning(config: Config): Promise<void> {
  const store = await makeStore(config, undefined);
  await markCatalogue({ catalogue: undefined, store }, { isMeant: false, signal: timeLimit(markLimitMs) }).catch(
    (thrown: unknown) => {
      if (asPreavisError(thrown).code === 'catalogue_new') throw thrown;
    },
  );
}

/** What no Préavis looks for. */
async function leftWarning(catalogue: Catalogue | undefined): Promise<string | undefined> {
  const left = catalogue === undefined ? [] : await leftBehind(catalogue);
  if (left.length === 0) return undefined;
  const each = left.map(({ pbx, recordings }) => `${pbx}: ${recordings}`).join(', ');

  return `not archived yet, of PBXs that nobody has served for an hour: ${each}. Start a Préavis with that ari.pbx and that recording folder (docs/pbx/several.md)`;
}

/** What somebody is asked to settle. */
async function clockWarning(catalogue: Catalogue | undefined): Promise<string | undefined> {
  const open = (await catalogue?.clockDoubts.count()) ?? 0;

  return open === 0
    ? undefined
    : `recordings whose clocks disagree by more than ten minutes, and which are kept: ${open} (preavis recordings doubts)`;
}

/** How many calls are looked at for one that the witness was asked about. */
const newestCalls = 20;

async function newestWitness(catalogue: Catalogue): Promise<CallWitness | undefined> {
  const said = (await catalogue.calls.list(newestCalls)).map(({ witness }) => witness);

  return said.find((status) => status !== null && status !== 'unavailable') ?? undefined;
}
