import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openCatalogue, openPostgresCatalogue, type Catalogue, type CatalogueOptions } from '../catalogue/catalogue.ts';
import type { Figures } from '../catalogue/figures.ts';
import { readFiguresAside, type FiguresOrder } from '../catalogue/figuresThread.ts';
import { isCatalogueBegun, unmovedCatalogue } from '../catalogue/open.ts';
import { identityInPostgres, type PostgresCatalogue } from '../catalogue/postgres/open.ts';
import { speaksTls } from '../config/catalogueSchema.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { serveNameOf } from './serveName.ts';
import { webhookSubscribers } from './webhooks.ts';

/** The catalogue of a configuration, and what lies beside it. */

type Located = { catalogue: Pick<Config['catalogue'], 'file' | 'folder'> };

/** The place of what is kept apart from the catalogue, whatever has that. */
export function besideCatalogue({ catalogue }: Located, name: string): string {
  return join(catalogue.folder ?? dirname(catalogue.file), name);
}

/** In words, and without a secret. */
export function catalogueInWords({ store, file, postgres }: Config['catalogue']): string {
  return store === 'sqlite' ? file : `in the database ${postgres.database} of ${postgres.host}`;
}

async function readAuthority(file: string): Promise<string> {
  const wrong = (why: string, cause: unknown): PreavisError =>
    new PreavisError('config_invalid', `catalogue.postgres.caFile: ${why}`, { cause });
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw wrong(`the file cannot be read (${errnoOf(cause) ?? 'error'})`, cause);
  });
  if (!hasCertificate(text)) throw wrong('the file has no certificate in the form PEM', undefined);

  return text;
}

/** Node's TLS takes any text, and trusts nobody then. */
function hasCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

/**
 * Where the database is, and whose catalogue must be in it.
 *
 * @throws PreavisError `config_invalid`
 */
export async function postgresOf({ installation, postgres }: Config['catalogue']): Promise<PostgresCatalogue> {
  const { host, port, database, user, password, caFile } = postgres;
  const ca = caFile === undefined ? undefined : await readAuthority(caFile);
  const tls = speaksTls(postgres) ? { ca } : undefined;

  return { host, port, database, user, password, tls, ...(installation === undefined ? {} : { installation }) };
}

/**
 * What a caller waits for, ms: a step with all its statements, within it a connection, and what others hold. PostgreSQL ends a
 * statement of it, too: else what was given up would keep others waiting. It is far above what a database under load
 * takes, and below the eight seconds after which the dialplan goes on by itself (call/session/patience.ts), also where a caller waits for two steps.
 */
const inCalls = { connectTimeoutMs: 2_000, stepTimeoutMs: 3_000, statementTimeoutMs: 3_000, lockTimeoutMs: 2_000 };

type OpeningOptions = Omit<CatalogueOptions, 'webhooks'> & {
  /** How long a statement may take in PostgreSQL, ms; default: ten seconds. SQLite has no such limit. */
  statementTimeoutMs?: number;
};

/**
 * Opens the catalogue of a configuration, making or migrating it as needed. A database that does not answer is not waited for: what runs
 * as a service is started again by its service manager.
 *
 * @throws PreavisError `catalogue_unusable`, `catalogue_foreign`, `catalogue_newer`, `catalogue_moved`, `catalogue_moving`, `catalogue_unmoved`,
 *   `config_invalid`
 */
export async function openConfiguredCatalogue(
  config: Config,
  clock: Clock,
  { statementTimeoutMs, ...options }: OpeningOptions = {},
): Promise<Catalogue> {
  const all = { ...options, here: serveNameOf(config), webhooks: webhookSubscribers(config) };
  const limit = statementTimeoutMs === undefined ? {} : { statementTimeoutMs };
  const { store, file } = config.catalogue;
  if (store === 'sqlite') return openCatalogue(file, clock, all);
  const place = await postgresOf(config.catalogue);
  if (options.mustExist !== true) await refuseUnmoved(file, place);

  return openPostgresCatalogue({ ...place, ...limit }, clock, all);
}

/**
 * Where a service is started between the change of its configuration and the move, another catalogue would stand in the place of the one that is
 * to be moved: an empty one, or the one of another PBX. What only the file knows of would never be erased.
 */
async function refuseUnmoved(file: string, place: PostgresCatalogue): Promise<void> {
  const here = unmovedCatalogue(file);
  if (here === undefined) return;
  const there = await identityInPostgres(place);
  // A copy of the one that was moved, which was put back, is not asked.
  if (there !== undefined && there === here.identity) return;
  throw new PreavisError(
    'catalogue_unmoved',
    there === undefined
      ? `the database is empty, and the catalogue ${file} was not moved there`
      : `the database has another catalogue, and the catalogue ${file} was not moved there`,
    there === undefined
      ? {}
      : {
          hint:
            'Two catalogues are not made one. Name another catalogue.file, where nothing is, and let retention go on with the old one until ' +
            'it has nothing left (docs/operations/postgresql.md, "A PBX that had a catalogue of its own").',
        },
  );
}

/**
 * The same catalogue for what callers wait for, which has connections of its own: passes cannot take them, and a database that does not answer is
 * given up sooner. Of SQLite the one that is given, which `close` leaves open. Throws as {@link openConfiguredCatalogue}.
 */
export async function openForCalls(
  config: Config,
  clock: Clock,
  catalogue: Catalogue,
  options: Omit<CatalogueOptions, 'webhooks'>,
): Promise<Catalogue> {
  if (config.catalogue.store === 'sqlite') return { ...catalogue, close: () => undefined };
  const all = { ...options, here: serveNameOf(config), mustExist: true, webhooks: webhookSubscribers(config) };

  return openPostgresCatalogue({ ...(await postgresOf(config.catalogue)), ...inCalls }, clock, all);
}

/** Whether there is a catalogue; if not, opening it makes a new one. Throws as {@link openConfiguredCatalogue}. */
export async function hasCatalogue({ catalogue }: Pick<Config, 'catalogue'>): Promise<boolean> {
  const { store, file } = catalogue;
  if (store === 'sqlite') return isCatalogueBegun(file);
  const place = await postgresOf(catalogue);
  await refuseUnmoved(file, place);

  return (await identityInPostgres(place)) !== undefined;
}

/** As long as a request for a report may take, ms. */
const countingMs = 120_000;

/**
 * `figures.read` beside what others ask for: SQLite counts in a thread, and PostgreSQL by a connection of its own. Once the signal fires it
 * is not waited for any more; PostgreSQL ends it by its time limit.
 *
 * @throws what opening a catalogue throws, and what the signal says
 */
export async function countAside(
  { config, clock }: { config: Pick<Config, 'catalogue'>; clock: Clock },
  order: Omit<FiguresOrder, 'file'>,
  signal: AbortSignal,
): Promise<Figures> {
  const { store, file } = config.catalogue;
  if (store === 'sqlite') return readFiguresAside({ ...order, file }, signal);
  const address = { ...(await postgresOf(config.catalogue)), connections: 1, statementTimeoutMs: countingMs };
  signal.throwIfAborted();
  const catalogue = await openPostgresCatalogue(address, clock, { mustExist: true });
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new PreavisError('internal', 'counting was stopped', { cause: signal.reason }));
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    // While it was opened nobody listened to the signal.
    signal.throwIfAborted();
    const figures = catalogue.figures.read(order.times, order.erasureFailed, order.controller);

    return await Promise.race([figures, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
    catalogue.close();
  }
}
