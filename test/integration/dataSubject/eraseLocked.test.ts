import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'minio';
import { localTime } from '../../../src/cli/localTime.ts';
import { certificatesReplay } from '../../../src/cli/commands/retention/certificates.ts';
import { recordingsReconcile } from '../../../src/cli/commands/retention/reconcile.ts';
import { retentionRun } from '../../../src/cli/commands/retention/retention.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { endLockSoon } from '../../support/archive/shortLocks.ts';
import { operatorClient } from '../../support/archive/mc.ts';
import { eventually } from '../../support/poll.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { number, subjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What somebody else has put on objects of a real server, and the catalogue so does not know. */

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
const bucket = 'locked';
const s3 = useS3Server({ [bucket]: { objectLock: true } });
const mc = operatorClient(
  () => s3.server,
  () => folder.path('mc'),
);

/** A stage whose commands and uploads use the server. */
async function stageOnServer(name: string) {
  const set = await subjectStage(folder.path(name), open);
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const minio = { endPoint, port, accessKey, secretKey, bucket, useTls: false };
  const file = join(set.at, 'preavis.yaml');
  const tree = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...tree, archive: { store: 'minio', minio } }));

  return { ...set, store: makeMinioStore({ ...minio, region: s3.server.region }) };
}

test('a lock that the archive alone knows is told with its mode and end; a legal hold, which has none, by its code', async () => {
  const set = await stageOnServer('set');
  const { store } = set;
  const [locked, held, free] = [
    await set.called(number, { archived: false }),
    await set.called(number, { archived: false }),
    await set.called(number, { archived: false }),
  ];
  await uploadPass({ ...set, store }, { waitMs: 0, signal, all: true });
  const objectOf = async (id: RecordingId) => {
    const row = await set.catalogue.recordings.find(id);
    return { key: row?.objectKey ?? '', version: row?.objectVersion ?? '' };
  };
  // Whatever the day of the test, neither the clock of the server nor that of the stage is there.
  const until = Math.floor(Math.max(Date.now(), callStart + 10 * dayMs) / 1_000) * 1_000 + dayMs;
  const [own, other] = [await objectOf(locked.id), await objectOf(held.id)];
  await store.protect(own.key, own.version, { mode: 'governance', until }, signal);
  expect(await mc('legalhold', 'set', `store/${bucket}/${other.key}`)).toMatchObject({ ok: true });

  const lock = { ground: 'lock', mode: 'governance', until: new Date(until).toISOString(), article: null };
  expect((await set.erased({ apply: false })).json).toMatchObject({
    recordings: [{ id: locked.id, outcome: { kind: 'kept', exceptions: [lock] } }, {}, {}],
  });
  const answer = await set.erased();
  expect(answer.code).toBe(3);
  const { recordings } = answer.json as { recordings: { id: string; outcome: unknown }[] };
  expect(new Map(recordings.map(({ id, outcome }) => [id, outcome]))).toEqual(
    new Map<string, unknown>([
      [locked.id, { kind: 'kept', exceptions: [lock], ended: ['training'] }],
      [held.id, { kind: 'failed', code: 'archive_locked' }],
      [free.id, { kind: 'erased', certificate: 1 }],
    ]),
  );
  for (const { key, version } of [own, other]) expect(await store.versions(key)).toEqual([version]);
  const { text } = await set.erased({ json: false });
  expect(text).toContain(`${locked.id}  kept for an Object Lock in the archive, governance, until ${lock.until}`);
  expect(text).toContain(`${held.id}  not erased (archive_locked)`);
  expect(text).toContain('2 recordings, 0 of them are erased');
});

test('the lock of an archived recording is told beside what else keeps it, and counts as it is in the archive now', async () => {
  const set = await stageOnServer('shortened');
  const { store } = set;
  const both = { purposes: ['training', 'agreement'], archived: false };
  const { id } = await set.called(number, both);
  await uploadPass({ ...set, store, locks: new Map([['agreement', 'governance']]) }, { waitMs: 0, signal, all: true });
  const free = await set.called(number, { archived: false });
  await uploadPass({ ...set, store }, { waitMs: 0, signal, all: true });
  const evidence = { ground: 'evidence', purpose: 'agreement' };
  const lock = { ground: 'lock', mode: 'governance', until: '2027-09-23T10:01:20.000Z' };
  const kept = { kind: 'kept', exceptions: [lock, evidence], ended: ['training'] };
  expect(await set.erased({ apply: false })).toMatchObject({
    code: 3,
    json: {
      recordings: [
        { id, outcome: kept },
        { id: free.id, outcome: { kind: 'erase' } },
      ],
    },
  });
  const { text } = await set.erased({ apply: false, json: false });
  expect(text).toContain(
    `${id}  kept for an Object Lock in the archive, governance, until ${lock.until} and agreement:`,
  );
  expect(text).toContain('2 recordings, 1 of them would be erased');
  expect(await set.erased()).toMatchObject({
    code: 3,
    json: { recordings: [{ outcome: kept }, { outcome: { kind: 'erased' } }] },
  });
  expect((await set.catalogue.auditTrail.of(id)).map(({ event }) => event)).not.toContain('erasure begun');

  // Who may bypass it has it end now, for this request.
  const row = await set.catalogue.recordings.find(id);
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const account = new Client({ endPoint, port, accessKey, secretKey, useSSL: false });
  for (const key of [row?.objectKey, row?.receiptKey]) await endLockSoon(account, bucket, key ?? '');
  set.clock.at = Date.now() + 3_000;
  await eventually(async () => (await set.erased({ includeEvidence: true })).code === 0);
  expect(await store.versions(row?.objectKey ?? '')).toEqual([]);
});

