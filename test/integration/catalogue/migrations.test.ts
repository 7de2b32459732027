import { createHash } from 'node:crypto';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { migrations } from '../../../src/catalogue/migrations.ts';
import { bareHash, makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { prepareSearch } from '../../../src/catalogue/numberKeys.ts';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import type { CallId } from '../../../src/core/ids.ts';
import { receiptOfCall, receiptSchema } from '../../../src/receipt/receipt.ts';
import {
  callEnd,
  dayMs,
  idOf,
  insertPolicy,
  insertRecording,
  oldCatalogue,
} from '../../support/catalogue/catalogueRows.ts';
import { catalogues, clockAt } from '../../support/catalogue/catalogues.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

/** A catalogue that an earlier release has left, with a recording and a call that was abandoned. */
function left(schema: number): string {
  const file = folder.path(`${(files += 1)}.db`);
  const old = oldCatalogue(file, schema);
  insertPolicy(old, 'one', { training: 28, agreement: 395 });
  insertRecording(old, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
  old
    .prepare(
      `INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, phase, result)
       VALUES (?, ?, ?, 'one', '22.5.2', 'node', 'default', 'ended', 'abandoned')`,
    )
    .run(idOf(2), callEnd, callEnd + 5);
  old
    .prepare(
      `INSERT INTO notices (call_id, position, prompt, language, text, sha256, length_ms, started_at, finished_at, verdict)
       VALUES (?, 0, 'notice', 'fr', 'texte', ?, 1000, ?, ?, 'verified')`,
    )
    .run(idOf(1), 'a'.repeat(64), callEnd - 42_000, callEnd - 41_000);
  old.close();

  return file;
}

test('the purposes of what was decided to be erased by an earlier release are over, and nothing else is', async () => {
  const file = left(41);
  const [ends, askedAt] = [callEnd + 395 * dayMs, callEnd + dayMs];
  const database = openSqlite(file);
  insertRecording(database, { number: 3, status: 'archived', keepUntil: ends });
  const end = database.prepare(`INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (?, ?, ?)`);
  for (const number of [1, 3]) end.run(idOf(number), 'agreement', ends);
  end.run(idOf(1), 'training', callEnd);
  database
    .prepare(`INSERT INTO asked_erasures VALUES (?, '{"rule":"subject","operator":"dpo"}', ?)`)
    .run(idOf(1), askedAt);
  database.close();
  const { recordings } = open(file, clockAt(callEnd));
  expect(await recordings.purposeEnds(idOf(1))).toEqual([
    { purpose: 'training', keepUntil: callEnd },
    { purpose: 'agreement', keepUntil: askedAt },
  ]);
  expect(await recordings.find(idOf(1))).toMatchObject({ keepUntil: askedAt });
  expect(await recordings.purposeEnds(idOf(3))).toEqual([{ purpose: 'agreement', keepUntil: ends }]);
  expect(await recordings.find(idOf(3))).toMatchObject({ keepUntil: ends });
});

test('what is kept of a caller under a hash that names no key is found by their number under the key of then', async () => {
  const file = left(41);
  const hash = makeCallerHash('k'.repeat(32), 'BE')('+3225550123') ?? '';
  const database = openSqlite(file);
  const insert = database.prepare(`INSERT INTO callers (call_id, hash) VALUES (?, ?)`);
  insert.run(idOf(1), bareHash(hash));
  insert.run(idOf(2), 'ab'.repeat(32));
  database.prepare(`INSERT INTO preferences VALUES (?, 'nl', ?)`).run(bareHash(hash), callEnd + dayMs);
  database.close();
  const catalogue = open(file, clockAt(callEnd));
  expect(await catalogue.callers.hashKeys()).toEqual([]);
  expect(await prepareSearch(catalogue, hash)).toEqual([]);
  expect((await catalogue.callers.callsOf(hash, '', 10)).map(({ call }) => call)).toEqual([idOf(1)]);
  expect(await catalogue.preferences.find(hash)).toBe('nl');
});

/** SHA-256 of each step, in their order: who installs from the repository may have any of them behind them. */
const released = [
  'e369c783b0fb97247411c27583829f1390b5d393e2a550c417c77a23ff2999f0',
  'e20a52c846052785a394abdd69649deb13d14facda8e550304d55f6d1b73c884',
  'c3e798a2ea4c0617ac2e1e1461bba650aba95f44205e32ffdbfb9f1bf4995772',
  'de908ca6b776dccf1ab72c4c924479a314bd46e4781c30a14e1b039302d2cb50',
  '5e37a9ad37fbe10a98373b06bb05cad6cb29cb76e96ae54549bfbfa56905737e',
  '7c446ac20dcae4b612f09c25c2c4b41a9acd30375dcec9ad49a337670701fc5d',
  '348a58b538cd89dad2a23ed4017645c0351bbcf4e7a8ba8c364955e5cd0f97b0',
  'a31c6d3cd40feb3e2d1ca3032913463f2533642f55090a18b59a827ef7c76d83',
  'f0ad3f942f5c6d05d25ec332e1d6fd2ac83aedb8419385eba08aaf9c6a9e911f',
  '67137891c6f64640cb67ebe61c62f032685508450684d31d79d93e5448d73e9f',
  'a43fb8c9a48d0227f72509a855345ea86e5ad3365d4165bfefde13623d4696d5',
  '6851690d58b12e9ae49546af6b3b6fa82f0ca0ca8a6a3bf3968eafc1608f65f8',
  '45df2d9c8d17e830b515b66bdcc1eceee092d6fb676666369f645fad5822b057',
  'df4838e45a37c63650842483d054534c724b53cceb7021f0c2528143205577ab',
  'd2877494763880bd751294509ecd8162621e924bba0f6039d70a93429cc3f10a',
  'e37c19a68a688d40a2af160cfd8a36cd4c90682b9098c57f3cb7f697ab7ed99f',
  '96253af35db23734570d7463af1e6bb6dbdc38a36bc3ccceaa60aeb0ead9b114',
  '2a3271ded0fea9140ce98ce4a7706e5765e3ae82e041cbcd8752e80652991b26',
  'b5b726d793549c380047af2f8e580e62143d0ac049c627a9da5e1f04400c3f3a',
  '385a85c169eb8fc17c143d5a2e06c8046baf2589055a9c0b6a7c9e8d61345b58',
  '7d15d65e3d17fda3dd5aea2b0f6e7f12abb06871e32faa3bb94dd108ccc5d983',
  '05830a81adec63aaef0f1f361dd0b6e9e999b00c0b71612b9e582d1bc2d2d682',
  'f29b9fb2cb2d13484c173b3d60c5b55054bbc1104c6acb10fb3b53e48a211e51',
  'f60ce844f8a6a221b1561740ac86f8fd159dc62ae0828933285ae0bc5bfa2da2',
  '2e246e6ac556d211ef89bbe6bf1d21b50fed49454856b5dd1e249a90afda7738',
  '7404ed5cf75171efc45dd37ea5fca984230ac8f31c85123e15b4b7db91743205',
  'e9f041dc0780bc79284c21315364530d6161a2688345ef4e7087551dc52f77c6',
  '6f06d74eefdafbf505b2f78ada32e846eb124abda04e44c97faa4075d27f9318',
  'a3454e5c434109b56dec0bb87af74a1d2f6514c26e3a69be897a752b958b99fa',
  '139f5bdfecdec709b6f2e024fccf98118f597e783d6b2f8bdc35b906cb11a3ca',
  '80997da4526ad255ae648543cf3433f6b515df0c6b356ed8f4c96950a88950cb',
  'f0f50e48be26a21ff37b04a3b69b98cd0f06951b43480af8ff9ab1b270d38a2c',
  '26ed28576cf360fe194f85b9c0782775f5e2856b5e2d405007e026bd54c96e4a',
  '0f9b95fa48ef4d7e11c480150e27e1975dd786562b4d1a0b4ee02ebac5f4ecef',
  '95d64a17de48a285f851b141f27aea0913bb189057908960ae05e1e457083c14',
  '6ba64cc712dfed0e4677e5092ec38a3ff77dc3ce7bbdfa71f89ab8a44fb84f54',
  '05bf811acca2de7c130e3939303447ef27e51455a60d80eecc14c88fd9c625a8',
  '0d58a9502467a27d64f0d652e4d58a9549e5fb2bdc25e67b62e65b226ca5a9a2',
  'c297bcf8913e7c47fb5999a683938dd786933ab3265ce5a6604ed453a983b93a',
  '4ecc12c92ec3b1ea85268449b2a6c526218e2c157daeab5308a60cb7d0ce37bd',
  '1f9815627ef7ea9b094d26b6babe890966089455085d56839db1221894fd87cb',
  '995d75629a8584c9cba821e1e43a5506c43e7a52e7a83510fcb266b99edefb0a',
  'a00041606320015a08ab028458e23d33802343defad27431a1a094040aca892b',
  '22ceb0c53062366c96b8f818b65c04e2f281c5f222990281665170cf430259a3',
  '71191bf2164b42bd182ebbf9c9a2ca1ece6d1d94cdbca9639cb9e15b302d4fcd',
  '9cb18ed5fbb10f029c6d765cd60487236324fcfcdf98b623ea8d49ef19bd8171',
  '0293c2e86d55936beaa16be0bd0373f15d10427efa6102910b563afeb2c229e2',
];

test('a lease that a process of an earlier release holds is held, and a serve is named anew', async () => {
  const file = left(42);
  const clock = clockAt(callEnd);
  const database = openSqlite(file);
  const hold = database.prepare(`INSERT INTO leases (job, host, pid, until) VALUES (?, 'another pid:[1]', 4, ?)`);
  for (const job of ['upload', 'serve', 'serving']) hold.run(job, callEnd + 1_000);
  database.close();
  const { leases } = open(file, clock);
  expect(await leases.take('upload', elsewhere())).toMatchObject({ kind: 'busy', other: { pid: 4 } });
  expect(await leases.served()).toEqual([]);
  clock.at += 1_000;
  expect(await leases.take('upload', elsewhere())).toMatchObject({ kind: 'taken' });
});

test('no released step of the schema is changed, moved or gone: a catalogue that has it would not get what is new', () => {
  const faults = released.flatMap((digest, index) => {
    const step = migrations[index];
    const is = step === undefined ? undefined : createHash('sha256').update(step).digest('hex');
    if (is === digest) return [];
    const number = index + 1;

    return [
      `step ${number} of src/catalogue/migrations.ts is not what was released: put it back as it was (git log -p), and what is new into a ` +
        'step of its own at the end. Add the SHA-256 of that to this list, and change none of them.',
    ];
  });
  expect(faults).toEqual([]);
  expect(released).toHaveLength(migrations.length);
});

const schemas = Array.from({ length: migrations.length - 1 }, (_, index) => index + 1);

describe.each(schemas)('a catalogue of schema %d', (schema) => {
  test('keeps its calls: nobody was asked then, and nobody answered', async () => {
    const catalogue = open(left(schema));
    // The second was abandoned before it was planned.
    for (const [number, mode] of [
      [1, 'announce'],
      [2, null],
    ] as const) {
      expect(await catalogue.calls.find(idOf(number) as string as CallId)).toMatchObject({
        languagesUnavailable: [],
        consent: { mode, answer: 'none', digits: null, at: null },
      });
    }
    expect((await catalogue.calls.list(10)).map(({ result }) => result)).toEqual(['abandoned', 'recorded']);
  });

  test('keeps its recordings: how long each party was heard is not known', async () => {
    const catalogue = open(left(schema));
    expect(await catalogue.recordings.find(idOf(1))).toMatchObject({ status: 'archived', talk: null });
  });

  test('gives a receipt of today for a call of then', async () => {
    const catalogue = open(left(schema));
    const receipt = receiptSchema.parse(await receiptOfCall(catalogue, idOf(1) as string as CallId));
    expect(receipt).toMatchObject({
      receipt: 6,
      notice: [{ prompt: 'notice', verified: true }],
      consent: { mode: 'announce', answer: 'none' },
      recording: { id: idOf(1), status: 'archived', gapMs: 10_000 },
    });
    expect(await receiptOfCall(catalogue, idOf(2) as string as CallId)).toMatchObject({ recording: null });
  });

  test('has no second witness for the calls of then, and does not look for one', async () => {
    const catalogue = open(left(schema));
    // From the schema that knew the witness on, such a call waits to be compared.
    const known = schema >= 4;
    expect((await catalogue.calls.list(10)).map(({ witness }) => witness)).toEqual(
      known ? [null, null] : ['unavailable', 'unavailable'],
    );
    if (known) return;
    expect(await catalogue.calls.unwitnessed()).toEqual([]);
  });

  test('can remember a language', async () => {
    const catalogue = open(left(schema), clockAt(callEnd));
    await catalogue.preferences.set('hash', 'nl', callEnd + 1);
    expect(await catalogue.preferences.find('hash')).toBe('nl');
  });

  test('is brought up to date once', () => {
    const file = left(schema);
    for (let count = 0; count < 2; count += 1) openCatalogue(file, clockAt(callEnd)).close();
    const database = openSqlite(file, { readonly: true });
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length);
    database.close();
  });
});
