import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { PersonOptions } from '../../../src/cli/personAsked.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { faultsOf, inBrowser } from '../../support/browser/chromium.ts';
import { callStart } from '../../support/call/calls.ts';
import {
  hashKey,
  number,
  numberKey,
  subjectStage,
  unzipped,
  type SubjectStage,
} from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What is kept of an employee is found by the telephone that they had. */

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
const privacy = { hashKey, numberKey, keepExtensions: true };
const stage = (over: Record<string, unknown> = {}, companies: string[] = []): Promise<SubjectStage> =>
  subjectStage(folder.path(`${(places += 1)}`), open, { ...privacy, ...over }, companies);

const bucket = 'employees';
const s3 = useS3Server({ [bucket]: {} });

/** A stage whose commands and uploads use a real server. */
async function stageOnServer() {
  const set = await stage();
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const minio = { endPoint, port, accessKey, secretKey, bucket, useTls: false };
  const tree = JSON.parse(await readFile(set.configFile, 'utf8')) as object;
  await writeFile(set.configFile, JSON.stringify({ ...tree, archive: { store: 'minio', minio } }));

  return { ...set, store: makeMinioStore({ ...minio, region: s3.server.region }) };
}

const other = '+3225550124';
const digits = /555\W?01\W?2[34]/;
const employee = { number: undefined, extension: '101' };

type Index = {
  asker: string;
  extension: string | null;
  number: string | null;
  calls: Record<string, unknown>[];
};
async function exportOf(set: SubjectStage, options: Parameters<SubjectStage['exported']>[0] = employee) {
  const output = join(set.at, `${(places += 1)}.zip`);
  const answer = await set.exported({ ...options, output });
  const files = await unzipped(await readFile(output));
  const index = JSON.parse(files.get('index.json')?.toString() ?? '') as Index;

  return { answer, files, index, page: files.get('index.html')?.toString() ?? '' };
}

/** The extension answered two calls of two callers, one of them for evidence; a colleague a third. */
async function answered(set: SubjectStage, archived = true) {
  return {
    training: await set.called(number, { extension: '101', archived }),
    evidence: await set.called(other, { extension: '101', archived, purposes: ['training', 'agreement'] }),
    colleague: await set.called(number, { extension: '102', archived }),
    unrecorded: await set.calledOnly(number, 'default', '101'),
  };
}

