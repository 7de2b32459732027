import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import {
  approvedKind,
  byToken,
  everybody,
  fromElsewhere,
  openHouse,
  password,
  tokenOf,
  type House,
  type Who,
} from '../../support/web/house.ts';
import { addressOf, allRoles, expected, routeOf, rows, sees } from '../../support/web/rights.ts';
import type { StagedCall } from '../../support/web/stagedCalls.ts';
import type { Answered, Asking } from '../../support/web/webProcess.ts';

/**
 * Every route times every role times every scope times every kind of call, asked of the real `preavis web` with a catalogue on disk and a
 * real S3 store, by tokens and by sessions. What is expected is in test/support/web/rights.ts.
 */

const folder = temporaryFolder();
const s3 = useS3Server({ recordings: {} });

/** Kinds that a scope tells apart; the others are what became of a recording. */
const isOfScope = (kind: string): boolean =>
  kind.startsWith('of ') || ['in the archive', 'not recorded', 'for an agreement', 'for both'].includes(kind);

let stage: House;

beforeAll(async () => {
  stage = await openHouse(folder.path(), s3.server);
});

afterAll(async () => {
  await stage.stop();
});

type Credential = Record<string, string>;
const aUser = everybody.find(({ name }) => name === 'officer-0') ?? raise('no officer');

function raise(message: string): never {
  throw new Error(message);
}

async function bySession({ name }: Who): Promise<Credential> {
  const answer = await stage.web.ask('/session', {
    method: 'POST',
    headers: { ...fromElsewhere(), 'x-preavis-request': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ user: name, password }),
  });
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];

  return { cookie: cookie.split(';')[0] ?? '', 'x-preavis-request': '1' };
}

