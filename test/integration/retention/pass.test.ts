import { rm, stat, writeFile } from 'node:fs/promises';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { forgettingText } from '../../../src/retention/asked.ts';
import { makeIds } from '../../../src/core/ids.ts';
import {
  erasureFailed,
  retentionPass,
  type RetentionOptions,
  type RetentionPorts,
} from '../../../src/retention/pass.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { archiveStage, killedAt, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const never = new AbortController().signal;
const keepUntil = recorderEnd + 28 * dayMs;

/** A pass, and what it told of each recording. */
async function erase(ports: RetentionPorts, { dryRun = false, clockIsRight = false, signal = never } = {}) {
  const recordings: unknown[] = [];
  const report: RetentionOptions['report'] = ({ id, keepUntil }, outcome) =>
    recordings.push({ id, keepUntil, outcome });
  const result = await retentionPass(ports, { dryRun, clockIsRight, waitMs: 0, signal, report });

  return { ...result, recordings };
}

async function archived(set: ArchiveStage, options?: Parameters<ArchiveStage['finished']>[1]) {
  const call = await set.finished(undefined, options);
  await uploadPass(set, { waitMs: 0, signal: never });
  expect((await set.catalogue.recordings.find(call.id))?.status).toBe('archived');

  return call;
}

describe('why a recording could not be erased', () => {
  test('is in its audit trail, once for each reason in a row', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    const failing = (code: 'archive_denied' | 'archive_failed'): RetentionPorts => ({
      ...set,
      store: {
        ...set.store,
        location: set.store.location,
        versions: () => Promise.reject(new PreavisError(code, 'as a store may answer')),
      },
    });
    for (const code of ['archive_denied', 'archive_denied', 'archive_failed', 'archive_denied'] as const) {
      expect(await erase(failing(code))).toMatchObject({ due: 1, erased: 0, recordings: [{ outcome: code }] });
    }
    const told = (await set.catalogue.auditTrail.of(id)).filter(({ event }) => event === erasureFailed);
    expect(told.map(({ detail }) => detail['code'])).toEqual(['archive_denied', 'archive_failed', 'archive_denied']);
    expect(await erase(set)).toMatchObject({ due: 1, erased: 1 });
  });
});

test('without a lock on the ledger nothing is erased, and nothing else that is due is done', async () => {
  const set = await stage();
  const { id } = await archived(set);
  set.clock.at = keepUntil;
  await writeFile(`${set.ledger.file}.lock`, 'no database, and long enough to be looked at as one'.repeat(40));
  await expect(erase(set)).rejects.toMatchObject({ code: 'ledger_unusable' });
  expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  await rm(`${set.ledger.file}.lock`);
  expect(await erase(set)).toMatchObject({ due: 1, erased: 1 });
});

describe('a remembered language', () => {
  test('is removed once it has expired, whoever calls; not in a dry run, and no other', async () => {
    const set = await stage();
    await set.catalogue.preferences.set('expired', 'nl', set.clock.at + dayMs);
    await set.catalogue.preferences.set('valid', 'fr', set.clock.at + dayMs + 1);
    set.clock.at += dayMs;
    await erase(set, { dryRun: true });
    set.clock.at -= dayMs;
    expect(await set.catalogue.preferences.find('expired')).toBe('nl');
    set.clock.at += dayMs;
    await erase(set);
    set.clock.at -= dayMs;
    expect(await set.catalogue.preferences.find('expired')).toBeUndefined();
    expect(await set.catalogue.preferences.find('valid')).toBe('fr');
  });
});

test('a pass takes away sessions that have ended, failed sign-ins and questions that are long over', async () => {
  const set = await stage();
  const { id } = await archived(set);
  const now = set.clock.at;
  const session = { user: 'anna', credential: 'c', beganAt: now };
  await set.catalogue.sessions.begin({ ...session, sha256: 'over', endsAt: now + dayMs });
  await set.catalogue.sessions.begin({ ...session, sha256: 'idle', endsAt: now + 7 * dayMs });
  await set.catalogue.sessions.begin({ ...session, sha256: 'used', endsAt: now + 7 * dayMs });
  await set.catalogue.sessions.noteSeen('used', now + 1);
  const asked = { id: makeIds().approval(), recording: id, purpose: 'training', asker: 'user:anna', reason: 'why' };
  await set.catalogue.approvals.ask({ ...asked, askedAt: now, openUntil: now + 1 });
  set.clock.at = now + dayMs;
  await erase(set, { dryRun: true });
  expect(await set.catalogue.sessions.list()).toHaveLength(3);
  await erase(set);
  expect((await set.catalogue.sessions.list()).map(({ sha256 }) => sha256)).toEqual(['used']);
  expect(await set.catalogue.approvals.find(asked.id)).toMatchObject({ verdict: 'expired' });
  for (set.clock.at = now + 7 * dayMs; set.clock.at <= now + 31 * dayMs; set.clock.at += 6 * dayMs) await erase(set);
  expect(await set.catalogue.approvals.find(asked.id)).toBeUndefined();
});