describe('the calls of a telephone', () => {
  test('are listed with when, what for and until when they are kept, and with nobody else', async () => {
    const set = await stage();
    const { training, evidence, unrecorded } = await answered(set);
    const { code, json, text } = await set.listed(employee);
    expect(code).toBe(0);
    const { calls } = json as { calls: { id: string; recording: object | null; purposes: { keepUntil: string }[] }[] };
    expect(calls.map(({ id }) => id)).toEqual([training.call, evidence.call, unrecorded]);
    expect(calls[1]).toMatchObject({
      line: 'default',
      purposes: [{ purpose: 'training' }, { purpose: 'agreement' }],
      recording: { id: evidence.id, status: 'archived' },
    });
    expect(calls[0]?.purposes[0]?.keepUntil).toMatch(/^\d{4}-/);
    expect(calls[2]?.recording).toBeNull();
    expect(text).not.toMatch(digits);
    const table = await set.listed({ ...employee, json: false });
    expect(table.text).toContain(training.call);
    expect(table.text).toContain('calls passed on to this one are not among them');
    const whoever = 'these are all calls of this telephone, whoever had it';
    expect(table.text).toContain(whoever);
    const from = new Date(callStart - dayMs).toISOString().slice(0, 10);
    expect((await set.listed({ ...employee, from, json: false })).text).not.toContain(whoever);
    expect((await set.erased({ ...employee, apply: false, json: false })).text).toContain(whoever);
  });

  test('are those of the days on which it was theirs', async () => {
    const set = await stage();
    await answered(set);
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const after = { ...employee, from: day(callStart + 2 * dayMs) };
    const [within, before] = [
      { ...employee, from: day(callStart - dayMs) },
      { ...employee, from: day(callStart - 9 * dayMs), to: day(callStart - dayMs) },
    ];
    set.clock.at += 5 * dayMs;
    const callsOf = async (options: object) => ((await set.listed(options)).json as { calls: object[] }).calls.length;
    expect([await callsOf(within), await callsOf(before), await callsOf(after)]).toEqual([3, 0, 0]);
    expect(await set.erased({ ...after })).toMatchObject({ code: 0, json: { calls: 0 } });
    expect((await exportOf(set, within)).page).toContain('Only calls that began from');
  });

  test('of one company have none of another', async () => {
    const set = await stage({}, ['acme']);
    const own = await set.called(number, { extension: '101' });
    const acme = await set.called(number, { extension: '101', line: 'acme' });
    const unrecorded = await set.calledOnly(number, 'default', '101');
    await expect(set.listed(employee)).rejects.toMatchObject({ code: 'usage' });
    expect(await set.listed({ ...employee, controller: 'acme' })).toMatchObject({
      json: { calls: [{ id: acme.call }] },
    });
    const { index } = await exportOf(set, { ...employee, controller: 'acme' });
    expect(index.calls).toMatchObject([{ id: acme.call }]);
    expect(await set.erased({ ...employee, controller: 'acme' })).toMatchObject({ code: 0, json: { calls: 1 } });
    expect((await set.catalogue.recordings.find(own.id))?.status).toBe('archived');
    expect(await set.catalogue.extensions.callsOf('101', '', 9)).toEqual([own.call, unrecorded]);
  });

  test('that are not kept are told as such, and so is a telephone that nobody of the house has', async () => {
    const set = await stage();
    expect(await set.listed({ ...employee, json: false })).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^no calls of this extension\n.*is it written as Asterisk has it/) as string,
    });
    const without = await stage({ keepExtensions: false });
    await without.called(number, { extension: '101' });
    for (const answer of [await without.listed(employee), await without.exported({ ...employee })]) {
      expect(answer).toMatchObject({ code: 3, json: { extensionsKept: false } });
    }
    expect((await without.erased({ ...employee, json: false })).text).toContain('privacy.keepExtensions is false');
  });

  test.each<[PersonOptions, string]>([
    [{ extension: '101', number }, 'give --number, for a caller, or --extension, for an employee'],
    [{}, 'give --number, for a caller, or --extension, for an employee'],
    [{ number, from: 'today' }, '--from and --to are for --extension'],
    [{ number, direct: '101' }, '--direct is for --extension'],
    [{ extension: '101', direct: 'a b' }, '--direct is a number of yours, such as +32 2 555 01 01, or an extension'],
    [{ extension: '101', to: 'today' }, '--to needs --from'],
    [{ extension: '101', from: 'monday' }, '--from is a day such as 2026-08-24, or today, or yesterday'],
    [{ extension: '101', from: '2026-08-24', to: '2026-08-23' }, '--from is not before --to, or is in the future'],
    ...['', '10*', '_1XX', 'PJSIP/101', 'a b'].map((extension): [PersonOptions, string] => [
      { extension },
      '--extension is the name of one endpoint of Asterisk, such as 101',
    ]),
  ])('are not looked for by %j', async (options, message) => {
    const set = await stage();
    const asked = { number: undefined, ...options };
    const asks = [() => set.listed(asked), () => set.exported(asked), () => set.erased(asked)];
    for (const ask of asks) {
      await expect(ask()).rejects.toMatchObject({ code: 'usage', message });
    }
  });
});

