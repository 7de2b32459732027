import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer, text } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { rewrapAll } from '../../../src/archive/rewrap.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { receiptOfRecording, receiptText } from '../../../src/receipt/receipt.ts';
import { makeStore } from '../../../src/services/store.ts';
import { keysOf } from '../../../src/store/objectKeys.ts';
import { keyIdOf } from '../../../src/store/encryption/keyWrapping.ts';
import { reconcile } from '../../../src/retention/reconcile/reconcile.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { aRequest, anOrder, configTree } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { ulid } from 'ulid';

/** Recordings of several companies in one archive: each under a prefix of its own, and wrapped by a key of its own. */

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const never = new AbortController().signal;
const policyVersion = 'policy-of-several';

const newKey = (): string => randomBytes(32).toString('base64');
const idOf = (key: string): string => keyIdOf(Buffer.from(key, 'base64'));

/** With these keys: that of the archive, and those of the companies. */
function configWith(at: string, common: string, own: Record<string, object>, kms: object = {}): Config {
  const tree = configTree() as { lines: { default: object } };
  const companies = Object.entries(own);

  return parseConfig({
    ...tree,
    lines: {
      ...tree.lines,
      ...Object.fromEntries(companies.map(([id]) => [id, { ...tree.lines.default, controller: id }])),
    },
    controllers: Object.fromEntries(companies.map(([id, encryption]) => [id, { encryption }])),
    archive: { directory: { folder: `${at}/archive` }, encryption: { mode: 'client', key: common, ...kms } },
  });
}

async function stage(keys: { common: string; acme: string }) {
  const at = folder.path(`${(stages += 1)}`);
  const set = await archiveStage(at, open);
  const config = configWith(at, keys.common, { acme: { key: keys.acme }, bakker: {} });
  const store = await makeStore(config, set.catalogue);
  await set.catalogue.calls.savePolicy(
    policyVersion,
    JSON.stringify({
      purposes: { training: { justification: 'to learn', legalBasis: 'consent', keepDays: 28 } },
      controllerOfLine: { acme: 'acme', bakker: 'bakker' },
    }),
  );
  const ids = makeIds(() => ulid());
  const recorded = async (line: string) => {
    const order = anOrder(ids, { request: aRequest({ line }) });
    return set.finished(undefined, { shape: { order, policyVersion, request: order.request } });
  };
  const receiptOf = async (id: Parameters<typeof receiptOfRecording>[1]) =>
    receiptText(await receiptOfRecording(set.catalogue, id, store.encryption));

  return { ...set, at, config, store, receiptOf, recorded };
}

/** Where the recording lies, and what its key is wrapped with. */
async function placeOf({ catalogue, store }: Awaited<ReturnType<typeof stage>>, id: string) {
  const row = await catalogue.recordings.find(id);
  if (row === undefined) throw new Error('no such recording');
  const { wav, receipt } = keysOf(row);

  return {
    folder: wav.split('/').slice(0, 2).join('/'),
    wav: await store.encryptionOf(wav, null, never),
    receipt: await store.encryptionOf(receipt, null, never),
    keys: { wav, receipt },
  };
}

test('recordings of a company lie under its name and are wrapped by its key; those of others by the common one', async () => {
  const keys = { common: newKey(), acme: newKey() };
  const set = await stage(keys);
  const [own, acme, bakker] = [await set.recorded('default'), await set.recorded('acme'), await set.recorded('bakker')];
  await uploadPass(set, { waitMs: 0, signal: never });
  const common = { mode: 'client', keyId: idOf(keys.common) };
  const ofAcme = { mode: 'client', keyId: idOf(keys.acme) };
  expect(await placeOf(set, own.id)).toMatchObject({ folder: 'recordings/2026', wav: common, receipt: common });
  expect(await placeOf(set, acme.id)).toMatchObject({ folder: 'recordings/acme', wav: ofAcme, receipt: ofAcme });
  expect(await placeOf(set, bakker.id)).toMatchObject({ folder: 'recordings/bakker', wav: common, receipt: common });
  const { keys: of } = await placeOf(set, acme.id);
  expect((await buffer(await set.store.read(of.wav, null, never))).equals(acme.wav)).toBe(true);
  // The audit trail says the key that it is under.
  const trail = await set.catalogue.auditTrail.of(acme.id);
  expect(trail.find(({ to }) => to === 'archived')?.detail).toMatchObject({ encryption: ofAcme });
});

test('whoever has the other keys, and not that of the company, reads the others alone', async () => {
  const keys = { common: newKey(), acme: newKey() };
  const set = await stage(keys);
  const [acme, bakker] = [await set.recorded('acme'), await set.recorded('bakker')];
  await uploadPass(set, { waitMs: 0, signal: never });
  const without = await makeStore(configWith(set.at, keys.common, { acme: {}, bakker: {} }), set.catalogue);
  const { keys: ofAcme } = await placeOf(set, acme.id);
  const { keys: ofBakker } = await placeOf(set, bakker.id);
  await expect(without.read(ofAcme.wav, null, never)).rejects.toMatchObject({ code: 'encryption_key_missing' });
  expect(await text(await without.read(ofBakker.receipt, null, never))).toContain(bakker.id);
  // Erasing needs no key.
  await without.erase(ofAcme.wav);
  expect(await without.versions(ofAcme.wav)).toEqual([]);
});

