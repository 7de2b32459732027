import { createHash } from 'node:crypto';
import { explanationLanguages, pageFiles, type ReceiptFacts } from '../../../src/evidence/bundleForm.ts';
import { explanationPage, type ExplanationFacts } from '../../../src/evidence/explanationPage.ts';

/** What a reader of a bundle opens: it says what the receipt says, and does nothing else. */

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();

const receipt: ReceiptFacts = {
  call: { id: 'CALL', startedAt: at(0), endedAt: at(121) },
  policyVersion: '0123456789abcdef',
  purposes: [{ id: 'agreement', justification: 'why', legalBasis: 'law', keepDays: 395, keepUntil: at(200) }],
  notice: [
    {
      prompt: 'ask',
      language: 'fr',
      text: 'Cet appel est enregistré.',
      sha256: 'a'.repeat(64),
      startedAt: at(1),
      finishedAt: at(5),
      verified: true,
      verdict: 'verified',
    },
  ],
  otherSentences: [
    { kind: 'optInAck', language: 'fr', text: 'Merci, nous enregistrons.', startedAt: at(6), finishedAt: at(8) },
    { kind: 'chooseLanguage', language: 'fr', text: 'Pour le français, un.', startedAt: at(0), finishedAt: at(1) },
    { kind: 'erasedAck', language: 'fr', text: 'Jamais commencée.', startedAt: null, finishedAt: null },
  ],
  changes: [
    { change: 'recorderPaused', at: at(40) },
    { change: 'recorderResumed', at: at(60) },
  ],
  consent: { mode: 'optIn', answer: 'accepted', digits: '1', at: at(5) },
  witness: { status: 'agrees' },
  recording: {
    id: 'RECORDING',
    startedAt: at(10),
    finishedAt: at(120),
    gapMs: 5_000,
    bytes: 44,
    durationMs: 90_000,
    sha256: 'b'.repeat(64),
    flags: [],
    keepUntil: at(200),
  },
  asterisk: { version: '22.5.2' },
};

const pageOf = (
  over: Partial<ReceiptFacts> = {},
  facts: Partial<ExplanationFacts> = {},
  language: (typeof explanationLanguages)[number] = 'en',
): string =>
  explanationPage(language, {
    receipt: { ...receipt, ...over },
    pages: pageFiles('fr'),
    peaks: Int8Array.of(-64, 64, -10, 20, 0, 0),
    missing: [],
    auditRows: 7,
    unchainedRows: 0,
    holds: [],
    kid: 'the-kid',
    stamped: false,
    madeAt: at(300),
    madeBy: 'preavis 1.2.3',
    company: 'Example SA',
    nameOf: () => undefined,
    ...facts,
  });
const recording = (over: Partial<ReceiptFacts['recording']>) => ({ recording: { ...receipt.recording, ...over } });
/** What is read. */
const textOf = (page: string): string =>
  page
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