describe('the direct number of an employee', () => {
  const direct = '+3225550101';
  const withDirect = { ...employee, direct: '02 555 01 01' };

  /** One call that they answered, two that a colleague and nobody did, and one of another number. */
  async function dialled(set: SubjectStage) {
    return {
      own: await set.called(number, { extension: '101', dialled: direct, purposes: ['agreement'] }),
      colleague: await set.called(other, { extension: '102', dialled: direct }),
      nobody: await set.calledOnly(number, 'default', undefined, direct),
      elsewhere: await set.calledOnly(number, 'default', '102', '+3225550102'),
    };
  }

  test('finds when it was dialled, whoever answered, and hands out nothing that others said', async () => {
    const set = await stage({ dialledDays: 90 });
    const { own, colleague, nobody } = await dialled(set);
    const found = await set.listed(withDirect);
    expect(found).toMatchObject({ code: 0, json: { calls: [{ id: own.call, dialled: direct }] } });
    expect((found.json as { direct: object[] }).direct).toMatchObject(
      [own.call, colleague.call, nobody].map((id) => ({ id, line: 'default' })),
    );
    const { files, index, page } = await exportOf(set, withDirect);
    expect(index.calls).toMatchObject([{ id: own.call, dialled: direct }]);
    expect(index).toMatchObject({ direct: { number: direct, calls: [{}, {}, {}] } });
    expect([...files.keys()].join()).not.toContain(colleague.id);
    expect(JSON.stringify(index)).not.toContain(colleague.call);
    expect(page).toContain('When it was dialled, whoever answered');
    expect((await exportOf(set)).index).toMatchObject({ direct: null });
    const away = { ...withDirect, from: '2020-01-01', to: '2020-01-02' };
    expect((await set.listed(away)).json).toMatchObject({ calls: [], direct: [] });
  });

  test('is forgotten, and the recordings of others stay', async () => {
    const set = await stage({ dialledDays: 90 });
    const { own, colleague, nobody, elsewhere } = await dialled(set);
    const held = await set.called(other, { extension: '102', dialled: direct });
    const until = set.clock.now() + 500 * dayMs;
    await set.catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: held.id, ground: 'dispute', reason: 'claim', author: 'officer' },
      ...{ reviewAt: until, expiresAt: until },
    });
    const preview = await set.erased({ ...withDirect, apply: false, json: false });
    expect(preview.text).toContain('that their direct number was dialled in 3 calls would be forgotten');
    expect(await set.catalogue.dialled.of(nobody)).toBe(direct);
    const file = join(set.at, 'answer.html');
    expect(await set.erased({ ...withDirect, answer: file, language: 'en' })).toMatchObject({
      json: { calls: 1, directCalls: 3, answer: { failure: null } },
    });
    expect(await readFile(file, 'utf8')).toContain('no longer keep that your direct number was dialled');
    for (const call of [own.call, colleague.call, nobody]) {
      expect(await set.catalogue.dialled.of(call)).toBeUndefined();
    }
    expect(await set.catalogue.dialled.of(elsewhere)).toBe('+3225550102');
    expect(await set.catalogue.dialled.of(held.call)).toBe(direct);
    expect((await set.catalogue.recordings.find(colleague.id))?.status).toBe('archived');
    expect(await set.catalogue.extensions.of(colleague.call)).toBe('102');
    expect(await set.erased(withDirect)).toMatchObject({ json: { directCalls: 0 } });
  });

  test('is told of where it is not kept, and of one company has none of another', async () => {
    const set = await stage({}, ['acme']);
    await set.called(number, { extension: '102', line: 'acme', dialled: direct });
    const answer = await set.listed({ ...withDirect, controller: 'own', json: false });
    expect(answer).toMatchObject({ code: 3, text: expect.stringContaining('privacy.dialledDays is 0') as string });
    expect((await set.listed({ ...withDirect, controller: 'own' })).json).toMatchObject({ direct: [] });
    expect((await set.listed({ ...withDirect, controller: 'acme' })).json).toMatchObject({ direct: [{}] });
  });
});

