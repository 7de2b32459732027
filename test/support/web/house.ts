import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { hashPassword } from '../../../src/access/password.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { StoreAccount } from '../../../lab/store/storeAccounts.ts';
import { configTree } from '../call/calls.ts';
import { dayMs } from '../catalogue/catalogues.ts';
import { toneWav } from '../policy/promptFolder.ts';
import { allRoles, companyOf, hearers, onApproval, type Scope } from './rights.ts';
import { stageCall, type StagedCall } from './stagedCalls.ts';
import { startWebProcess, type WebProcess } from './webProcess.ts';

/**
 * A house with calls of every kind, for itself and for two companies, and somebody of each role in each scope, before the real
 * `preavis web`: the catalogue on disk, the recordings in a real S3 store.
 */

const scopes: Readonly<Record<string, Scope>> = {
  all: {},
  'their line': { lines: ['sales'] },
  'another line': { lines: ['default'] },
  'their company': { controllers: ['acme'] },
  'another company': { controllers: ['other'] },
  'the house': { controllers: ['own'] },
  'own calls': { extensions: ['101'] },
  'calls of others': { extensions: ['102'] },
  'a purpose': { purposes: ['training'] },
  'another purpose': { purposes: ['agreement'] },
  'a team of a company': { controllers: ['acme'], extensions: ['101'], purposes: ['training'] },
};

const base = { line: 'sales', extension: '101', purposes: [{ name: 'training', over: false }] } as const;
const agreed = { name: 'agreement', over: false } as const;
const kinds: Readonly<Record<string, Omit<StagedCall, 'call' | 'recording' | 'wav'>>> = {
  'in the archive': { ...base, status: 'archived' },
  'in the spool': { ...base, status: 'recorded' },
  'not finished': { ...base, status: 'recording' },
  'going on': { ...base, status: 'running' },
  'not recorded': { ...base, status: 'none' },
  broken: { ...base, status: 'failed' },
  lost: { ...base, status: 'lost' },
  'refused by the caller': { ...base, status: 'discarded' },
  erased: { ...base, status: 'erased' },
  'for an agreement': { ...base, purposes: [agreed], status: 'archived' },
  'for both': { ...base, purposes: [...base.purposes, agreed], status: 'archived' },
  'with an ended purpose': { ...base, purposes: [{ name: 'training', over: true }], status: 'archived' },
  'with an ended purpose beside one in force': {
    ...base,
    purposes: [{ name: 'training', over: true }, agreed],
    status: 'archived',
  },
  'for a purpose that names nobody': { ...base, purposes: [{ name: 'silent', over: false }], status: 'archived' },
  'heard on approval': { ...base, purposes: [{ name: 'careful', over: false }], status: 'archived' },
  'heard on approval, which was given': { ...base, purposes: [{ name: 'careful', over: false }], status: 'archived' },
  'of another line of the company': { ...base, line: 'support', status: 'archived' },
  'of another company': { ...base, line: 'orders', status: 'archived' },
  'of the house': { ...base, line: 'default', status: 'archived' },
  'of another telephone': { ...base, extension: '102', status: 'archived' },
  'of no known telephone': { ...base, extension: null, status: 'archived' },
};
export const approvedKind = 'heard on approval, which was given';
/** What became of a recording has little to do with whose it is: so these are asked for in some scopes only. */
const scopesOfStates = ['all', 'own calls', 'another company', 'a team of a company'];
export type Who = { name: string; role: (typeof allRoles)[number]; scope: Scope; seesStates: boolean };
export const everybody: Who[] = allRoles.flatMap((role) =>
  Object.entries(scopes).map(([scope, only], index) => ({
    name: `${role}-${index}`,
    role,
    scope: only,
    seesStates: scopesOfStates.includes(scope),
  })),
);
export const tokenOf = ({ name }: Who): string => `prv_token-of-${name}`;
export const password = 'right and long enough';
const hashKey = 'k'.repeat(32);
/** Of every call. */
export const callerNumber = '+32475123456';

export type House = {
  web: WebProcess;
  catalogue: Catalogue;
  calls: ReadonlyMap<string, StagedCall>;
  spoolFolder: string;
  stop: () => Promise<void>;
};

/** Under each name: a purpose, and what the configuration says of it. */
type Purposes = Record<string, Record<string, unknown>>;

function purposesOf(tree: { purposes: Purposes }): Purposes {
  const { training = {} } = tree.purposes;

  return Object.fromEntries(
    Object.entries(hearers).map(([name, mayListen]) => [name, { ...(tree.purposes[name] ?? training), mayListen }]),
  );
}

