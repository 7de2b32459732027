import { execFileSync, spawnSync } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeNumberReader } from '../../../src/call/plan/callerStore.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makeBundle } from '../../../src/evidence/bundle/bundle.ts';
import { bundlePorts } from '../../../src/services/evidence.ts';
import { makeServices } from '../../../src/services/services.ts';
import { addArchives, type ArchiveServices } from '../../../src/services/store.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { exportForPerson } from '../../../src/dataSubject/export.ts';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import type { PersonIndex } from '../../../src/dataSubject/personIndex.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import {
  forms,
  hash,
  hashKey,
  number,
  subjectStage,
  unzipped,
  type SubjectStage,
} from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
const stage = (privacy?: Record<string, unknown>): Promise<SubjectStage> =>
  subjectStage(folder.path(`${(places += 1)}`), open, privacy);

async function opened({ at }: SubjectStage): Promise<{ files: Map<string, Buffer>; index: PersonIndex; page: string }> {
  const files = await unzipped(await readFile(join(at, 'out.zip')));
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';

  return { files, index: JSON.parse(text('index.json')) as PersonIndex, page: text('index.html') };
}

async function servicesOf({ at, catalogue, clock, log }: SubjectStage): Promise<ArchiveServices> {
  const config = await loadConfig(join(at, 'preavis.yaml'), {});

  return addArchives(makeServices({ config, catalogue, clock, log, actor: 'user alice' }));
}

const digits = /2?\s*555\W?01\W?23|25550123/;