describe('an export for an employee', () => {
  test('has the recordings from the archive, and nothing that is of the other person alone', async () => {
    const set = await stageOnServer();
    const { id, call, wav } = await set.called(number, { extension: '101', archived: false });
    const signal = new AbortController().signal;
    await uploadPass({ ...set, store: set.store }, { waitMs: 0, signal, all: true });
    await set.catalogue.preferences.set('k', 'nl', callStart + 300 * dayMs);
    const { answer, files, index, page } = await exportOf(set);
    expect(answer).toMatchObject({ code: 0, json: { calls: 1, recordings: 1 } });
    const sound = [...files].find(([name]) => name.endsWith(`${id}.wav`));
    expect(sound?.[1].equals(wav)).toBe(true);
    expect([...files.keys()].filter((name) => name.startsWith('receipts/'))).toEqual([]);
    expect(index).toMatchObject({
      ...{ asker: 'employee', extension: '101', number: null, rememberedLanguage: null },
      calls: [{ id: call, languages: [], reason: null, consent: null, receipt: null }],
    });
    expect(page).toContain('by the company’s notice to employees, not in each call');
    for (const [name, bytes] of files) if (!name.endsWith('.wav')) expect(bytes.toString()).not.toMatch(digits);
    const { text } = await set.exported({ ...employee, json: false, force: true });
    expect(text).toContain('it holds the voices of others, too');
  });

  test('has how their calls were rated and what was written about them, and not by whom', async () => {
    const set = await stage();
    const { id } = await set.called(number, { extension: '101' });
    const { annotations, comments } = set.catalogue;
    const by = 'user:carla';
    const note = { event: 'annotated', actor: by };
    const criteria = [{ criterion: 'greeting', value: 3, points: 5 }];
    await annotations.rate(id, { criteria, score: 50, by, at: callStart }, { version: 0, note });
    await annotations.setTags(id, ['vip'], { version: 1, note });
    const comment = { id: makeIds().comment(), recording: id, atMs: 300, text: 'Names the company at once' };
    await comments.add({ ...comment, author: by, writtenAt: callStart }, note);
    const { index, page, files } = await exportOf(set);
    expect(index.calls).toMatchObject([
      {
        recording: {
          tags: [],
          rating: { score: 50, criteria: [{ criterion: 'greeting', value: 3, points: 5 }] },
          comments: [{ atMs: 300, text: comment.text }],
        },
      },
    ]);
    expect(page).toContain('greeting: 3 of 5');
    expect(page).toContain(comment.text);
    for (const [name, bytes] of files) if (!name.endsWith('.wav')) expect(bytes.toString()).not.toContain('carla');
    // It tells of who answered.
    expect((await exportOf(set, {})).index.calls).toMatchObject([{ recording: { tags: ['vip'], rating: null } }]);
  });

  test('does not say on which ground a recording is held, which may be a request of the caller', async () => {
    const set = await stage();
    const { id } = await set.called(number, { extension: '101' });
    const until = set.clock.now() + 500 * dayMs;
    await set.catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: id, ground: 'restriction', reason: 'they asked', author: 'officer' },
      ...{ reviewAt: until, expiresAt: until },
    });
    const { index, page } = await exportOf(set);
    expect(index.calls).toMatchObject([{ recording: { holds: [{ ground: null, inForce: true }] } }]);
    expect(page).not.toContain('at your request');
    expect((await exportOf(set, {})).page).toContain('at your request');
  });

  test('is in the audit trail without the telephone, and the caller is told that the other person got it', async () => {
    const set = await stage();
    const { id } = await set.called(number, { extension: 'annas-desk' });
    await exportOf(set, { number: undefined, extension: 'annas-desk' });
    const steps = await set.catalogue.auditTrail.of(id);
    expect(steps.filter(({ event }) => event.startsWith('export'))).toMatchObject([
      { event: 'export for the person begun', detail: { person: 'employee' } },
      { event: 'exported for the person', detail: { person: 'employee' } },
    ]);
    expect(JSON.stringify(steps)).not.toContain('anna');
    expect((await exportOf(set, {})).page).toContain('handed out to the other person in the call');
    const own = await exportOf(set, { number: undefined, extension: 'annas-desk' });
    expect(own.page).toContain('handed out to you');
    expect(own.page).toContain('handed out to the other person in the call');
  });

  inBrowser('has nothing that axe-core finds, and fits a telephone', async () => {
    const set = await stage();
    await answered(set);
    const own = join(set.at, 'browser');
    await mkdir(own);
    for (const language of ['fr', 'nl', 'de', 'en']) {
      const { page: html } = await exportOf(set, { ...employee, language });
      expect(
        await faultsOf(
          [1200, 400].map((width) => ({ name: `index-${language}`, width, html })),
          own,
        ),
      ).toEqual([]);
    }
  });
});