function requestOf(row: string, staged: StagedCall, credential: Credential): [string, Asking] {
  const { method } = routeOf(row);
  const body = rows[row]?.body?.(staged);
  const ofPage = method === 'GET' ? {} : { 'x-preavis-request': '1' };

  return [
    addressOf(row, staged),
    {
      method,
      headers: {
        ...fromElsewhere(),
        ...ofPage,
        ...credential,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
  ];
}

const inWords = ({ status, code }: Answered): string => (code === '' ? `${status}` : `${status} ${code}`);

async function answerTo(row: string, staged: StagedCall, credential: Credential): Promise<string> {
  return inWords(await stage.web.ask(...requestOf(row, staged, credential)));
}

/** Rows that tell of one call are asked of each, where the role may ask at all; of the others one will do. */
function* cellsOf(row: string, { role }: Who, isAsked: (kind: string) => boolean): Generator<[string, StagedCall]> {
  const { of, roles } = rows[row] ?? {};
  const isOfOne = roles?.includes(role) === true && (of === 'call' || of === 'recording');
  for (const [kind, staged] of stage.calls) {
    if (!isAsked(kind)) continue;
    yield [kind, staged];
    if (!isOfOne) return;
  }
}

const isLast = (row: string): number => Number(rows[row]?.isLast === true);
const inOrder = Object.keys(rows).toSorted((one, other) => isLast(one) - isLast(other));

/** What differs from the table, empty where nothing does. */
async function differences(who: Who, credential: Credential, isAsked: (kind: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const row of inOrder) {
    for (const [kind, staged] of cellsOf(row, who, isAsked)) {
      const wanted = expected(row, { ...who, isProgram: 'authorization' in credential }, staged, kind === approvedKind);
      if (rows[row]?.isRefusedOnly === true && wanted === rows[row].done(staged)) continue;
      const answer = await answerTo(row, staged, credential);
      if (answer !== wanted)
        found.push(`${row} of a call ${kind} by ${who.role} ${JSON.stringify(who.scope)}: ${answer} and not ${wanted}`);
    }
  }

  return found;
}

/** Two at a time: there are two processors at least. */
async function eachOf<T>(all: readonly T[], work: (one: T) => Promise<string[]>): Promise<string[]> {
  const left = [...all];
  const found: string[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) found.push(...(await work(next)));
  };
  await Promise.all([worker(), worker()]);

  return found;
}

test('every route of the server has its row in the table', async () => {
  const { body } = await stage.web.ask('/openapi.json');
  const { paths } = JSON.parse(body.toString()) as { paths: Record<string, Record<string, unknown>> };
  const served = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const known = new Set(Object.keys(rows).map((row) => Object.values(routeOf(row)).join(' ')));
  const without = served.filter((route) => !known.has(route));
  if (without.length > 0) {
    throw new Error(
      `${without.join(', ')}: a route needs a row in test/support/web/rights.ts, which says who may ask for it`,
    );
  }
  expect([...known].filter((route) => !served.includes(route))).toEqual([]);
});

test.each(allRoles)(
  'a program of the role %s is answered by each route as the table says, whatever its scope and the call',
  async (role) => {
    const all = everybody.filter((who) => who.role === role);
    const found = await eachOf(all, (who) =>
      differences(who, byToken(who), (kind) => who.seesStates || isOfScope(kind)),
    );
    expect(found).toEqual([]);
  },
);

test('who has signed in is answered like a program of the same role and scope', async () => {
  // Which calls somebody sees is decided by who they are, however they came in.
  const some = ['in the archive', 'of another company', 'of another telephone'];
  const found = await eachOf(everybody, async (who) =>
    differences(who, await bySession(who), (kind) => some.includes(kind)),
  );
  expect(found).toEqual([]);
});

test.each(['GET /calls', 'GET /recordings', 'GET /live', 'POST /calls/search'])(
  '%s lists to each role in each scope what they see, and nothing else',
  async (row) => {
    const { roles = [] } = rows[row] ?? {};
    const listers = everybody.filter(({ role }) => roles.includes(role));
    const { path, method } = routeOf(row);
    const [any = raise('no calls')] = stage.calls.values();
    const found = await eachOf(listers, async (who) => {
      const [, how] = requestOf(row, any, byToken(who));
      const { body } = await stage.web.ask(method === 'GET' && path !== '/live' ? `${path}?limit=200` : path, how);
      const page = JSON.parse(body.toString()) as Record<'calls' | 'recordings', { id: string }[] | undefined>;
      const listed = (page.calls ?? page.recordings ?? []).map(({ id }) => id);
      const isListed = ({ status }: StagedCall): boolean => {
        if (row === 'GET /live') return status === 'running';
        // Who called is not known any more once nothing is kept of the sound.
        if (row === 'POST /calls/search') return status !== 'erased' && status !== 'discarded';
        return row === 'GET /calls' || status !== 'none';
      };
      const wanted = [...stage.calls.values()]
        .filter((staged) => isListed(staged) && sees(who.role, who.scope, staged))
        .map(({ call, recording }) => (row === 'GET /recordings' ? recording : call));
      const [one, other] = [listed, wanted].map((ids) => JSON.stringify(ids.toSorted()));

      return one === other ? [] : [`${who.role} ${JSON.stringify(who.scope)}: ${one} and not ${other}`];
    });
    expect(found).toEqual([]);
  },
);

/** What somebody sends who is not let in, or not any more. */
async function strangers(): Promise<Record<string, Credential>> {
  const { catalogue } = stage;
  const now = Date.now();
  const session = { user: 'officer-0', credential: 'another', beganAt: now, endsAt: now + 3_600_000 };
  const known = await bySession(aUser);
  const { cookie = '' } = known;
  const row = await catalogue.sessions.find(sha256Of(cookie.slice(cookie.indexOf('=') + 1)));
  const credential = row?.credential ?? '';
  const begin = async (name: string, changed: Partial<typeof session>): Promise<Credential> => {
    await catalogue.sessions.begin({ ...session, credential, ...changed, sha256: sha256Of(name) });

    return { cookie: `preavis=${name}` };
  };
  const left = await bySession(aUser);
  await stage.web.ask('/session', { method: 'DELETE', headers: { ...fromElsewhere(), ...left } });

  return {
    nobody: {},
    'a session that was made up': { cookie: `preavis=${'A'.repeat(43)}` },
    'a session whose hours are over': await begin('over', { beganAt: now - 7_200_000, endsAt: now - 1 }),
    'a session that nobody has used for long': await begin('idle', { beganAt: now - 31 * 60_000 }),
    'a session from before another password': await begin('credential', { credential: 'another' }),
    'a session of a user whom the configuration has no more': await begin('gone', { user: 'nobody' }),
    'a session that was signed out': left,
    'the SHA-256 of a session, as the catalogue has it': { cookie: `preavis=${row?.sha256 ?? ''}` },
    'a cookie of another name': { cookie: cookie.replace('preavis=', '__Host-preavis=') },
    'a token that was made up': { authorization: 'Bearer prv_none' },
    'a token that has expired': { authorization: 'Bearer prv_expired' },
    'a session as a token': { authorization: `Bearer ${cookie.slice(cookie.indexOf('=') + 1)}` },
    'a token as a session': { cookie: `preavis=${tokenOf(aUser)}` },
    'a token that was made up, beside a session': { ...known, authorization: 'Bearer prv_none' },
    'a password': { authorization: `Basic ${Buffer.from(`officer-0:${password}`).toString('base64')}` },
  };
}

test('nobody is let in without a session or a token that counts now, by any route', async () => {
  const [staged = raise('no calls')] = stage.calls.values();
  const found: string[] = [];
  for (const [name, credential] of Object.entries(await strangers())) {
    for (const row of inOrder) {
      const answer = await answerTo(row, staged, credential);
      const isPublic = / .session[/].|^POST .session$|openapi/.test(row);
      const wanted = isPublic ? rows[row]?.done(staged) : '401 sign_in_needed';
      if (answer !== wanted) found.push(`${row} by ${name}: ${answer} and not ${wanted ?? ''}`);
    }
  }
  expect(found).toEqual([]);
});

test('whoever ends their session ends no other one, and has the rights of the one that they use', async () => {
  const [one, other] = [await bySession(aUser), await bySession(aUser)];
  const coach = everybody.find(({ role }) => role === 'coach') ?? raise('no coach');
  const theirs = await bySession(coach);
  const me = async (credential: Credential): Promise<string> => {
    const { body } = await stage.web.ask('/me', { headers: { ...fromElsewhere(), ...credential } });

    return (JSON.parse(body.toString()) as { name?: string; code?: string }).name ?? '';
  };
  await stage.web.ask('/session', { method: 'DELETE', headers: { ...fromElsewhere(), ...one } });
  expect([await me(one), await me(other), await me(theirs)]).toEqual(['', 'user:officer-0', 'user:coach-0']);
});
