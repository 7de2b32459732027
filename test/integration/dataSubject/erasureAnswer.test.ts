import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { faultsOf, inBrowser } from '../../support/browser/chromium.ts';
import { number, subjectStage, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
const stage = (): Promise<SubjectStage> => subjectStage(folder.path(`${(places += 1)}`), open);

const digits = /2?\s*555\W?01\W?23|25550123/;

describe('the answer to a request for erasure', () => {
  test('is written beside the result, in the language of the last call, for its owner only, and has no number', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const kept = await set.called(number, { purposes: ['training', 'agreement'] });
    const file = join(set.at, 'answer.html');
    const { code, json } = await set.erased({ answer: file });
    expect(code).toBe(3);
    expect(json).toMatchObject({ applied: true, answer: { file, language: 'fr', failure: null } });
    const page = await readFile(file, 'utf8');
    expect(page).toContain('<html lang="fr">');
    expect(page).toContain('certificat n° 1');
    expect(page).toContain('art. 17, § 3, e)');
    expect(page).toContain('Exemple &amp; Fils SA');
    expect(page).not.toMatch(digits);
    for (const each of [id, kept.id]) expect(page).not.toContain(each);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('is in the language that is asked for, and names the authority of the law of the purposes', async () => {
    const set = await stage();
    await set.called(number);
    const file = join(set.at, 'answer.html');
    const { text } = await set.erased({ answer: file, language: 'de', json: false });
    expect(text).toContain(`the answer to the person, in de: ${file}. Read it before you send it`);
    const page = await readFile(file, 'utf8');
    expect(page).toContain('Aufzeichnung gelöscht, Bescheinigung Nr. 1');
    expect(page).toContain('Datenschutzbehörde, datenschutzbehorde.be');
  });

  test('says of a number without calls that nothing is kept', async () => {
    const set = await stage();
    const file = join(set.at, 'answer.html');
    expect(await set.erased({ answer: file, language: 'en' })).toMatchObject({ code: 0 });
    expect(await readFile(file, 'utf8')).toContain('Under your number we keep no call');
  });

  test('is refused before anything is erased: without --apply, over another file, in another language', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const file = join(set.at, 'answer.html');
    await writeFile(file, 'mine');
    for (const options of [{ answer: file }, { answer: join(set.at, 'new.html'), apply: false }, { language: 'es' }]) {
      await expect(set.erased(options)).rejects.toMatchObject({ code: 'usage' });
    }
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(await readFile(file, 'utf8')).toBe('mine');
    await set.erased({ answer: file, force: true });
    expect(await readFile(file, 'utf8')).toContain('<!doctype html>');
  });

  test('that cannot be written is told with what was erased all the same', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    const file = join(set.at, 'not-there', 'answer.html');
    const { code, json } = await set.erased({ answer: file });
    expect(code).toBe(3);
    expect(json).toMatchObject({ applied: true, answer: { failure: 'output_unwritable' } });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
  });

  inBrowser('has nothing that axe-core finds, and fits a telephone', async () => {
    const set = await stage();
    await set.called(number);
    await set.called(number, { purposes: ['training', 'agreement'] });
    const file = join(set.at, 'answer.html');
    await set.erased({ answer: file, language: 'nl' });
    const html = await readFile(file, 'utf8');
    const own = join(set.at, 'browser');
    await mkdir(own);
    const pages = [1200, 400].map((width) => ({ name: 'answer', width, html }));
    expect(await faultsOf(pages, own)).toEqual([]);
  });
});

test('of several companies the one that is asked answers', async () => {
  const set = await subjectStage(folder.path(`${(places += 1)}`), open, { hashKey: 'h'.repeat(32) }, ['alpha']);
  await set.called(number, { line: 'alpha' });
  await set.calledOnly(number);
  const file = join(set.at, 'answer.html');
  await set.erased({ answer: file, language: 'en', controller: 'alpha' });
  const page = await readFile(file, 'utf8');
  expect(page).toContain('Company alpha');
  expect(page).not.toContain('Exemple');
  expect(page).toContain('1 recording was erased');
});
