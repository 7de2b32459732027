import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { papers } from '../../../../src/cli/commands/papers.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let printed: string[] = [];
beforeEach(() => {
  printed = [];
});

const controller = { name: 'Example SA', contact: 'privacy@example.com', transfers: 'none' };
const names = ['dpia', 'employee-notice', 'index', 'poster', 'register', 'website-notice', 'works-council'].map(
  (name) => `${name}.html`,
);

async function context(over: Record<string, unknown> = {}): Promise<CommandContext> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
    controller,
    ...over,
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });

  return {
    configFile,
    environment: {},
    clock: { now: () => Date.UTC(2026, 7, 24, 10) },
    print: (text) => printed.push(text),
  };
}

let runs = 0;
const options = (over: object = {}) => ({
  language: undefined,
  out: folder.path(`papers-${(runs += 1)}`),
  force: false,
  json: true,
  ...over,
});
const program = { version: '1.2.3' };

test('writes every paper in each language that callers are told in, for everybody to read', async () => {
  const given = options();
  expect(await papers(await context(), given, program)).toBe(0);
  expect((await readdir(given.out)).toSorted()).toEqual(['de', 'en', 'fr', 'nl']);
  for (const language of ['de', 'en', 'fr', 'nl']) {
    expect((await readdir(join(given.out, language))).toSorted()).toEqual(names);
  }
  const notice = join(given.out, 'fr', 'website-notice.html');
  expect(await readFile(notice, 'utf8')).toContain('<html lang="fr">');
  expect((await stat(notice)).mode & 0o777).toBe(0o644);
  const document = JSON.parse(printed.join('\n')) as { facts: string; papers: { file: string; open: number }[] };
  expect(document.facts).toMatch(/^[0-9a-f]{64}$/);
  expect(document.papers).toHaveLength(28);
  expect(await readFile(notice, 'utf8')).toContain(document.facts);
});

test('one language is written alone, and told with what is left to write', async () => {
  const given = options({ language: 'nl', json: false });
  expect(await papers(await context(), given, program)).toBe(0);
  expect(await readdir(given.out)).toEqual(['nl']);
  expect(printed.join('\n')).toMatch(/website-notice\.html {2}1 place to write\n/);
  expect(printed.join('\n')).toMatch(/dpia\.html {2}\d+ places to write\n/);
  expect(printed.join('\n')).toContain('no legal advice');
});

test('languages that callers are told in and that there are no papers in are named', async () => {
  const spoken = { notice: { languages: ['fr', 'es', 'it'] } };
  await papers(await context(spoken), options({ json: false }), program);
  expect(printed).toContain('no papers in es, it: there are none in another language than fr, nl, de, en');
  printed = [];
  await papers(await context(spoken), options({ json: false, language: 'fr' }), program);
  expect(printed.join('\n')).not.toContain('no papers in');
});

test('a company that is not there is bad usage, which says that there are none', async () => {
  await expect(papers(await context(), options({ controller: 'acme' }), program)).rejects.toMatchObject({
    code: 'usage',
    message: 'the configuration names no companies for --controller',
  });
});

test('papers that somebody may have filled in are replaced with --force alone', async () => {
  const given = options({ language: 'fr' });
  await papers(await context(), given, program);
  const file = join(given.out, 'fr', 'dpia.html');
  await writeFile(file, 'filled in');
  await expect(papers(await context(), given, program)).rejects.toMatchObject({ code: 'usage' });
  expect(await readFile(file, 'utf8')).toBe('filled in');
  await papers(await context(), { ...given, force: true }, program);
  expect(await readFile(file, 'utf8')).toContain('<!doctype html>');
});

test('nothing is written where a paper would not be true', async () => {
  const given = options();
  const incomplete = await context({ controller: { name: 'Example SA' } });
  await expect(papers(incomplete, given, program)).rejects.toMatchObject({
    code: 'paper_untrue',
    message: expect.stringContaining('set controller.contact') as string,
  });
  await expect(stat(given.out)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a folder that cannot be written is named as that, and another language is bad usage', async () => {
  const file = folder.path('a-file');
  await writeFile(file, '');
  // Node's own recursive mkdir never returns from the second.
  for (const out of [file, '/proc/none/papers']) {
    await expect(papers(await context(), options({ out }), program)).rejects.toMatchObject({
      code: 'papers_unwritable',
    });
  }
  await expect(papers(await context(), options({ language: 'es' }), program)).rejects.toMatchObject({ code: 'usage' });
});

test('of several companies each has papers of its own, and none is shown the lines of another', async () => {
  const companies = await context({
    controllers: {
      alpha: { name: 'Alpha SA', contact: 'alpha@example.com', transfers: 'none' },
      beta: { name: 'Beta SA' },
    },
    processor: { name: 'Host NV' },
    lines: {
      default: { purposes: ['training'], defaultLanguages: ['fr'] },
      alpha: {
        purposes: ['training'],
        defaultLanguages: ['fr'],
        controller: 'alpha',
        records: 'onRequest',
        codes: { record: '*5' },
      },
    },
  });
  const register = async (controller: string): Promise<string> => {
    const given = options({ language: 'fr', controller });
    await papers(companies, given, program);

    return readFile(join(given.out, 'fr', 'register.html'), 'utf8');
  };
  expect(await register('alpha')).toMatch(/Alpha SA[^]*alpha@example\.com/);
  expect(await register('alpha')).not.toContain('Example SA');
  // Who runs the installation has the recordings of its customers in its archive, and none of others for itself.
  expect(await register('alpha')).toContain('Host NV');
  expect(await register('own')).not.toContain('Host NV');
  expect(await register('own')).not.toContain('Alpha SA');
  await expect(papers(companies, options(), program)).rejects.toMatchObject({ code: 'usage' });
  await expect(papers(companies, options({ controller: 'beta' }), program)).rejects.toMatchObject({
    code: 'paper_untrue',
    message: expect.stringContaining('set controllers.beta.contact') as string,
  });
});
