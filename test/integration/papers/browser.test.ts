import { papersIn } from '../../../src/papers/papers.ts';
import { paperLanguages } from '../../../src/papers/languages.ts';
import { loadPaperTexts } from '../../../src/papers/texts.ts';
import { faultsOf, inBrowser, printedPages } from '../../support/browser/chromium.ts';
import { factsOf, paperPurpose } from '../../support/policy/papers.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const making = { madeAt: '2026-08-24T10:00:00.000Z', version: '1.2.3' };

/** A company with much to say: two purposes, every code. */
const facts = factsOf({
  purposes: {
    training: paperPurpose({ optInForCountries: ['DE', 'LU'] }),
    agreement: paperPurpose({
      kind: 'evidence',
      keepDays: 392,
      holdsAllowed: true,
      legalBasis: 'GDPR art. 6(1)(b) and (f)',
    }),
  },
  lines: {
    default: { purposes: ['training'] },
    orders: {
      codes: {
        pause: '*1',
        resume: '*2',
        erase: '*4',
        agreement: { code: '*6', purpose: 'agreement' },
        exemplary: '*7',
      },
      pauseSeconds: 300,
    },
  },
  more: { privacy: { hashKey: 'h'.repeat(32) }, staff: { extensions: ['101'] } },
});

const papers = await Promise.all(
  paperLanguages.map(async (language) => ({
    language,
    files: papersIn(language, facts, await loadPaperTexts(language), making, paperLanguages),
  })),
);

inBrowser('no paper has anything that axe-core finds, nor is wider than a screen or a telephone', async () => {
  const pages = papers.flatMap(({ language, files }) =>
    files.flatMap(({ name, content }) =>
      [1200, 400].map((width) => ({ name: `${language}/${name}`, width, html: content })),
    ),
  );
  expect(pages).toHaveLength(56);
  expect(await faultsOf(pages, folder.path())).toEqual([]);
});

inBrowser('what axe-core would find is found', async () => {
  const html = '<!doctype html><title></title><body><p style="width:900px;color:#eee;background:#fff">pale</p>';
  const found = (await faultsOf([{ name: 'bad', width: 400, html }], folder.path())).map(({ fault }) => fault);
  expect(found.join('\n')).toMatch(/wider than the screen[^]*color-contrast[^]*document-title/);
});

inBrowser.each(papers.map(({ language, files }) => [language, files] as const))(
  'the poster in %s is one page of paper',
  async (_language, files) => {
    const { content = '' } = files.find(({ name }) => name === 'poster.html') ?? {};
    expect(await printedPages(content, folder.path())).toBe(1);
  },
);