describe('what is kept of a person', () => {
  test('is found by any form of the number, and is in the ZIP byte for byte', async () => {
    const set = await stage();
    const calls = [];
    for (const form of forms) calls.push(await set.called(form, { archived: calls.length > 0 }));
    const other = await set.called('+3225550124');
    const silent = await set.calledOnly(number);
    expect(await set.exported({ number: forms[2] ?? '' })).toMatchObject({
      code: 0,
      json: { calls: 4, recordings: 3, absent: [], unreadable: [], language: 'en' },
    });
    const { files, index } = await opened(set);
    for (const { call, id, wav } of calls) {
      const entry = index.calls.find((each) => each.id === call);
      const file = entry?.recording?.file;
      expect(file).toMatchObject({ kind: 'included', bytes: wav.length });
      expect(files.get(`recordings/2026-08-24-${id}.wav`)?.equals(wav)).toBe(true);
      expect(JSON.parse(files.get(`receipts/${call}.json`)?.toString() ?? '')).toMatchObject({ call: { id: call } });
    }
    expect(index.calls.find(({ id }) => id === silent)).toMatchObject({
      recording: null,
      result: 'abandoned',
      told: false,
      earlierNotice: null,
    });
    expect(index.calls.filter(({ told }) => told).map(({ id }) => id)).toEqual(calls.map(({ call }) => call));
    expect([...files.keys()].some((name) => name.includes(other.id) || name.includes(other.call))).toBe(false);
    expect(index.number).toBe(number);
    expect((await stat(join(set.at, 'out.zip'))).mode & 0o777).toBe(0o600);
    expect((await readdir(set.at)).filter((name) => name.startsWith('.preavis-'))).toEqual([]);
  });

  test('says why, on which basis, until when, who has held it, and who was given it', async () => {
    const set = await stage();
    const { id } = await set.called(number, { purposes: ['training', 'agreement'] });
    const { catalogue } = set;
    await catalogue.legalHolds.set({
      id: '01K00000000000000000000000' as never,
      recording: id,
      ground: 'dispute',
      reason: 'Mr Smith of room 12',
      author: 'user alice',
      reviewAt: callStart + 10 * dayMs,
      expiresAt: callStart + 500 * dayMs,
    });
    await catalogue.auditTrail.append(id, {
      event: 'fetched',
      actor: 'user alice',
      detail: { purpose: 'training' },
    });
    await catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
    expect(await set.exported()).toMatchObject({ code: 0 });
    const { index, page, files } = await opened(set);
    const [call] = index.calls;
    expect(call?.purposes.map((each) => [each.id, each.justification, each.legalBasis, each.keepUntil])).toEqual([
      ['training', 'since <we> must', 'law & order', '2026-09-21T10:01:20.010Z'],
      ['agreement', 'since <we> must', 'law & order', '2027-09-23T10:01:20.010Z'],
    ]);
    expect(call?.recording?.holds).toMatchObject([{ ground: 'dispute', inForce: true }]);
    expect(call?.recording?.listened).toMatchObject([{ what: 'fetched', purpose: 'training', by: 'operator' }]);
    expect(index).toMatchObject({ rememberedLanguage: 'nl', controller: { name: 'Exemple & Fils SA' } });
    expect(page).toContain('since &lt;we&gt; must');
    expect(page).toContain('Exemple &amp; Fils SA');
    expect(page).toContain(number);
    // Who runs the company's commands, and what was written of a hold, is not the person's to know.
    for (const content of files.values()) expect(content.toString('latin1')).not.toMatch(/alice|Smith/);
    expect((await catalogue.auditTrail.of(id)).slice(-2).map(({ event }) => event)).toEqual([
      'export for the person begun',
      'exported for the person',
    ]);
    expect(await set.exported({ force: true })).toMatchObject({ code: 0 });
    expect((await opened(set)).index.calls[0]?.recording?.listened.map(({ what }) => what)).toEqual([
      'fetched',
      'exported',
    ]);
  });

  test('has the texts of the company in the language of the person, where it gives several', async () => {
    const set = await stage();
    await set.called(number);
    const by = (word: string) => ({
      fr: `${word} en français`,
      nl: `${word} in het Nederlands`,
      de: `${word} auf Deutsch`,
      en: `${word} in English`,
    });
    const database = openSqlite(join(set.at, 'catalogue.db'));
    const rules = { justification: by('learn'), legalBasis: by('law'), keepDays: 28 };
    database.prepare('UPDATE policies SET content = ?').run(JSON.stringify({ purposes: { training: rules } }));
    database.close();
    const file = join(set.at, 'preavis.yaml');
    const tree = JSON.parse(await readFile(file, 'utf8')) as { lines: Record<string, object>; controller: object };
    const lines = { ...tree.lines, default: { ...tree.lines['default'], names: by('line') } };
    const controller = { ...tree.controller, transfers: by('none') };
    await writeFile(file, JSON.stringify({ ...tree, lines, controller }));
    for (const [language, words] of [
      ['nl', 'in het Nederlands'],
      ['en', 'in English'],
    ] as const) {
      expect(await set.exported({ language, force: true })).toMatchObject({ code: 0 });
      const { index, page } = await opened(set);
      expect(index).toMatchObject({
        controller: { transfers: `none ${words}` },
        calls: [
          {
            line: 'default',
            lineName: `line ${words}`,
            purposes: [{ justification: `learn ${words}`, legalBasis: `law ${words}` }],
          },
        ],
      });
      for (const word of ['none', 'line', 'learn', 'law']) expect(page).toContain(`${word} ${words}`);
    }
  });

  test('tells a bundle of evidence as one handing out', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const ports = await bundlePorts(await servicesOf(set), { version: '0.0.0', timestampUrl: undefined });
    const target = { file: join(set.at, 'bundle.zip'), replace: false };
    const signal = new AbortController().signal;
    await makeBundle(ports, { id, purpose: 'training', history: 'whole', target, progress: () => undefined, signal });
    expect(await set.exported()).toMatchObject({ code: 0 });
    const { index, page } = await opened(set);
    expect(index.calls[0]?.recording?.listened).toMatchObject([{ what: 'bundled', purpose: 'training' }]);
    expect(page.match(/by a member of staff/g)).toHaveLength(1);
    expect(page).toContain('handed out as evidence');
  });

  test('is named where it is missing, with why, and the rest is there', async () => {
    const set = await stage();
    const [altered, gone, well] = [await set.called(number), await set.called(number), await set.called(number)];
    const going = await set.recorded(undefined, { until: 'talking' });
    await set.catalogue.callers.keep({ call: going.facts.id, hash, sealed: null });
    const fileOf = ({ id }: { id: typeof altered.id }): string =>
      join(set.at, 'archive', objectKeys(id, callStart + 20_000).wav);
    await writeFile(fileOf(altered), Buffer.alloc(altered.wav.length));
    await rm(fileOf(gone));
    const answer = await set.exported();
    expect(answer).toMatchObject({ code: 3, json: { calls: 4, recordings: 1 } });
    expect(answer.json['absent']).toEqual([
      { id: altered.id, why: { reason: 'unreadable', code: 'recording_altered' } },
      { id: gone.id, why: { reason: 'unreadable', code: 'archive_object_missing' } },
      { id: going.id, why: { reason: 'unfinished' } },
    ]);
    const { files, page } = await opened(set);
    expect([...files.keys()].filter((name) => name.endsWith('.wav'))).toEqual([`recordings/2026-08-24-${well.id}.wav`]);
    expect(page).toContain('The recording could not be read.');
    expect(page).toContain('The recording is not finished yet.');
    expect((await set.catalogue.auditTrail.of(altered.id)).map(({ event }) => event)).not.toContain(
      'exported for the person',
    );
  });

  test('is in no file where the number is of nobody, and takes no name that is taken', async () => {
    const set = await stage();
    await set.called(number);
    expect(await set.exported({ number: '+3225550999', json: false })).toMatchObject({
      code: 0,
      text: 'no calls of this number',
    });
    expect(await readdir(set.at)).not.toContain('out.zip');
    await writeFile(join(set.at, 'out.zip'), 'mine');
    await expect(set.exported()).rejects.toMatchObject({ code: 'usage' });
    expect(await readFile(join(set.at, 'out.zip'), 'utf8')).toBe('mine');
    expect(await set.exported({ force: true })).toMatchObject({ code: 0 });
    await expect(set.exported({ output: join(set.at, 'none', 'out.zip') })).rejects.toMatchObject({
      code: 'output_unwritable',
    });
  });

  test('has no number where none is kept, and the number is in no bytes of the catalogue and in nothing printed', async () => {
    for (const privacy of [{ hashKey }, undefined]) {
      const set = await stage(privacy);
      const { call } = await set.called(number);
      const answers = [await set.exported({ json: false }), await set.exported({ force: true })];
      expect((await opened(set)).index.number).toBe(privacy === undefined ? number : null);
      for (const { text } of answers) expect(text).not.toMatch(digits);
      const [kept] = await set.catalogue.callers.callsOf(hash, '', 10);
      expect(kept).toMatchObject({ call, sealed: privacy === undefined ? (expect.any(String) as string) : null });
      for (const name of await readdir(set.at)) {
        if (!/^catalogue|jsonl$/.test(name)) continue;
        const bytes = await readFile(join(set.at, name), 'latin1');
        expect(bytes).not.toMatch(digits);
        if (name === 'catalogue.db-wal') expect(bytes).toContain(hash);
      }
    }
  });

  test('is in no file, whole or in part, when the command is stopped or fails', async () => {
    const set = await stage();
    await set.called(number);
    await set.called(number);
    const services = await servicesOf(set);
    const ports = {
      ...services,
      numberOf: makeNumberReader(services.config.privacy.numberKey),
      operator: services.actor,
    };
    const target = { file: join(set.at, 'out.zip'), replace: false };
    const order = { person: { kind: 'caller', hash }, language: 'en', target, progress: () => undefined } as const;
    const stop = new AbortController();
    const reason = new PreavisError('interrupted', 'nothing was exported');
    const stopping = exportForPerson(ports, {
      ...order,
      signal: stop.signal,
      progress: () => {
        stop.abort(reason);
      },
    });
    await expect(stopping).rejects.toBe(reason);
    const failing = {
      ...ports,
      catalogue: {
        ...set.catalogue,
        calls: { ...set.catalogue.calls, policy: () => Promise.reject(new Error('a fault')) },
      },
    };
    const signal = new AbortController().signal;
    await expect(exportForPerson(failing, { ...order, signal })).rejects.toThrow('a fault');
    expect((await readdir(set.at)).filter((name) => /\.zip$|^\.preavis-/.test(name))).toEqual([]);
    expect(await exportForPerson(ports, { ...order, signal })).toMatchObject({ calls: 2 });
  });

  test('cannot be looked for without the key, or by what is no number, and neither repeats it', async () => {
    const without = await stage({});
    const { call } = await without.called(number);
    await expect(without.exported()).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await without.catalogue.callers.callsOf(hash, '', 10)).toEqual([]);
    expect(call).toBeDefined();
    const set = await stage();
    // One after the other: nobody would wait for the second while the first is awaited.
    for (const run of [() => set.exported({ number: '555 x' }), () => set.erased({ number: '555 x' })]) {
      await expect(run()).rejects.toMatchObject({
        code: 'usage',
        message: '--number is not a telephone number',
        hint: expect.stringContaining('as it is dialled within BE (notice.defaultCountry)') as string,
      });
    }
  });
});