test('a question of a recording that somebody has taken out keeps nothing that is due from being erased', async () => {
  const set = await stage();
  await archived(set);
  const other = await archived(set);
  const asked = {
    id: makeIds().approval(),
    recording: other.id,
    purpose: 'training',
    asker: 'user:anna',
    reason: 'why',
  };
  await set.catalogue.approvals.ask({ ...asked, askedAt: set.clock.at, openUntil: set.clock.at + 1 });
  const database = openSqlite(folder.path(`${stages}/catalogue.db`));
  database.exec(`PRAGMA foreign_keys = OFF; DELETE FROM recordings WHERE id = '${other.id}'`);
  database.close();
  set.clock.at = keepUntil;
  expect(await erase(set)).toMatchObject({ due: 1, erased: 1 });
  expect(set.lines).toContainEqual(expect.objectContaining({ msg: 'sessions and approvals not swept' }));
});

test.each(['{"kind":"caller","hash":"h-of-anna', '{"kind":"nobody"}'])(
  'a request of a person that cannot be read, %s, keeps nothing from being forgotten or erased',
  async (forget) => {
    const set = await stage();
    await archived(set);
    await set.catalogue.preferences.set('louis', 'fr', keepUntil + dayMs);
    const row = { askedBy: 'user anna', askedAt: set.clock.at, endsAt: keepUntil + dayMs, controller: null };
    const of = (what: string) => ({ ...row, id: makeIds().request(), reference: null, found: null, forget: what });
    const asked = {
      recordings: [],
      cause: '',
      at: set.clock.at,
      note: { event: 'erasure decided', actor: 'user anna' },
      ending: [],
    };
    const [broken, whole] = [of(forget), of(forgettingText({ kind: 'caller', hash: 'louis' }))];
    for (const each of [broken, whole]) await set.catalogue.askedErasures.ask(asked, each);
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ due: 1, erased: 1 });
    expect(await set.catalogue.preferences.find('louis')).toBeUndefined();
    const told = set.lines.filter(({ msg }) => msg === 'request of a person not done: not forgotten');
    expect(told).toMatchObject([{ request: broken.id, code: 'internal' }]);
    expect(JSON.stringify(set.lines)).not.toContain('h-of-anna');
  },
);

describe('the clock of this machine', () => {
  test('that jumps forward erases nothing, however often, until somebody says that it is right', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil - 10 * dayMs;
    expect(await erase(set)).toMatchObject({ erased: 0 });
    for (let pass = 0; pass < 10; pass += 1) {
      set.clock.at = keepUntil + pass * dayMs;
      await expect(erase(set)).rejects.toMatchObject({
        code: 'clock_implausible',
        message: `the last pass was ${10 + pass} days ago by this clock; nothing is erased`,
      });
    }
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(await erase(set, { clockIsRight: true })).toMatchObject({ due: 1, erased: 1 });
    set.clock.at += 6 * dayMs;
    expect(await erase(set)).toMatchObject({ due: 0 });
  });

  test('that is ahead of that of the database erases nothing, also where somebody says that it is right', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    const leases = { ...set.catalogue.leases, clockAheadMs: () => Promise.resolve(dayMs) };
    for (const clockIsRight of [false, true]) {
      const pass = erase({ ...set, catalogue: { ...set.catalogue, leases } }, { clockIsRight });
      await expect(pass).rejects.toMatchObject({ code: 'clock_apart' });
    }
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });

  test('that jumps forward and is put right has erased nothing', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = recorderEnd + dayMs;
    await erase(set);
    set.clock.at = recorderEnd + 3_650 * dayMs;
    await expect(erase(set)).rejects.toMatchObject({ code: 'clock_implausible' });
    set.clock.at = recorderEnd + 2 * dayMs;
    expect(await erase(set)).toMatchObject({ due: 0 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  });

  test('that is behind in one pass and right again is believed, and no jump forward after it', async () => {
    const set = await stage();
    await archived(set);
    const at = (day: number): number => (set.clock.at = keepUntil + day * dayMs);
    for (const day of [-1, -60]) {
      at(day);
      expect(await erase(set)).toMatchObject({ due: 0 });
    }
    at(-0.5);
    expect(await erase(set)).toMatchObject({ due: 0 });
    at(30);
    await expect(erase(set)).rejects.toMatchObject({ code: 'clock_implausible' });
    at(0);
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });

  test('is believed each month where passes are made each month, after somebody has said so once', async () => {
    const set = await stage();
    await archived(set);
    const at = (day: number): number => (set.clock.at = recorderEnd + day * dayMs);
    at(-60);
    await erase(set);
    at(-30);
    await expect(erase(set)).rejects.toMatchObject({ code: 'clock_implausible' });
    await erase(set, { clockIsRight: true });
    at(0);
    expect(await erase(set)).toMatchObject({ due: 0 });
    at(31);
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });

  test('that moves a day at a time is believed, and a dry run asks nothing of it', async () => {
    const set = await stage();
    await archived(set);
    for (let day = 20; day < 28; day += 1) {
      set.clock.at = recorderEnd + day * dayMs;
      expect(await erase(set)).toMatchObject({ due: 0 });
    }
    set.clock.at = recorderEnd + 1_000 * dayMs;
    expect(await erase(set, { dryRun: true })).toMatchObject({ due: 1, erased: 0 });
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });
});

