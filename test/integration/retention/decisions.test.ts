/** What was erased without a certificate stays erased when an older catalogue is put back. */
import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { ulid } from 'ulid';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { ledgerFindings } from '../../../src/cli/check/ledger.ts';
import { makeServices } from '../../../src/services/services.ts';
import { certificatesReplay, certificatesVerify } from '../../../src/cli/commands/retention/certificates.ts';
import { languagesForget } from '../../../src/cli/commands/languages.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { isoTime } from '../../../src/core/clock.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { openSigner, typeOfSigned } from '../../../src/core/crypto/signing.ts';
import { headType } from '../../../src/retention/heads/chainHead.ts';
import { copyMissingCertificates, replayLedger } from '../../../src/retention/certificates/copies.ts';
import { blindedCaller, issueDecision, type Decision } from '../../../src/retention/decision.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { decisionsIn } from '../../support/call/decisions.ts';
import { erasePass } from '../../support/retention/erasing.ts';
import { hash, number, subjectStage, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
const stage = (): Promise<SubjectStage> => subjectStage(folder.path(`${(places += 1)}`), open);
const none = {
  callersForgotten: 0,
  extensionsForgotten: 0,
  numbersForgotten: 0,
  languagesForgotten: 0,
  purposesShortened: 0,
};

let backups = 0;
/** The catalogue as it is now, for later; as a catalogue that was put back, with the ledger and the archive of then. */
function backup(set: SubjectStage): () => SubjectStage {
  const name = `${set.at}/backup-${(backups += 1)}.db`;
  const database = openSqlite(`${set.at}/catalogue.db`);
  database.exec(`VACUUM INTO '${name}'`);
  database.close();
  let restored = 0;

  return () => {
    const file = `${name}.${(restored += 1)}`;
    const copy = openSqlite(name);
    copy.exec(`VACUUM INTO '${file}'`);
    copy.close();
    const catalogue = open(file, set.clock);

    return { ...set, catalogue, decisions: decisionsIn(set.at, catalogue, set.clock) };
  };
}

const replay = (set: SubjectStage, dryRun = false) => replayLedger(set, { dryRun });
const endsOf = async ({ catalogue }: { catalogue: Catalogue }, id: RecordingId) =>
  Object.fromEntries(
    (await catalogue.recordings.purposeEnds(id)).map(({ purpose, keepUntil }) => [purpose, keepUntil]),
  );
const ledgerOf = ({ ledger }: SubjectStage): Promise<string> => readFile(ledger.file, 'utf8');
/** But for heads of the audit trail. */
const linesOf = async (set: SubjectStage): Promise<string[]> =>
  (await ledgerOf(set))
    .trim()
    .split('\n')
    .filter((line) => typeOfSigned(line) !== headType);
async function checked({ at, catalogue, clock, log }: SubjectStage) {
  const config = await loadConfig(`${at}/preavis.yaml`, {});

  return ledgerFindings(makeServices({ config, catalogue, clock, log, actor: 'check' }));
}
/** By what commands run on: the catalogue in its place is another one. */
async function putBack(set: SubjectStage, from: () => SubjectStage) {
  const { catalogue } = from();
  catalogue.close();
  set.catalogue.close();
  await copyFile(`${set.at}/backup-${backups}.db.1`, `${set.at}/catalogue.db`);
  const printed: string[] = [];
  const print = (line: string): number => printed.push(line);

  return { context: { configFile: `${set.at}/preavis.yaml`, environment: {}, clock: set.clock, print }, printed };
}

/** One person with a call that nothing was recorded of, a recording that evidence keeps, and a language; another recording. */
async function decided() {
  const set = await stage();
  await set.calledOnly(number, 'default', '102');
  await set.calledOnly('+3225550125', 'default', '101');
  await set.calledOnly('+3225550126', 'default', '103', '+3225550101');
  const kept = await set.called(number, { purposes: ['training', 'agreement'] });
  const other = await set.called('+3225550124', { purposes: ['training'] });
  await set.catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
  const others = `k0123456789abcde.${'b'.repeat(64)}`;
  await set.catalogue.preferences.set(others, 'fr', callStart + 200 * dayMs);
  const before = backup(set);
  expect(await set.erased()).toMatchObject({ code: 3, json: { unrecordedCalls: 1, languageRemembered: true } });
  const ofEmployee = { number: undefined, extension: '101', direct: '02 555 01 01' };
  expect(await set.erased(ofEmployee)).toMatchObject({ json: { unrecordedCalls: 1, recordings: [] } });
  const shorter = recorderEnd + 7 * dayMs;
  await set.decisions.shorten([{ recording: other.id, purpose: 'training', to: shorter }], 'storageTime');
  await copyMissingCertificates(set);
  const now = set.clock.now();

  return { set, before, kept, other, others, shorter, now };
}

describe('a catalogue that was put back', () => {
  test('forgets and ends again what was decided after its backup, once, and says so', async () => {
    const { set, before, kept, other, others, shorter, now } = await decided();
    const restored = before();
    const { catalogue } = restored;
    const was = { kept: await endsOf(restored, kept.id), other: await endsOf(restored, other.id) };
    expect(was.kept['training']).toBeGreaterThan(now);
    expect(was.other['training']).toBeGreaterThan(shorter);
    expect(await catalogue.callers.callsOf(hash, '', 10)).toHaveLength(2);
    expect(await catalogue.extensions.callsOf('101', '', 10)).toHaveLength(1);
    expect(await catalogue.dialled.callsOf('+3225550101', '', 10)).toHaveLength(1);

    const all = {
      callersForgotten: 1,
      extensionsForgotten: 1,
      numbersForgotten: 1,
      languagesForgotten: 1,
      purposesShortened: 2,
    };
    const words =
      '1 that forgot whose calls were, 1 that forgot which telephones were in calls, 1 that forgot which numbers were dialled, 1 that forgot languages, 2 that ended or shortened purposes';
    expect(await checked(restored)).toMatchObject([
      { ok: false, code: 'catalogue_restored', problem: expect.stringContaining(words) as string },
    ]);
    expect(await replay(restored, true)).toMatchObject({ decisions: all, refused: 0 });
    expect(await endsOf(restored, kept.id)).toEqual(was.kept);
    expect(await catalogue.preferences.find(hash)).toBe('nl');

    expect(await replay(restored)).toMatchObject({ decisions: all, refused: 0, erasedAgain: [] });
    expect(await catalogue.extensions.callsOf('101', '', 10)).toEqual([]);
    expect(await catalogue.dialled.callsOf('+3225550101', '', 10)).toEqual([]);
    expect(await catalogue.extensions.callsOf('102', '', 10)).toHaveLength(1);
    expect(await endsOf(restored, kept.id)).toEqual({ ...was.kept, training: now });
    expect(await endsOf(restored, other.id)).toEqual({ training: shorter });
    expect((await catalogue.recordings.find(other.id))?.keepUntil).toBe(shorter);
    expect((await catalogue.callers.callsOf(hash, '', 10)).map(({ call }) => call)).toEqual([kept.call]);
    expect(await catalogue.preferences.find(hash)).toBeUndefined();
    expect(await catalogue.preferences.find(others)).toBe('fr');
    const shortened = (await catalogue.auditTrail.of(other.id)).filter(({ event }) => event === 'kept shorter');
    expect(shortened).toMatchObject([
      { actor: 'test', detail: { purpose: 'training', to: shorter, basis: 'storageTime' } },
    ]);
    expect(await checked(restored)).toMatchObject([
      { ok: true, warning: expect.stringContaining(`decisions carried out again: ${words}`) as string },
    ]);

    expect(await replayLedger(restored, { dryRun: false, fromStart: true })).toMatchObject({
      decisions: none,
    });
    await copyMissingCertificates(restored);
    expect(await linesOf(restored)).toHaveLength(6);
    // Holds that were set since the backup are not in it.
    set.clock.at = recorderEnd + 8 * dayMs;
    await catalogue.passes.note('restoration', set.clock.at);
    await expect(erasePass(restored)).rejects.toMatchObject({ code: 'catalogue_restored' });
  });

  test('is told by the commands, which mend it', async () => {
    const { set, before, other, shorter } = await decided();
    const { context, printed } = await putBack(set, before);
    const said = (): string => printed.splice(0).join('\n');
    expect(await certificatesVerify(context, { offline: true, json: false })).toBe(3);
    expect(said()).toContain(
      'only the ledger has a decision (purposesShortened): preavis certificates replay mends it',
    );
    expect(await certificatesReplay(context, { dryRun: true, json: true })).toBe(3);
    const decisions = {
      callersForgotten: 1,
      extensionsForgotten: 1,
      numbersForgotten: 1,
      languagesForgotten: 1,
      purposesShortened: 2,
    };
    expect(JSON.parse(said())).toMatchObject({ dryRun: true, decisions, decisionsAgain: 0 });
    expect(await certificatesReplay(context, { dryRun: false, json: false })).toBe(0);
    expect(said()).toContain('decisions carried out again: 1 that forgot whose calls were');
    const catalogue = open(`${set.at}/catalogue.db`, set.clock);
    expect(await endsOf({ catalogue }, other.id)).toEqual({ training: shorter });
    expect(await certificatesVerify(context, { offline: true, json: false })).toBe(0);
  });

  test('shortens what was not finished at its backup when it is finished', async () => {
    const set = await stage();
    const call = await set.recorded(undefined, { keepDays: 28 });
    const before = backup(set);
    await finishRecordings(set);
    const to = recorderEnd + 3 * dayMs;
    await set.decisions.shorten([{ recording: call.id, purpose: 'training', to }], 'storageTime');
    await copyMissingCertificates(set);
    const restored = before();
    expect(await replay(restored)).toMatchObject({ decisions: { purposesShortened: 1 } });
    expect(await endsOf(restored, call.id)).toEqual({});
    await finishRecordings(restored);
    expect(await endsOf(restored, call.id)).toEqual({ training: to });
    expect(await restored.catalogue.recordings.find(call.id)).toMatchObject({ status: 'recorded', keepUntil: to });
  });

  test('is mended by two processes at once as by one', async () => {
    const { before, other } = await decided();
    const restored = before();
    const both = await Promise.all([replay(restored), replay(restored)]);
    const counts = both.map(({ decisions }) => Object.values(decisions).reduce((sum, each) => sum + each, 0));
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(6);
    expect(
      (await restored.catalogue.auditTrail.of(other.id)).filter(({ event }) => event === 'kept shorter'),
    ).toHaveLength(1);
  });

  test('reads what is in the ledger behind lines that were taken out of it', async () => {
    const set = await stage();
    const languages = [hash, `k0123456789abcde.${'c'.repeat(64)}`];
    const { id } = await set.called('+3225550124');
    await set.decisions.shorten([{ recording: id, purpose: 'training', to: recorderEnd + 20 * dayMs }], 'storageTime');
    for (const caller of languages) {
      await set.catalogue.preferences.set(caller, 'nl', callStart + 2 * dayMs);
      await set.decisions.forgetLanguages(caller);
    }
    await copyMissingCertificates(set);
    await replay(set);
    const before = backup(set);
    const { length } = await ledgerOf(set);
    set.clock.at = callStart + 3 * dayMs;
    await erasePass(set);
    expect(await linesOf(set)).toHaveLength(1);
    for (const days of [19, 18, 17]) {
      const to = recorderEnd + days * dayMs;
      await set.decisions.shorten([{ recording: id, purpose: 'training', to }], 'storageTime');
      await copyMissingCertificates(set);
    }
    // What came after the backup lies before the place up to which it was read.
    expect((await ledgerOf(set)).length).toBeGreaterThan(length);
    const restored = before();
    expect(await replay(restored)).toMatchObject({ decisions: { purposesShortened: 3 } });
    expect(await endsOf(restored, id)).toEqual({ training: recorderEnd + 17 * dayMs });
  });
});

describe('the ledger', () => {
  test('holds neither the number of a person nor its keyed hash, and of a language no longer than it would have been kept', async () => {
    const { set } = await decided();
    const text = (await linesOf(set)).map((line) => Buffer.from(line.split('.')[1] ?? '', 'base64url').toString());
    expect(text.join('\n')).toContain(blindedCaller(hash));
    for (const secret of [hash, hash.slice(17), number, number.slice(1)]) expect(text.join('\n')).not.toContain(secret);
    set.clock.at = callStart + 300 * dayMs;
    await erasePass(set, { clockIsRight: true });
    const left = (await linesOf(set)).map((line) => Buffer.from(line.split('.')[1] ?? '', 'base64url').toString());
    expect(left.join('\n')).not.toContain(blindedCaller(hash));
    expect(left.join('\n')).toContain('callersForgotten');
    expect((await set.catalogue.decisions.listBeyond('', 10)).map(({ kind }) => kind)).not.toContain(
      'languagesForgotten',
    );
  });

  test('gets what a process that was killed had decided, and gets back what it lost', async () => {
    const set = await stage();
    const { id } = await set.called('+3225550124');
    await set.decisions.shorten([{ recording: id, purpose: 'training', to: recorderEnd + 7 * dayMs }], 'storageTime');
    await expect(ledgerOf(set)).rejects.toThrow();
    await copyMissingCertificates(set);
    const lines = await ledgerOf(set);
    expect(await checked(set)).toEqual([{ check: 'erasure ledger', ok: true }]);
    await writeFile(set.ledger.file, '');
    expect(await checked(set)).toMatchObject([
      { ok: false, code: 'ledger_incomplete', problem: expect.stringContaining('1 decision ') as string },
    ]);
    const context = {
      configFile: `${set.at}/preavis.yaml`,
      environment: {},
      clock: set.clock,
      print: () => undefined,
    };
    expect(await certificatesReplay(context, { dryRun: false, json: false })).toBe(0);
    expect(await ledgerOf(set)).toBe(lines);
  });

  test('has each decision of the commands', async () => {
    const set = await stage();
    await set.catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
    const printed: string[] = [];
    const print = (line: string): number => printed.push(line);
    const context = { configFile: `${set.at}/preavis.yaml`, environment: {}, clock: set.clock, print };
    const forget = () =>
      languagesForget(
        context,
        { number, all: false, json: true },
        { firstLine: () => Promise.reject(new Error('input was read')) },
      );
    expect(await forget()).toBe(0);
    expect(JSON.parse(printed.join(''))).toMatchObject({ forgotten: 1, copyFailure: null });
    expect(await linesOf(set)).toHaveLength(1);
    await set.catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
    expect(await forget()).toBe(0);
    expect(await set.catalogue.preferences.find(hash)).toBeUndefined();
    expect(await linesOf(set)).toHaveLength(2);
    // There is nothing to be forgotten, and nothing is decided.
    expect(await forget()).toBe(0);
    expect(await linesOf(set)).toHaveLength(2);
  });
});

describe('a line that nobody of ours has decided', () => {
  const forged = async (set: SubjectStage, key: string, to: number, recording: RecordingId): Promise<string> => {
    const content: Decision = {
      decision: 1,
      id: ulid(),
      decidedAt: isoTime(set.clock.now()),
      neededUntil: isoTime(set.clock.now() + 100 * dayMs),
      what: { kind: 'purposesShortened', basis: 'person', ends: [{ recording, purpose: 'training', to: isoTime(to) }] },
    };

    return (await issueDecision(content, await openSigner(`${set.at}/${key}`))).jws;
  };

  test('ends nothing: signed by another key, changed, or cut', async () => {
    const set = await stage();
    const { id } = await set.called('+3225550124');
    const was = await endsOf(set, id);
    const other = await forged(set, 'forged.pem', callStart, id);
    const own = await forged(set, 'signing-key.pem', callStart, id);
    const [head = '', , tail = ''] = own.split('.');
    const payload = Buffer.from(JSON.stringify({ decision: 1, what: {} })).toString('base64url');
    await appendFile(set.ledger.file, `${[other, `${head}.${payload}.${tail}`, own.slice(0, -9)].join('\n')}\n`);
    expect(await replay(set)).toMatchObject({ decisions: none, refused: 3 });
    expect(await endsOf(set, id)).toEqual(was);
    expect(await checked(set)).toMatchObject([
      {
        ok: true,
        warning: expect.stringMatching(/^1 certificate or decision was signed by a key .*; 2 lines are no/) as string,
      },
    ]);
    // One that is trusted later is not passed over.
    const { kid } = await openSigner(`${set.at}/forged.pem`);
    const trusts = (each: string): Promise<boolean> => Promise.resolve(each === kid);
    expect(await replay({ ...set, trusts })).toMatchObject({ decisions: { purposesShortened: 1 } });
    expect(await endsOf(set, id)).toEqual({ training: callStart });
  });

  test('ends nothing that its own time is over for, and puts no end back', async () => {
    const set = await stage();
    const { id } = await set.called('+3225550124');
    const was = await endsOf(set, id);
    const later = await forged(set, 'signing-key.pem', recorderEnd + 4_000 * dayMs, id);
    const old = await forged(set, 'signing-key.pem', callStart, id);
    await appendFile(set.ledger.file, `${later}\n`);
    await replay(set);
    expect(await endsOf(set, id)).toEqual(was);
    await appendFile(set.ledger.file, `${old}\n`);
    set.clock.at += 101 * dayMs;
    expect(await replay(set)).toMatchObject({ decisions: none, refused: 0 });
    expect(await endsOf(set, id)).toEqual(was);
  });
});