test('a new key of a company wraps its recordings anew, and no others', async () => {
  const keys = { common: newKey(), acme: newKey() };
  const set = await stage(keys);
  const [acme, bakker] = [await set.recorded('acme'), await set.recorded('bakker')];
  await uploadPass(set, { waitMs: 0, signal: never });
  const newer = newKey();
  const config = configWith(set.at, keys.common, { acme: { key: newer, oldKeys: [keys.acme] }, bakker: {} });
  const store = await makeStore(config, set.catalogue);
  expect(await rewrapAll({ ...set, store }, { dryRun: false, waitMs: 0, signal: never })).toMatchObject({
    rewrapped: 1,
    current: 1,
    failed: [],
  });
  const later = { ...set, store };
  expect(await placeOf(later, acme.id)).toMatchObject({ wav: { keyId: idOf(newer) }, receipt: { keyId: idOf(newer) } });
  expect(await placeOf(later, bakker.id)).toMatchObject({ wav: { keyId: idOf(keys.common) } });
});

test('nothing of it is a finding of reconcile, and a foreign object below the prefix of a company is', async () => {
  const set = await stage({ common: newKey(), acme: newKey() });
  const { id } = await set.recorded('acme');
  await uploadPass(set, { waitMs: 0, signal: never });
  const found = async (): Promise<string[]> => {
    const kinds: string[] = [];
    const options = {
      waitMs: 0,
      verify: false,
      signal: never,
      found: ({ kind }: { kind: string }) => kinds.push(kind),
    };
    await reconcile({ ...set, repairs: undefined }, options);

    return kinds;
  };
  expect(await found()).toEqual([]);
  const { keys } = await placeOf(set, id);
  await set.store.putText(keys.receipt.replace('/acme/', '/bakker/'), 'of another', 'text/plain', never);
  expect(await found()).toEqual(['unknownObject']);
});

test('a recording whose row died with the process is still that of its company', async () => {
  const set = await stage({ common: newKey(), acme: newKey() });
  const { id } = await set.recorded('acme');
  const database = new Database(`${set.at}/catalogue.db`);
  database.pragma('foreign_keys = OFF');
  database.prepare('DELETE FROM recordings WHERE id = ?').run(id);
  database.close();
  expect(await set.catalogue.recordings.adopt(id)).toMatchObject({ status: 'recording', controller: 'acme' });
});

test('a company whose key cannot be used keeps nobody else waiting', async () => {
  const common = newKey();
  const set = await stage({ common, acme: newKey() });
  const [acme, bakker] = [await set.recorded('acme'), await set.recorded('bakker')];
  const config = configWith(set.at, common, { acme: { keyId: 'of-acme' }, bakker: {} }, { kmsCommand: ['/bin/false'] });
  const store = await makeStore(config, set.catalogue);
  const result = await uploadPass({ ...set, store, atOnce: 1 }, { waitMs: 0, signal: never });
  expect(result).toMatchObject({ sent: 1, waiting: 1, archive: { state: 'working' } });
  expect(result.aside).toMatchObject([{ recording: acme.id, error: { code: 'encryption_key_unusable' } }]);
  expect(await set.catalogue.recordings.find(bakker.id)).toMatchObject({ status: 'archived' });
  // Whoever asks for the keys hears of it.
  await expect(store.tryKey(never)).rejects.toMatchObject({ code: 'encryption_key_unusable' });
});

test('a company whose key cannot be used keeps nobody else from being wrapped anew', async () => {
  const [common, newer] = [newKey(), newKey()];
  const set = await stage({ common, acme: newKey() });
  const [acme, bakker] = [await set.recorded('acme'), await set.recorded('bakker')];
  await uploadPass(set, { waitMs: 0, signal: never });
  const before = await placeOf(set, acme.id);
  const config = configWith(
    set.at,
    newer,
    { acme: { keyId: 'of-acme' }, bakker: {} },
    { kmsCommand: ['/bin/false'], oldKeys: [common] },
  );
  const store = await makeStore(config, set.catalogue);
  const ports = { ...set, store, atOnce: 1 };
  for (const dryRun of [true, false]) {
    expect(await rewrapAll(ports, { dryRun, waitMs: 0, signal: never })).toMatchObject({
      rewrapped: 1,
      unusableKeys: ['of-acme'],
      failed: [{ recording: acme.id, code: 'encryption_key_unusable' }],
    });
  }
  const later = { ...set, store };
  expect(await placeOf(later, bakker.id)).toMatchObject({
    wav: { keyId: idOf(newer) },
    receipt: { keyId: idOf(newer) },
  });
  expect(await placeOf(set, acme.id)).toMatchObject({ wav: before.wav, receipt: before.receipt });
  // Where none can be used nothing is tried.
  const none = await makeStore(
    configWith(
      set.at,
      common,
      { acme: { keyId: 'of-acme' } },
      { key: undefined, keyId: 'common', kmsCommand: ['/bin/false'] },
    ),
    set.catalogue,
  );
  await expect(rewrapAll({ ...set, store: none }, { dryRun: true, waitMs: 0, signal: never })).rejects.toMatchObject({
    code: 'encryption_key_unusable',
  });
});

test('a recording whose company the configuration does not have any more is still sent', async () => {
  const keys = { common: newKey(), acme: newKey() };
  const set = await stage(keys);
  const { id, wav } = await set.recorded('acme');
  const store = await makeStore(configWith(set.at, keys.common, {}), set.catalogue);
  await uploadPass({ ...set, store }, { waitMs: 0, signal: never });
  expect(await placeOf({ ...set, store }, id)).toMatchObject({ wav: { keyId: idOf(keys.common) } });
  expect(
    (await readFile(`${set.at}/archive/${(await placeOf({ ...set, store }, id)).keys.wav}`)).length,
  ).toBeGreaterThan(wav.length);
});
