import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { callsList } from '../../../src/cli/commands/calls.ts';
import { recordingsList } from '../../../src/cli/commands/recordings.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { subjectStage, unzipped, number, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** One installation that records for several companies: what is made for one has nothing of another. */

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (companies = ['acme', 'bakker']): Promise<SubjectStage> =>
  subjectStage(folder.path(`${(stages += 1)}`), open, undefined, companies);

type Index = { controller: { name: string }; calls: { id: string; line: string }[] };

/** What is in the index of an export. */
async function indexOf({ at }: SubjectStage, name = 'out.zip'): Promise<Index> {
  const files = await unzipped(await readFile(join(at, name)));

  return JSON.parse(files.get('index.json')?.toString() ?? '') as Index;
}

/** A person who has called both companies, and the one that runs the installation. */
async function calledAll(set: SubjectStage) {
  return {
    own: await set.called(number),
    acme: await set.called(number, { line: 'acme' }),
    bakker: await set.called(number, { line: 'bakker' }),
  };
}

describe('an export for a person', () => {
  test.each(['own', 'acme', 'bakker'] as const)(
    'of %s has its calls, names it, and has nothing of another',
    async (of) => {
      const set = await stage();
      const calls = await calledAll(set);
      expect(await set.exported({ controller: of })).toMatchObject({ code: 0, json: { calls: 1, recordings: 1 } });
      const index = await indexOf(set);
      expect(index.controller.name).toBe(of === 'own' ? 'Exemple & Fils SA' : `Company ${of}`);
      expect(index.calls.map(({ id }) => id)).toEqual([calls[of].call]);
    },
  );

  test('knows nothing of a call with another company, not even that it cannot be read', async () => {
    const set = await stage();
    const { call } = await set.called(number, { line: 'acme' });
    const database = new Database(join(set.at, 'catalogue.db'));
    database.prepare(`UPDATE calls SET purposes = 'none' WHERE id = ?`).run(call);
    database.close();
    const nothing = { calls: 0, unreadable: [] };
    expect(await set.exported({ controller: 'own' })).toMatchObject({ code: 0, json: nothing });
    expect(await set.erased({ controller: 'own' })).toMatchObject({ code: 0, json: { calls: 0 } });
    expect(await set.exported({ controller: 'acme' })).toMatchObject({ code: 3, json: { unreadable: [call] } });
  });

  test('is in the language of the last call with that company', async () => {
    const set = await stage();
    const calls = await calledAll(set);
    const database = new Database(join(set.at, 'catalogue.db'));
    for (const [of, language] of [
      ['acme', 'nl'],
      ['bakker', 'de'],
    ] as const)
      database.prepare(`UPDATE calls SET languages = ? WHERE id = ?`).run(`["${language}"]`, calls[of].call);
    database.close();
    expect(await set.exported({ controller: 'acme', language: undefined })).toMatchObject({ json: { language: 'nl' } });
  });

  test('is refused where there are several companies and none is named', async () => {
    const set = await stage();
    await calledAll(set);
    await expect(set.exported()).rejects.toMatchObject({
      code: 'usage',
      message: 'give --controller: one of acme, bakker, own',
    });
    await expect(set.exported({ controller: 'acne' })).rejects.toMatchObject({ code: 'usage' });
  });

  test('says that there are no calls where a person called another company alone', async () => {
    const set = await stage();
    await set.called(number, { line: 'acme' });
    expect(await set.exported({ controller: 'bakker' })).toMatchObject({ code: 0, json: { calls: 0, file: null } });
  });
});

describe('an erasure for a person', () => {
  test('erases the recordings of the named company and leaves those of others', async () => {
    const set = await stage();
    const calls = await calledAll(set);
    expect(await set.erased({ controller: 'acme' })).toMatchObject({
      code: 0,
      json: { calls: 1, recordings: [{ id: calls.acme.id, outcome: { kind: 'erased' } }] },
    });
    expect(await set.catalogue.recordings.find(calls.acme.id)).toMatchObject({ status: 'erased' });
    for (const { id } of [calls.own, calls.bakker]) {
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
    }
    // They can still be found for the others.
    expect(await set.exported({ controller: 'bakker' })).toMatchObject({ json: { calls: 1 } });
  });

  test('of one company does not forget whose the calls of another without a recording were', async () => {
    const set = await stage();
    await set.called(number, { line: 'acme' });
    const id = await set.calledOnly(number);
    expect((await set.erased({ controller: 'acme', json: false })).text).not.toContain('forgotten');
    expect(await set.exported({ controller: 'own' })).toMatchObject({ json: { calls: 1 } });
    expect((await indexOf(set)).calls.map((each) => each.id)).toEqual([id]);
  });
});