describe('a recording', () => {
  test('is there one ms before its time is over, and gone when it is over', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil - 1;
    expect(await erase(set)).toEqual({
      due: 0,
      erased: 0,
      held: 0,
      locked: 0,
      doubtful: 0,
      head: 'kept',
      recordings: [],
    });
    expect((await set.objects()).size).toBe(2);
    set.clock.at = keepUntil;
    expect(await erase(set)).toEqual({
      due: 1,
      erased: 1,
      held: 0,
      locked: 0,
      doubtful: 0,
      head: 'kept',
      recordings: [{ id, keepUntil, outcome: 'erased' }],
    });
    expect((await set.objects()).size).toBe(0);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'erased', receipt: null });
  });

  test('of which each has its own time is erased at its own', async () => {
    const set = await stage();
    const short = await archived(set, { keepDays: 1 });
    const long = await archived(set, { keepDays: 395 });
    set.clock.at = recorderEnd + 30 * dayMs;
    expect(await erase(set)).toMatchObject({ due: 1, recordings: [{ id: short.id }] });
    expect((await set.catalogue.recordings.find(long.id))?.status).toBe('archived');
    expect((await set.objects()).size).toBe(2);
  });

  test('that is erased leaves in the audit trail that it was begun, and what was checked', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    await erase(set);
    const keys = objectKeys(id, callStart + 20_000);
    const both = [keys.wav, keys.receipt];
    expect((await set.catalogue.auditTrail.of(id)).slice(-2)).toMatchObject([
      { at: keepUntil, event: 'erasure begun', from: null, to: null, actor: 'test', detail: { keepUntil, keys: both } },
      {
        at: keepUntil,
        event: 'erased and checked',
        from: 'archived',
        to: 'erased',
        actor: 'test',
        detail: {
          keys: both,
          versions: 2,
          local: false,
          bytes: expect.any(Number) as number,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          keepUntil,
        },
      },
    ]);
  });

  test('that was never archived is erased too, with its local file', async () => {
    const set = await stage();
    const { id, file } = await set.finished();
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 1 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of which an upload that was cut short left an object is erased with it', async () => {
    const set = await stage();
    const { id } = await set.finished();
    await set.store.putText(objectKeys(id, callStart + 20_000).wav, 'half', 'audio/wav', never);
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 1 });
    expect((await set.objects()).size).toBe(0);
  });

  test('that failed is erased too', async () => {
    const set = await stage();
    const { id, file } = await set.finished(Buffer.from('no WAV'));
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 1 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('whose object and file are gone already is erased: nothing is left', async () => {
    const set = await stage();
    const { id } = await archived(set);
    await set.store.erase(objectKeys(id, callStart + 20_000).wav);
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });

  test('that the archive does not have, though nobody erased it, is not taken for erased: a wrong mount', async () => {
    const set = await stage();
    const { id } = await archived(set);
    const keys = objectKeys(id, callStart + 20_000);
    await set.store.erase(keys.wav);
    await set.store.erase(keys.receipt);
    set.clock.at = keepUntil;
    for (let pass = 0; pass < 2; pass += 1) expect(await erase(set)).toMatchObject({ due: 1, erased: 0 });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
  });

  test('that lies in another archive than the one configured now is not taken for erased', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    const elsewhere = { ...set, store: { ...set.store, location: 'elsewhere' } };
    expect(await erase(elsewhere)).toMatchObject({ due: 1, erased: 0, recordings: [{ outcome: 'archive_changed' }] });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
  });

  test('that is still being made is never due', async () => {
    const set = await stage();
    await set.recorded(undefined, { until: 'talking' });
    set.clock.at = keepUntil + 10_000 * dayMs;
    expect(await erase(set)).toMatchObject({ due: 0 });
  });
});

