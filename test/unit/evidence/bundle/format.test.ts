import {
  explanationLanguages,
  pageFiles,
  receiptFacts,
  receiptFault,
  sentencesHeard,
  sumsText,
  type ReceiptFacts,
} from '../../../../src/evidence/bundle/format.ts';
import { explanationPage, type ExplanationFacts } from '../../../../src/evidence/bundle/page/page.ts';
import { loadExplanationTexts } from '../../../../src/evidence/bundle/page/texts.ts';
import { filesOfVcon, makeVcon, receiptOfVcon, vconUuid } from '../../../../src/evidence/bundle/vcon.ts';

const explanationTextsOf = (await loadExplanationTexts()).incoming;

type Sentence = ReceiptFacts['notice'][number];

function aSentence(over: Partial<Sentence> = {}): Sentence {
  return {
    prompt: 'notice-agreement',
    language: 'fr_BE',
    text: 'Cet appel est enregistré.',
    sha256: 'a'.repeat(64),
    startedAt: '2026-03-01T10:00:01.000Z',
    finishedAt: '2026-03-01T10:00:05.000Z',
    verified: true,
    verdict: 'verified',
    ...over,
  };
}

function aReceipt(over: Partial<ReceiptFacts> = {}): ReceiptFacts {
  return {
    call: {
      id: 'CALL',
      startedAt: '2026-03-01T10:00:00.000Z',
      endedAt: '2026-03-01T10:02:00.000Z',
      direction: 'incoming',
    },
    policyVersion: '0123456789abcdef',
    purposes: [
      {
        id: 'agreement',
        justification: 'Orders are agreed\nby # telephone',
        legalBasis: 'contract',
        keepDays: 395,
        keepUntil: '2027-03-31T10:02:00.000Z',
      },
    ],
    notice: [aSentence()],
    consent: { mode: 'announce', answer: 'none', digits: null, at: null },
    witness: { status: 'agrees' },
    recording: {
      id: 'RECORDING',
      startedAt: '2026-03-01T10:00:06.500Z',
      finishedAt: '2026-03-01T10:02:00.000Z',
      gapMs: 1_500,
      bytes: 44,
      durationMs: 113_500,
      sha256: 'b'.repeat(64),
      flags: [],
      keepUntil: '2027-03-31T10:02:00.000Z',
    },
    asterisk: { version: '22.5.2' },
    ...over,
  };
}

const recordedWith = (over: Partial<ReceiptFacts['recording']>): Partial<ReceiptFacts> => ({
  recording: { ...aReceipt().recording, ...over },
});
const yes = { mode: 'optIn', answer: 'accepted', digits: '1', at: '2026-03-01T10:00:04.000Z' } as const;

describe('a receipt shows that the caller was told', () => {
  test.each<[string, Partial<ReceiptFacts>]>([
    ['when every sentence was heard whole', {}],
    ['when the time of the beginning is not known', recordedWith({ startedAt: null, gapMs: null })],
    ['when it began the moment the notice ended', recordedWith({ startedAt: '2026-03-01T10:00:05.000Z', gapMs: 0 })],
    [
      'when they said yes before the end of the question',
      { consent: yes, notice: [aSentence(), aSentence({ verified: false, verdict: 'answered', finishedAt: null })] },
    ],
    [
      'when a question in another language was not begun any more',
      {
        consent: yes,
        notice: [aSentence(), aSentence({ verified: false, verdict: 'notice_failed', startedAt: null })],
      },
    ],
  ])('%s', (_name, over) => {
    expect(receiptFault(receiptFacts.parse(aReceipt(over)))).toBeUndefined();
  });

  test.each<[string, Partial<ReceiptFacts>, string]>([
    ['there is no sentence', { notice: [] }, 'no sentence'],
    ['none was begun', { notice: [aSentence({ startedAt: null })] }, 'no sentence'],
    ['all were questions', { notice: [aSentence({ verified: false, verdict: 'answered' })] }, 'no sentence'],
    ['one was cut short', { notice: [aSentence(), aSentence({ verified: false, verdict: 'x' })] }, 'sentence 2'],
    ['one has no end', { notice: [aSentence({ finishedAt: null })] }, 'sentence 1 of the notice ended after'],
    ['the recording began before', recordedWith({ gapMs: -1 }), 'began before'],
    ['the times say so', recordedWith({ startedAt: '2026-03-01T10:00:04.999Z' }), 'ended after'],
    ['they refused', { consent: { ...yes, answer: 'refused' } }, 'refused'],
    ['they did not answer', { consent: { ...yes, answer: 'none' } }, 'did not say yes'],
  ])('and not when %s', (_name, over, fault) => {
    expect(receiptFault(receiptFacts.parse(aReceipt(over)))).toContain(fault);
  });
});

test('a receipt with a prompt that could lead out of the folder is none', () => {
  for (const prompt of ['../../etc/passwd', 'a/b', '', '.hidden']) {
    expect(receiptFacts.safeParse(aReceipt({ notice: [aSentence({ prompt })] })).success).toBe(false);
  }
  expect(receiptFacts.safeParse(aReceipt({ notice: [aSentence({ language: '../fr' })] })).success).toBe(false);
});

test('sentences are numbered as they were begun', () => {
  const notice = [aSentence(), aSentence({ startedAt: null }), aSentence({ prompt: 'keep' })];
  expect(sentencesHeard(aReceipt({ notice })).map(({ number, prompt }) => `${number} ${prompt}`)).toEqual([
    '1 notice-agreement',
    '2 keep',
  ]);
});