/** The configuration without this company and its line. */
async function leaves({ configFile }: SubjectStage, company: string): Promise<void> {
  const tree = JSON.parse(await readFile(configFile, 'utf8')) as Record<
    'lines' | 'controllers',
    Record<string, object>
  >;
  const without = (all: Record<string, object>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => name !== company));
  const left = { ...tree, lines: without(tree.lines), controllers: without(tree.controllers) };
  await writeFile(configFile, JSON.stringify(left), { mode: 0o600 });
}

test('an erasure of one company forgets whose its calls without a recording were, and of no other', async () => {
  const set = await stage();
  await set.calledOnly(number);
  const ofAcme = await set.calledOnly(number, 'acme');
  const erased = await set.erased({ controller: 'own', json: false });
  expect(erased.text).toContain('whose 1 call without a recording it was is forgotten');
  expect(await set.exported({ controller: 'own' })).toMatchObject({ json: { calls: 0 } });
  expect(await set.exported({ controller: 'acme' })).toMatchObject({ json: { calls: 1 } });
  expect((await indexOf(set)).calls.map(({ id }) => id)).toEqual([ofAcme]);
});

describe('a company that the configuration does not have any more', () => {
  test.each([[['acme']], [['acme', 'bakker']]])('is still asked for by its name, of %j', async (companies) => {
    const set = await stage(companies);
    const [own, acme] = [await set.called(number), await set.called(number, { line: 'acme' })];
    await leaves(set, 'acme');
    // What is its own goes to nobody else.
    await expect(set.exported()).rejects.toMatchObject({ code: 'usage' });
    await expect(set.erased()).rejects.toMatchObject({ code: 'usage' });
    expect(await set.exported({ controller: 'own' })).toMatchObject({ json: { calls: 1 } });
    expect((await indexOf(set)).calls.map(({ id }) => id)).toEqual([own.call]);
    expect(await set.exported({ controller: 'acme', force: true })).toMatchObject({ json: { calls: 1 } });
    // The company of the installation is not responsible for it.
    expect(await indexOf(set)).toMatchObject({ controller: { name: null }, calls: [{ id: acme.call }] });
    expect(await set.erased({ controller: 'acme' })).toMatchObject({ json: { recordings: [{ id: acme.id }] } });
    expect(await set.catalogue.recordings.find(acme.id)).toMatchObject({ status: 'erased' });
    expect(await set.catalogue.recordings.find(own.id)).toMatchObject({ status: 'archived' });
  });
});

describe('lists', () => {
  const listed = async (
    set: SubjectStage,
    list: typeof callsList | typeof recordingsList,
    controller: string | undefined,
  ): Promise<string[]> => {
    const printed: string[] = [];
    const context: CommandContext = {
      configFile: set.configFile,
      environment: {},
      clock: set.clock,
      print: (line) => printed.push(line),
    };
    await list(context, { controller, status: undefined, limit: '50', json: true });
    const document = JSON.parse(printed.join('\n')) as Record<string, { id: string; controller: string | null }[]>;

    return Object.values(document).flatMap((rows) => rows.map(({ id }) => id));
  };

  test('have those of one company, of none, or all', async () => {
    const set = await stage();
    const { own, acme, bakker } = await calledAll(set);
    await leaves(set, 'acme');
    expect(await listed(set, recordingsList, 'acme')).toEqual([acme.id]);
    expect(await listed(set, recordingsList, 'own')).toEqual([own.id]);
    expect(await listed(set, recordingsList, undefined)).toEqual([bakker.id, acme.id, own.id]);
    expect(await listed(set, callsList, 'bakker')).toEqual([bakker.call]);
    expect(await listed(set, callsList, 'own')).toEqual([own.call]);
  });
});

test('an installation for one company needs no name of it, and forgets all', async () => {
  const set = await stage([]);
  await set.called(number);
  await set.calledOnly(number);
  expect(await set.exported()).toMatchObject({ json: { calls: 2 } });
  expect((await set.erased({ json: false })).text).toContain('forgotten');
  expect(await set.exported({ output: join(set.at, 'none.zip') })).toMatchObject({ json: { calls: 0 } });
});