describe('an erasure that is not complete', () => {
  test('because a version is left is not called erased, and is tried again', async () => {
    const set = await stage();
    const { id } = await archived(set);
    const store: ObjectStore = { ...set.store, versions: () => Promise.resolve(['older']) };
    set.clock.at = keepUntil;
    expect(await erase({ ...set, store })).toMatchObject({
      due: 1,
      erased: 0,
      recordings: [{ outcome: 'archive_failed' }],
    });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', code: 'archive_failed' }));
    expect(await erase(set)).toMatchObject({ erased: 1 });
  });

  test('because the store says that it erased and did not is not called erased', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    expect(await erase({ ...set, store: { ...set.store, erase: () => Promise.resolve(1) } })).toMatchObject({
      erased: 0,
    });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect((await set.objects()).size).toBe(2);
  });

  test('because the archive folder is missing, as when it is not mounted, is not called erased', async () => {
    const set = await stage();
    const { id } = await archived(set);
    await rm(set.store.location, { recursive: true });
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 0, recordings: [{ outcome: 'archive_bucket_missing' }] });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
  });

  test('because the spool is missing is not called erased', async () => {
    const set = await stage();
    const { id } = await set.finished();
    await rm(set.spoolFolder, { recursive: true });
    set.clock.at = keepUntil;
    expect(await erase(set)).toMatchObject({ erased: 0, recordings: [{ outcome: 'spool_unusable' }] });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  });

  test('does not keep the others from being erased', async () => {
    const set = await stage();
    const bad = await archived(set);
    const good = await archived(set);
    const store: ObjectStore = {
      ...set.store,
      versions: (key) => (key.includes(bad.id) ? Promise.resolve(['older']) : set.store.versions(key)),
    };
    set.clock.at = keepUntil;
    expect(await erase({ ...set, store })).toMatchObject({ due: 2, erased: 1 });
    expect((await set.catalogue.recordings.find(good.id))?.status).toBe('erased');
  });
});

describe('a pass that is killed', () => {
  test.each(['before', 'after'] as const)('%s any one of its steps is finished by the next one', async (when) => {
    let killed = 0;
    for (let step = 1; ; step += 1) {
      const set = await stage();
      const { id } = await archived(set);
      await writeFile(`${set.spoolFolder}/preavis-${id}.wav`, 'left by a crash');
      set.clock.at = keepUntil;
      const mortal = killedAt(set, step, when);
      await erase(mortal.ports).catch(() => undefined);
      if (!mortal.wasKilled()) break;
      killed += 1;
      const at = `${when} step ${step}, ${mortal.steps.at(-1) ?? ''}`;
      if ((await set.catalogue.recordings.find(id))?.status === 'erased') {
        expect([at, (await set.objects()).size]).toEqual([at, 0]);
      }
      const trail = await set.catalogue.auditTrail.of(id);
      if ((await set.objects()).size < 2) {
        expect([at, trail.map((line) => line.event)]).toEqual([at, expect.arrayContaining(['erasure begun'])]);
      }
      await erase(set);
      expect([at, (await set.catalogue.recordings.find(id))?.status]).toEqual([at, 'erased']);
      expect([at, (await set.objects()).size, await set.spooled()]).toEqual([at, 0, []]);
      const ends = (await set.catalogue.auditTrail.of(id)).filter((line) => line.to === 'erased');
      expect([at, ends.length]).toEqual([at, 1]);
    }
    expect(killed).toBeGreaterThan(7);
  });
});

describe('a dry run', () => {
  test('tells what is due and changes nothing, beside another pass', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = keepUntil;
    await set.catalogue.leases.take('retention', elsewhere());
    const before = [
      await set.catalogue.recordings.find(id),
      await set.catalogue.auditTrail.of(id),
      await set.objects(),
    ];
    expect(await erase(set, { dryRun: true })).toEqual({
      due: 1,
      erased: 0,
      held: 0,
      locked: 0,
      doubtful: 0,
      head: 'unsigned',
      recordings: [{ id, keepUntil, outcome: 'due' }],
    });
    expect([
      await set.catalogue.recordings.find(id),
      await set.catalogue.auditTrail.of(id),
      await set.objects(),
    ]).toEqual(before);
    await expect(erase(set)).rejects.toMatchObject({ code: 'job_busy' });
  });
});

describe('a pass that was asked to stop', () => {
  test('erases no more', async () => {
    const set = await stage();
    await archived(set);
    const stop = new AbortController();
    stop.abort();
    set.clock.at = keepUntil;
    expect(await erase(set, { signal: stop.signal })).toMatchObject({ erased: 0 });
    expect((await set.objects()).size).toBe(2);
  });
});