describe('the page', () => {
  const words = { fr: 'Vos appels', nl: 'Uw gesprekken', de: 'Ihre Gespräche', en: 'Your calls' } as const;
  const purposeNames: Record<string, string> = { fr: 'nom', nl: 'naam', de: 'Name', en: 'name' };
  const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync('which', [name]).status === 0,
  );

  test.each(Object.entries(words))('is in %s, whole by itself', async (language, heading) => {
    const set = await stage();
    await set.called(number, { purposes: ['training', 'agreement'] });
    expect(await set.exported({ language })).toMatchObject({ code: 0, json: { language } });
    const { page } = await opened(set);
    expect(page).toContain(`<html lang="${language}">`);
    expect(page).toContain(heading);
    expect(page).toContain(`<th scope="row">${purposeNames[language]}</th>`);
    expect(page).not.toMatch(/undefined|\[object|<script|https?:/);
    for (const [, address = ''] of page.matchAll(/href="([^"]*)"/g))
      expect(address).toMatch(/^(recordings|receipts)\//);
    if (browser === undefined) return;
    const [source, shot] = [join(set.at, 'index.html'), join(set.at, 'index.png')];
    await writeFile(source, page);
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--window-size=900,1600', `--screenshot=${shot}`];
    execFileSync(browser, [...flags, `file://${source}`], { stdio: 'ignore' });
    expect((await stat(shot)).size).toBeGreaterThan(20_000);
  });

  test('is in the language that the person was last spoken to in, where nobody says another', async () => {
    const set = await stage();
    await set.called(number);
    expect(await set.exported({ language: undefined })).toMatchObject({ json: { language: 'fr' } });
    await set.catalogue.preferences.set(hash, 'de', callStart + 300 * dayMs);
    expect(await set.exported({ language: undefined, force: true })).toMatchObject({ json: { language: 'de' } });
    await expect(set.exported({ language: 'es' })).rejects.toMatchObject({ code: 'usage' });
  });
});
