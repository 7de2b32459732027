import { errnoOf, PreavisError } from '../../core/errors.ts';

/** What PostgreSQL and the connection to it say, as errors of the catalogue. Nothing of a statement's values is in their texts. */

/** Of SQLSTATE, by its first letters. The first that fits counts. */
const kinds: readonly (readonly [prefix: string, what: string, hint?: string])[] = [
  [
    'XX00',
    'the database of the catalogue is damaged',
    'Stop Préavis, keep the database, and restore the last backup (docs/operations/backup.md).',
  ],
  [
    '28',
    'PostgreSQL refuses the user or the password of the catalogue',
    'Compare catalogue.postgres.user and the password with pg_hba.conf and the role (docs/operations/postgresql.md).',
  ],
  [
    '3D000',
    'the database of the catalogue does not exist',
    'Make it (docs/operations/postgresql.md), or correct catalogue.postgres.database.',
  ],
  ['42501', 'PostgreSQL does not let the user of the catalogue do that', 'Make this user the owner of the database.'],
  [
    '53300',
    'PostgreSQL has no connection left',
    'Raise max_connections of PostgreSQL, or the limit of the role or the database (docs/operations/postgresql.md).',
  ],
  ['53', 'PostgreSQL has no room left', 'Look at the disk and the memory of the machine that PostgreSQL runs on.'],
  ['25006', 'the database of the catalogue takes no changes: it is a standby'],
  ['57P', 'PostgreSQL is ending, or has only begun'],
  ['57014', 'PostgreSQL did not answer in time'],
  ['55P03', 'the catalogue was held by others for too long'],
  ['25P03', 'this process stood still in a transaction, which PostgreSQL has ended'],
  ['08', 'the connection to PostgreSQL was lost'],
];

/** Codes of Node, as EPIPE, begin with an E, and no SQLSTATE does. */
const sqlState = /^(?!E)[0-9A-Z]{5}$/;

/** As PostgreSQL says it; undefined where the connection itself failed. */
function sqlStateOf(cause: unknown): string | undefined {
  const code = errnoOf(cause);

  return code !== undefined && sqlState.test(code) ? code : undefined;
}

/**
 * Nothing was changed: the same step may succeed when it is done again. Serialization, deadlock, a lock that did not come, and a transaction that was ended
 * while it waited for its process.
 */
function mayBeDoneAgain(cause: unknown): boolean {
  return ['40001', '40P01', '55P03', '25P03'].includes(sqlStateOf(cause) ?? '');
}

/** The connection can be used no more: it is closed, ends, or does not answer. */
function isConnectionLost(cause: unknown): boolean {
  const state = sqlStateOf(cause);

  return state === undefined || /^(08|57P|25P03)/.test(state);
}

/** The texts of PostgreSQL have values of statements in them, which may be of persons. */
class SqlState extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`PostgreSQL refused it: SQLSTATE ${code}`);
    this.name = 'SqlState';
    this.code = code;
  }
}

/** Of Node's TLS and of OpenSSL, where a certificate is not trusted. */
const certificateFault = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER))/;

function unreached(cause: unknown): PreavisError {
  const why = errnoOf(cause);
  if (why !== undefined && certificateFault.test(why)) {
    return new PreavisError('catalogue_unusable', `the certificate of PostgreSQL is not trusted (${why})`, {
      cause,
      hint: 'Name in catalogue.postgres.caFile the certificate of who has signed it, and in host the name that stands in it.',
    });
  }

  return new PreavisError(
    'catalogue_unusable',
    `PostgreSQL cannot be reached, or does not answer${why === undefined ? '' : ` (${why})`}`,
    {
      cause,
      hint: 'See whether PostgreSQL runs, listens at catalogue.postgres.host and port, and speaks TLS where useTls says so.',
    },
  );
}

function asCatalogueError(cause: unknown): PreavisError {
  const state = sqlStateOf(cause);
  if (state === undefined) return unreached(cause);
  const [, what, hint] = kinds.find(([prefix]) => state.startsWith(prefix)) ?? ['', 'the catalogue refused a step'];

  return new PreavisError('catalogue_unusable', `${what} (${state})`, {
    cause: new SqlState(state),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What was thrown by the database, as opposed to the step itself: whether it may be done again is known of this alone. */
export class Refused extends Error {
  readonly again: boolean;
  readonly lost: boolean;

  constructor(cause: unknown) {
    super('PostgreSQL has refused', { cause: asCatalogueError(cause) });
    this.again = mayBeDoneAgain(cause);
    this.lost = isConnectionLost(cause);
  }
}

/** The connection is spoilt by what was thrown. */
export const isLost = (thrown: unknown): boolean => thrown instanceof Refused && thrown.lost;

export async function orRefused<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (cause) {
    throw cause instanceof Refused ? cause : new Refused(cause);
  }
}