test('the list of sums is as sha256sum writes it', () => {
  expect(sumsText([{ name: 'a/b', sha256: 'c'.repeat(64) }])).toBe(`${'c'.repeat(64)}  a/b\n`);
});

describe.each(explanationLanguages)('the page of explanation in %s', (language) => {
  const page = (over: Partial<ReceiptFacts> = {}, facts: Partial<ExplanationFacts> = {}): string =>
    explanationPage(language, explanationTextsOf[language], {
      receipt: aReceipt(over),
      pages: pageFiles('fr'),
      peaks: Int8Array.of(-10, 10, -128, 127),
      silent: [],
      endOf: () => undefined,
      wordingOf: () => undefined,
      missing: [],
      history: 'whole',
      auditRows: 7,
      unchainedRows: 0,
      holds: [],
      kid: 'the-kid',
      stamped: false,
      madeAt: '2026-03-02T08:00:00.000Z',
      timezone: 'Europe/Brussels',
      madeBy: 'preavis 1.2.3',
      company: 'Example SA',
      nameOf: () => undefined,
      ...facts,
    });

  test('has the facts of the call', () => {
    const said = page();
    const quoted = { fr: '«\u00a0Cet appel est enregistré.\u00a0»', de: '„Cet appel est enregistré.“' };
    const inQuotes = new Map(Object.entries(quoted)).get(language) ?? '“Cet appel est enregistré.”';
    for (const fact of [
      'RECORDING',
      'Example SA',
      '2026-03-01 11:00:06.500 (10:00:06.500 UTC)',
      inQuotes,
      'notice/1-notice-agreement-fr_BE.wav',
      'a'.repeat(64),
      'b'.repeat(64),
      '395',
      'the-kid',
      'Orders are agreed by # telephone.',
      'sha256sum --strict --quiet -c SHA256SUMS',
    ]) {
      expect(said).toContain(fact);
    }
    expect(said).toMatch(/1[.,]5 s/);
    expect(said).toMatch(/Belgi/i);
  });

  test('names a purpose as the company does in this language, beside the id of the receipt, and else by that alone', () => {
    const { id } = aReceipt().purposes[0] ?? { id: '' };
    const names = { fr: "preuve d'un accord", nl: 'bewijs van', de: 'Nachweis', en: 'evidence *of*' };
    const nameOf: ExplanationFacts['nameOf'] = (purpose, asked) => (purpose === id ? names[asked] : undefined);
    const said = `<strong>${names[language].replaceAll("'", '&#39;')}</strong> (<code>${id}</code>), `;
    expect(page({}, { nameOf })).toContain(said);
    expect(page()).toContain(`<strong>${id}</strong>, `);
  });

  test('is one page, but for the commands: no longer than 1000 words', () => {
    const said = page({ notice: [aSentence(), aSentence(), aSentence(), aSentence()] });
    expect(said.replaceAll(/<(pre|style|svg).*?<\/\1>|<[^>]*>/gs, ' ').split(/\s+/).length).toBeLessThan(1_000);
  });

  test('says another thing for each way of asking, each witness, and what is missing', () => {
    const pages = [
      page(),
      page({ consent: { mode: 'optOut', answer: 'none', digits: null, at: null } }),
      page({ consent: yes }),
      page({ witness: null }),
      page({ witness: { status: 'disagrees' } }),
      page({ witness: { status: 'missing' } }),
      page({}, { missing: [1] }),
      page({}, { unchainedRows: 3 }),
      page({}, { stamped: true }),
      page({}, { company: undefined }),
      page(recordedWith({ flags: ['clipped'] })),
      page({ changes: [{ change: 'recorderPaused' }, { change: 'held' }] }),
      page(recordedWith({ gapMs: null, startedAt: null, durationMs: null })),
    ];
    expect(new Set(pages).size).toBe(pages.length);
    for (const each of pages) expect(each.replaceAll(/<pre>.*?<\/pre>/gs, '')).not.toMatch(/undefined|NaN|\bnull\b/);
  });
});

describe('a vCon', () => {
  const vcon = makeVcon({
    receipt: aReceipt(),
    receiptText: '{"receipt":3}\n',
    recordingSha512: 'AAAA',
    sounds: [{ name: 'notice/1-a-fr.wav', sha512: 'BBBB', startedAt: '2026-03-01T10:00:01.000Z' }],
    madeAt: Date.UTC(2026, 2, 2),
    kid: 'the-kid',
    organisation: undefined,
    random: 0xabc,
  });

  test('names every file with its hash, and holds the receipt', () => {
    expect(filesOfVcon(vcon)).toEqual([
      { name: 'recording.wav', contentHash: 'sha512-AAAA' },
      { name: 'notice/1-a-fr.wav', contentHash: 'sha512-BBBB' },
    ]);
    expect(receiptOfVcon(vcon)).toBe('{"receipt":3}\n');
  });

  test('names nobody: two parties without a number and the organisation', () => {
    expect(vcon.parties).toEqual([{ name: 'anonymous' }, { name: 'anonymous' }, { type: 'organization' }]);
    expect(vcon.dialog[0]).toMatchObject({ type: 'recording', parties: [0, 1], duration: 113.5 });
  });

  test('has a UUID of version 8 that begins with the time, and is another one for another key', () => {
    const at = Date.UTC(2026, 2, 2);
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(vcon.uuid).toMatch(form);
    expect(Number.parseInt(vcon.uuid.replaceAll('-', '').slice(0, 12), 16)).toBe(at);
    expect(vconUuid(at, 'another', 0xabc)).not.toBe(vcon.uuid);
    expect(vconUuid(at, 'the-kid', 0xabd)).not.toBe(vcon.uuid);
  });
});