describe('an erasure for an employee', () => {
  test('says first what it would do, and changes nothing', async () => {
    const set = await stage();
    const { training, evidence } = await answered(set);
    const { code, text } = await set.erased({ ...employee, apply: false, json: false });
    expect(code).toBe(3);
    expect(text).toContain(`${training.id}  would be erased`);
    expect(text).toContain(`${evidence.id}  kept for agreement: evidence for legal claims (GDPR art. 17(3)(e))`);
    expect(text).toContain('that this telephone was in 1 call without a recording would be forgotten');
    expect(await set.catalogue.extensions.callsOf('101', '', 9)).toHaveLength(3);
    expect((await set.catalogue.recordings.find(training.id))?.status).toBe('archived');
  });

  test('erases their recordings and their trace, keeps evidence with its reason, and leaves those of others', async () => {
    const set = await stageOnServer();
    const calls = await answered(set, false);
    const signal = new AbortController().signal;
    await uploadPass({ ...set, store: set.store }, { waitMs: 0, signal, all: true });
    const erased = await set.erased({ ...employee });
    expect(erased).toMatchObject({
      code: 3,
      json: {
        ...{ applied: true, calls: 3, unrecordedCalls: 1, languageRemembered: false, extensionsKept: true },
        recordings: [
          { id: calls.training.id, outcome: { kind: 'erased', certificate: 1 } },
          {
            id: calls.evidence.id,
            outcome: { kind: 'kept', exceptions: [{ ground: 'evidence', purpose: 'agreement' }], ended: ['training'] },
          },
        ],
      },
    });
    expect(await set.catalogue.extensions.callsOf('101', '', 9)).toEqual([calls.evidence.call]);
    expect(await set.catalogue.extensions.callsOf('102', '', 9)).toEqual([calls.colleague.call]);
    // Whose the call without a recording was is the caller's to ask for.
    expect(await set.listed({ number })).toMatchObject({
      json: { calls: [{ id: calls.colleague.call }, { id: calls.unrecorded }] },
    });
    const database = openSqlite(join(set.at, 'catalogue.db'));
    const steps = JSON.stringify(database.prepare('SELECT * FROM audit').all());
    database.close();
    expect(steps).not.toMatch(/"101"|extension/);
    // Once more there is nothing to do but for what is kept.
    expect(await set.erased({ ...employee })).toMatchObject({ json: { calls: 1, unrecordedCalls: 0 } });
    expect(await set.erased({ ...employee, includeEvidence: true })).toMatchObject({ code: 0 });
    expect(await set.listed(employee)).toMatchObject({ code: 0, json: { calls: [] } });
  });

  test('is answered in the language that is asked for, or else the first of the company', async () => {
    const set = await stage();
    await answered(set);
    const file = join(set.at, 'answer.html');
    expect(await set.erased({ ...employee, answer: file, language: 'nl' })).toMatchObject({
      json: { answer: { file, language: 'nl', failure: null } },
    });
    const page = await readFile(file, 'utf8');
    expect(page).toContain('dat uw toestel aan het gesprek deelnam');
    expect(page).not.toContain('101');
    const { json } = await set.erased({ ...employee, answer: file, force: true });
    expect(json).toMatchObject({ answer: { language: 'fr' } });
  });
});