test('a page runs nothing, fetches nothing from elsewhere, and has only its own style', () => {
  const page = pageOf();
  expect(page).not.toMatch(/<script|javascript:|\son[a-z]+=|<(?:link|iframe|img|object|embed|form|base)\b|\sstyle=/i);
  expect(page).not.toMatch(/(?:src|href)="(?:[a-z]+:|\/)/i);
  const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
  expect(style).not.toMatch(/url\(|@import/);
  const hash = createHash('sha256').update(style).digest('base64');
  expect(page).toContain(`default-src 'none'; style-src 'sha256-${hash}'; media-src 'self' file:;`);
  expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style>'));
});

test('whatever company, purposes, prompts and receipt say is text', () => {
  const evil = `<img src=x onerror=alert(1)>"'&\`**`;
  const page = pageOf(
    {
      purposes: [{ id: evil, justification: evil, legalBasis: evil, keepDays: 1, keepUntil: at(1) }],
      notice: receipt.notice.map((each) => ({ ...each, text: evil })),
      otherSentences: [{ kind: 'optInAck', language: evil, text: evil, startedAt: at(6), finishedAt: null }],
      consent: { ...receipt.consent, digits: evil },
      policyVersion: evil,
      ...recording({ id: evil, flags: [evil] }),
    },
    { company: evil, nameOf: () => evil, kid: evil, madeBy: evil },
  );
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/="[^"]*onerror=alert\(1\)>"/);
  expect(page.split('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;').length).toBeGreaterThan(10);
});

describe.each(explanationLanguages)('the page in %s', (language) => {
  test('leads to the three others, by their own names', () => {
    const links = Array.from(pageOf({}, {}, language).matchAll(/href="([^"]+)"/g), ([, link]) => link);
    expect(links).toEqual(
      explanationLanguages.filter((each) => each !== language).map((each) => pageFiles('fr')[each]),
    );
  });

  test('has what was said in words, what confirmed the yes, and why the file is shorter', () => {
    const text = textOf(pageOf({}, {}, language));
    for (const part of [
      'Cet appel est enregistré.',
      'Merci, nous enregistrons.',
      'Pour le français, un.',
      '110 s',
      '90 s',
      '20 s',
      '2026-03-01 10:00:40.000 UTC',
      '2026-03-01 10:01:00.000 UTC',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Jamais commencée');
  });

  test('does not say that a line that was taken out of the history would be found', () => {
    const text = textOf(pageOf({}, {}, language));
    expect(text).not.toMatch(/changed or taken out|changée ou ôtée|gewijzigde of weggenomen|geänderte oder entfernte/);
    expect(text).toMatch(/could leave one out|en omettre une|een kunnen weglaten|könnte jedoch eine weglassen/);
  });

  test('says in no words of its own that it has a time stamp where it has none', () => {
    const wordsOf = (page: string): string => page.replaceAll(/<pre>.*?<\/pre>/gs, '');
    expect(wordsOf(pageOf({}, { stamped: true }, language))).toContain('timestamp.tsr');
    expect(wordsOf(pageOf({}, {}, language))).not.toContain('timestamp.tsr');
  });
});

test('what is not explained by pauses is told as such', () => {
  expect(textOf(pageOf({ changes: [] }))).toContain('the receipt does not say why 20 s more are missing');
  expect(textOf(pageOf())).not.toContain('does not say why');
  expect(textOf(pageOf({ changes: [], ...recording({ durationMs: 109_980 }) }))).not.toContain('From its begin');
});

test('nothing that the receipt leaves open is filled in', () => {
  const text = textOf(
    pageOf({
      consent: { mode: null, answer: 'none', digits: null, at: null },
      ...recording({ startedAt: null, finishedAt: null, gapMs: null, durationMs: null }),
    }),
  );
  expect(text.match(/not stated/g)?.length).toBeGreaterThanOrEqual(5);
  expect(text).not.toMatch(/undefined|NaN|\bInvalid\b/);
});

describe('the figure', () => {
  const figureOf = (page: string): string => /<figure>.*<\/figure>/s.exec(page)?.[0] ?? '';

  test('shows the sentences, the yes, the beginning of the recording and the pause where they belong', () => {
    const figure = figureOf(pageOf());
    // From the first sentence to the recorder 9 s, which are nine tenths.
    expect(figure).toMatch(/class="said" x="0.00%" y="8" width="40.00%"/);
    expect(figure).toMatch(/class="yes" x1="40.00%"/);
    expect(figure).toMatch(/class="began" x1="90.00%"/);
    expect(figure).toMatch(/class="pause" x1="33.33%"/);
  });

  test('draws one line for each pair of peaks, the loudest as high as the strip', () => {
    expect(figureOf(pageOf())).toContain('d="M0.5 0V254M1.5 87V147M2.5 127V128"');
  });

  test('says so where nothing of the sound was kept', () => {
    const figure = figureOf(pageOf({}, { peaks: undefined }));
    expect(figure).toContain('was not kept');
    expect(figure).not.toContain('<path');
  });
});