function policyOf(purposes: Purposes): string {
  const stored = Object.entries(purposes).map(([name, { justification, legalBasis, keepDays }]) => [
    name,
    { justification, legalBasis, keepDays },
  ]);

  return JSON.stringify({ purposes: Object.fromEntries(stored) as unknown, controllerOfLine: companyOf });
}

async function accessOf(): Promise<Record<string, unknown>> {
  const passwordHash = await hashPassword(password);

  return {
    approvalFor: onApproval,
    users: Object.fromEntries(everybody.map(({ name, role, scope }) => [name, { role, ...scope, passwordHash }])),
    tokens: {
      expired: { role: 'officer', sha256: sha256Of('prv_expired'), expires: '2020-01-01' },
      ...Object.fromEntries(
        everybody.map((who) => [
          who.name,
          { role: who.role, ...who.scope, sha256: sha256Of(tokenOf(who)), expires: '2099-01-01' },
        ]),
      ),
    },
  };
}

/** Somebody else has approved that each of them hears it. */
async function approveAll(catalogue: Catalogue, staged: StagedCall): Promise<void> {
  const made = makeIds();
  for (const asker of everybody.flatMap(({ name }) => [`user:${name}`, `token:${name}`])) {
    const at = Date.now();
    const asked = {
      id: made.approval(),
      recording: staged.recording,
      purpose: 'careful',
      asker,
      reason: 'to learn from it',
    };
    const { id } = await catalogue.approvals.ask({ ...asked, askedAt: at, openUntil: at + dayMs });
    await catalogue.approvals.decide(id, { by: 'user:somebody', at, verdict: 'approved', endsAt: at + dayMs });
  }
}

/**
 * @param at a folder that is there
 * @param account of an S3 server, with a bucket `recordings`
 */
export async function openHouse(at: string, account: StoreAccount): Promise<House> {
  const file = `${at}/catalogue.db`;
  const spoolFolder = `${at}/spool`;
  const catalogue = openCatalogue(file, systemClock);
  const store = makeMinioStore({ ...account, useTls: false, bucket: 'recordings' });
  const tree = configTree() as { purposes: Purposes; lines: Record<string, object> };
  const purposes = purposesOf(tree);
  await catalogue.calls.savePolicy('policy-1', policyOf(purposes));
  const calls = new Map<string, StagedCall>();
  const caller = makeCallerHash(hashKey, 'BE')(callerNumber) ?? '';
  for (const [name, kind] of Object.entries(kinds)) {
    const staged = await stageCall({ catalogue, store, spoolFolder, caller }, kind, toneWav(200 + calls.size));
    calls.set(name, staged);
    if (name === approvedKind) await approveAll(catalogue, staged);
  }
  const lines = ['default', ...Object.keys(companyOf)].map((line) => {
    const company = companyOf[line];

    return [line, { ...tree.lines['default'], ...(company === undefined ? {} : { controller: company }) }];
  });
  const { endPoint, port, region, accessKey, secretKey } = account;
  const web = await startWebProcess(`${at}/preavis.yaml`, {
    ...tree,
    purposes,
    lines: Object.fromEntries(lines) as unknown,
    controllers: { acme: { name: 'Acme' }, other: { name: 'Other' } },
    processor: { name: 'House' },
    privacy: { hashKey },
    annotation: { rating: { greeting: { label: 'Greeting' } } },
    catalogue: { file },
    ari: { url: 'http://127.0.0.1:1', username: 'nobody', password: 'nothing' },
    recording: { spoolFolder },
    archive: {
      store: 'minio',
      minio: { endPoint, port, region, accessKey, secretKey, useTls: false, bucket: 'recordings' },
    },
    // One address asks more in a minute here than any may: each request says that it comes from one of its own.
    web: { listen: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] },
    access: await accessOf(),
  });

  return {
    web,
    catalogue,
    calls,
    spoolFolder,
    stop: async () => {
      await web.stop();
      catalogue.close();
    },
  };
}

let asked = 0;

/** From an address that nobody else has. */
export function fromElsewhere(): { 'x-forwarded-for': string } {
  asked += 1;

  return {
    'x-forwarded-for': `10.${Math.floor(asked / 65_536) % 256}.${Math.floor(asked / 256) % 256}.${asked % 256}`,
  };
}

export const byToken = (who: Who): Record<string, string> => ({ authorization: `Bearer ${tokenOf(who)}` });