test('a dry run of retention and its plan on a terminal name the lock that keeps what is due', async () => {
  const set = await stageOnServer('due');
  const { id } = await set.called(number, { archived: false });
  await uploadPass({ ...set, store: set.store }, { waitMs: 0, signal, all: true });
  const row = await set.catalogue.recordings.find(id);
  const until = Math.ceil(Math.max(Date.now(), set.clock.now()) / 1_000) * 1_000 + 3_000 * dayMs;
  await set.store.protect(row?.objectKey ?? '', row?.objectVersion ?? '', { mode: 'governance', until }, signal);
  const asked: string[] = [];
  const printed: string[] = [];
  const context = {
    configFile: join(set.at, 'preavis.yaml'),
    environment: {},
    clock: { now: () => (row?.keepUntil ?? 0) + dayMs },
    print: (text: string) => printed.push(text),
  };
  expect(await retentionRun(context, { dryRun: true, json: true })).toBe(0);
  expect(JSON.parse(printed.join('\n'))).toMatchObject({
    due: 1,
    recordings: [{ id, outcome: 'due', lock: { mode: 'governance', until: new Date(until).toISOString() } }],
  });
  printed.length = 0;
  const ask = (question: string): Promise<boolean> => {
    asked.push(question);
    return Promise.resolve(false);
  };
  expect(await retentionRun({ ...context, ask }, { dryRun: false, json: false })).toBe(3);
  const text = printed.join('\n').replace(/\s+/g, ' ');
  expect(text).toContain(`${id} `);
  expect(text).toContain(`due, but an Object Lock (governance) keeps it until ${localTime(until)}`);
  expect(text).toContain('1 recording is due; a lock keeps 1 nothing was changed');
  expect(asked).toEqual(['A lock keeps all that is due. Try it all the same? It cannot be undone.']);
  expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
});

test('dry runs of a reconciliation and of a replay name the lock that keeps what has come back', async () => {
  const set = await stageOnServer('back');
  const { id } = await set.called(number, { archived: false });
  await uploadPass({ ...set, store: set.store }, { waitMs: 0, signal, all: true });
  const key = (await set.catalogue.recordings.find(id))?.objectKey ?? '';
  const older = join(set.at, 'older.db');
  const database = openSqlite(join(set.at, 'catalogue.db'));
  database.exec(`VACUUM INTO '${older}'`);
  database.close();
  expect(await set.erased()).toMatchObject({ code: 0 });
  const back = await set.store.putText(key, 'back', 'audio/wav', signal);
  const until = Math.ceil(Math.max(Date.now(), set.clock.now()) / 1_000) * 1_000 + 3_000 * dayMs;
  await set.store.protect(key, back.versionId ?? '', { mode: 'governance', until }, signal);
  const printed: string[] = [];
  const file = join(set.at, 'preavis.yaml');
  const context = { configFile: file, environment: {}, clock: set.clock, print: (text: string) => printed.push(text) };
  const said = (): unknown => JSON.parse(printed.splice(0).join('\n'));
  const lock = { mode: 'governance', until: new Date(until).toISOString() };

  expect(await recordingsReconcile(context, { dryRun: true, verify: false, json: true })).toBe(3);
  // The others of this bucket are of other catalogues.
  const { findings } = said() as { findings: { recording: string }[] };
  expect(findings.filter(({ recording }) => recording === id)).toMatchObject([
    { kind: 'erasedObjectLeft', done: 'repairable', lock },
  ]);

  const tree = JSON.parse(await readFile(file, 'utf8')) as object;
  const evidence = { ledgerFile: join(set.at, 'erasures.jsonl'), signingKeyFile: join(set.at, 'signing-key.pem') };
  await writeFile(file, JSON.stringify({ ...tree, catalogue: { file: older }, evidence }));
  expect(await certificatesReplay(context, { dryRun: true, json: true })).toBe(3);
  expect(said()).toMatchObject({ dryRun: true, erasedAgain: [id], locked: [{ recording: id, lock }] });
  expect(await set.store.versions(key)).toEqual([back.versionId]);
});
