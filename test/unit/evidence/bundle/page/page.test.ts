import { createHash } from 'node:crypto';
import { explanationLanguages, pageFiles, type ReceiptFacts } from '../../../../../src/evidence/bundle/format.ts';
import { explanationPage, type ExplanationFacts } from '../../../../../src/evidence/bundle/page/page.ts';
import { explanationTexts, loadExplanationTexts } from '../../../../../src/evidence/bundle/page/texts.ts';
import { markedTexts } from '../../../../support/markedTexts.ts';

/** What a reader of a bundle opens: it says what the receipt says, and does nothing else. */

const allTexts = await loadExplanationTexts();
const explanationTextsOf = allTexts.incoming;

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();

const receipt: ReceiptFacts = {
  call: { id: 'CALL', startedAt: at(0), endedAt: at(121), direction: 'incoming' },
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
    {
      kind: 'chooseLanguage',
      language: 'fr',
      text: 'Pour le français, un.',
      lengthMs: 2_500,
      startedAt: at(0),
      finishedAt: at(1),
    },
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
  say = explanationTextsOf[language],
): string =>
  explanationPage(language, say, {
    receipt: { ...receipt, ...over },
    pages: pageFiles('fr'),
    peaks: Int8Array.of(-64, 64, -10, 20, 0, 0),
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
    madeAt: at(300),
    timezone: 'Europe/Brussels',
    madeBy: 'preavis 1.2.3',
    company: 'Example SA',
    nameOf: () => undefined,
    ...facts,
  });
const recording = (over: Partial<ReceiptFacts['recording']>) => ({ recording: { ...receipt.recording, ...over } });
/** A time of a page, of which what is in its brackets is left. */
const shownTime = /2026-03-01 11:(\d\d:\d\d\.\d{3}) \(10:\1 UTC\)/g;
/** What is read. */
const textOf = (page: string): string =>
  page
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(shownTime, '2026-03-01 10:$1 UTC');

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

  test('says of a shorter notice which earlier call counts, and of a whole one nothing of the kind', () => {
    const earlierNotice = { call: 'EARLIER', finishedAt: at(3) };
    const words = explanationTextsOf[language].earlier({ call: 'EARLIER', at: '2026-03-01 10:00:03.000 UTC' });
    const [before = '', after = ''] = words.replaceAll("'", '&#39;').split('`EARLIER`');
    const text = textOf(pageOf({ earlierNotice }, {}, language));
    expect(text).toContain(before.replaceAll(/\s+/g, ' ').trim());
    expect(text).toContain(`EARLIER ${after.replaceAll(/\s+/g, ' ')}`);
    expect(textOf(pageOf({}, {}, language))).not.toContain('EARLIER');
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
      // A key broke it off.
      { en: '(broken off after 1', fr: '(interrompue après 1', nl: '(afgebroken na 1', de: '(nach 1' }[language],
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Jamais commencée');
  });

  test('does not say that nobody refused where a key may not have been heard', () => {
    const did =
      /No refusal was heard|did not<|Aucun refus n’a été entendu|ne l’a pas fait<|Er is geen weigering gehoord|deed het niet<|Eine Ablehnung wurde nicht gehört|tat es nicht</g;
    const page = (flags: string[]): string =>
      pageOf({ consent: optOut, ...recording({ flags }) }, {}, language).replaceAll('&#39;', "'");
    expect(page([]).match(did)).toHaveLength(2);
    expect(page(['keys_unheard'])).not.toMatch(did);
  });

  test('says of a second log only what was compared', () => {
    const none = /no second log|pas de second journal|geen tweede logboek|kein zweites Protokoll/;
    expect(textOf(pageOf({ witness: { status: 'unavailable' } }, {}, language))).toMatch(none);
    expect(textOf(pageOf({ witness: null }, {}, language))).not.toMatch(none);
    expect(textOf(pageOf({ witness: null }, {}, language))).not.toBe(
      textOf(pageOf({ witness: { status: 'missing' } }, {}, language)),
    );
  });

  test('names the end of a purpose as it is now, and that the receipt has a later one', () => {
    const text = textOf(pageOf({}, { endOf: () => at(150) }, language));
    expect(text.indexOf('2026-03-01 10:02:30.000 UTC')).toBeGreaterThan(0);
    expect(text.indexOf('2026-03-01 10:03:20.000 UTC')).toBeGreaterThan(text.indexOf('2026-03-01 10:02:30.000 UTC'));
    expect(textOf(pageOf({}, { endOf: () => at(200) }, language))).toBe(textOf(pageOf({}, {}, language)));
  });

  test('tells what was made silent, who came, and whose sound may be missing', () => {
    const page = pageOf(
      {
        changes: [
          { change: 'joined', at: at(21) },
          { change: 'transferred', at: at(22) },
          { change: 'unheard', at: at(23), party: 'caller' },
          { change: 'heardAgain', at: at(24), party: 'destination' },
          { change: 'heardAgain', at: at(25), party: 'caller' },
          { change: 'awareJoined', at: at(26) },
          { change: 'newcomerTold', at: at(27) },
          { change: 'newcomerRefused', at: at(28) },
        ],
        ...recording({ flags: ['unwatched_blanked'] }),
      },
      { silent: [{ fromMs: 9_000, toMs: 18_000 }] },
      language,
    );
    expect(page).toMatch(/class="silence"\s+x="10.00%"\s+y="0"\s+width="10.00%"/);
    expect(page).toContain('class="silence">');
    const text = textOf(page);
    for (const second of [21, 22, 23, 25, 26, 27, 28]) expect(text).toContain(`10:00:${second}.000 UTC`);
    expect(text).not.toContain('10:00:24.000 UTC');
    expect(text).toMatch(/\b9 s .*\b18 s /);
    const somewhere = textOf(pageOf({ unwatched: [{ judged: 'blanked' }] }, {}, language));
    expect(somewhere).toMatch(/has put silence|a mis du silence|stilte gezet|Stille gesetzt/);
    expect(textOf(pageOf({}, {}, language))).not.toMatch(
      /has put silence|a mis du silence|stilte gezet|Stille gesetzt/,
    );
  });

  test('says nothing of before and after where it is not known when the recording began', () => {
    const page = pageOf(recording({ startedAt: null, gapMs: null }), {}, language);
    // What a step looks for is no statement.
    const text = textOf(page.replaceAll(/<p class="step">.*?<\/p>/gs, '')).replaceAll('&#39;', "'");
    expect(text).not.toMatch(
      /before the recording|Before the recording|avant l'enregistrement,|Avant l'enregistrement|vóór de opname h|Vóór de opname|vor der Aufzeichnung h|Vor der Aufzeichnung/,
    );
  });

  test('says of a time stamp that it is there, and not that it is good', () => {
    const text = textOf(pageOf({}, { stamped: true }, language));
    expect(text).not.toMatch(/third party|un tiers|een derde|Dritte/i);
    expect(text).toMatch(/to be verified|à vérifier|te controleren|zu prüfen/);
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

const outgoing = { ...receipt.call, direction: 'outgoing' } as const;

test.each(explanationLanguages)(
  'the page of an outgoing call says in %s that who was called was told, and no caller',
  (language) => {
    const page = pageOf({ call: outgoing }, {}, language, allTexts.outgoing[language]);
    const words = { fr: /appelé/, nl: /gebelde/, de: /Angerufene/, en: /called party/ }[language];
    expect(page).toMatch(words);
    expect(page).not.toMatch(/appelant|beller|Anrufer|caller/i);
  },
);

const optOut = { mode: 'optOut', answer: 'none', digits: null, at: null } as const;
const full = {
  over: {
    changes: [
      ...(receipt.changes ?? []),
      { change: 'joined', at: at(21) },
      { change: 'transferred', at: at(22) },
      { change: 'awareJoined', at: at(22) },
      { change: 'newcomerTold', at: at(22) },
      { change: 'newcomerRefused', at: at(22) },
      { change: 'unheard', at: at(23), party: 'caller' },
      { change: 'heardAgain', at: at(25), party: 'caller' },
      { change: 'unheard', at: at(26), party: 'destination' },
    ],
    ...recording({ flags: ['clipped'], durationMs: 80_000 }),
  },
  facts: {
    silent: [{ fromMs: 9_000, toMs: 18_500 }],
    unchainedRows: 2,
    endOf: () => at(150),
    holds: (['dispute', 'authority', 'restriction'] as const).map((ground) => ({ ground, expiresAt: 1e12 })),
  },
} satisfies { over: Partial<ReceiptFacts>; facts: Partial<ExplanationFacts> };

test.each(explanationLanguages)(
  'a page with much on it reads in %s as it did when its words were last agreed',
  (language) => {
    const read = pageOf(full.over, full.facts, language).replaceAll(/<pre>.*?<\/pre>/gs, '');
    expect(
      read
        .replaceAll(/<style>.*?<\/style>/gs, '')
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/\s*\n\s*/g, '\n'),
    ).toMatchSnapshot();
  },
);

/** Somebody presses a code, and again. */
const askedPause = [
  { change: 'recorderPaused', at: at(40.1) },
  { change: 'pauseBegan', at: at(40) },
  { change: 'recorderResumed', at: at(50) },
  { change: 'pauseEnded', at: at(50) },
];

/** On a line that records on request, an agreement is made. */
const askedAndAgreed = [
  { change: 'recordAsked', at: at(39) },
  { change: 'agreementMarked', at: at(60) },
];

test('a page tells since when it was recorded on request, and when an agreement was marked', () => {
  const page = pageOf({ changes: askedAndAgreed }, {}, 'en');
  expect(page).toMatch(/somebody asked for the recording, which began then/);
  expect(page).toMatch(/somebody marked that an agreement was being made/);
});

test('each text of a language is said by some page', async () => {
  const { tree, keys } = await markedTexts('bundle');
  const say = explanationTexts('incoming', 'en').parse(tree);
  const noTimes = recording({ startedAt: null, finishedAt: null, gapMs: null, durationMs: null });
  const answered = receipt.notice.map((each) => ({ ...each, verified: false, verdict: 'answered' }));
  const pages = [
    pageOf(full.over, full.facts, 'en', say),
    pageOf(
      {
        purposes: receipt.purposes.map((purpose) => ({ ...purpose, keepDays: 1 })),
        ...noTimes,
        changes: [1, 2].flatMap(() => [{ change: 'recorderPaused' }, { change: 'recorderResumed' }]),
      },
      { unchainedRows: 1, history: 'own' },
      'en',
      say,
    ),
    pageOf({ call: outgoing }, {}, 'en', explanationTexts('outgoing', 'en').parse(tree)),
    pageOf({ earlierNotice: { call: 'EARLIER', finishedAt: null } }, {}, 'en', say),
    pageOf({ consent: { ...optOut, mode: 'announce' }, notice: answered, changes: [] }, { missing: [1] }, 'en', say),
    pageOf({ consent: optOut, ...noTimes }, { company: undefined, stamped: true, peaks: undefined }, 'en', say),
    pageOf(
      {
        consent: optOut,
        ...recording({ flags: ['keys_unheard'] }),
        changes: [{ change: 'recorderPaused' }, { change: 'recorderResumed' }],
      },
      {},
      'en',
      say,
    ),
    pageOf({ changes: askedAndAgreed }, {}, 'en', say),
    pageOf({ changes: askedPause }, { silent: [{ fromMs: 39_500, toMs: 40_100, why: 'pause' }] }, 'en', say),
    pageOf({ consent: { ...optOut, mode: null }, unwatched: [{ judged: 'blanked' }] }, {}, 'en', say),
    ...[null, ...(['agrees', 'disagrees', 'missing', 'unavailable'] as const).map((status) => ({ status }))].map(
      (witness) => pageOf({ witness }, {}, 'en', say),
    ),
  ].join('');
  expect(keys.filter((key) => !pages.includes(key))).toEqual([]);
});

test('what is not explained by pauses is told as such', () => {
  expect(textOf(pageOf({ changes: [] }))).toContain('the receipt does not say why 20 s more are missing');
  expect(textOf(pageOf())).not.toContain('does not say why');
  expect(textOf(pageOf({ changes: [], ...recording({ durationMs: 109_980 }) }))).not.toContain('From its begin');
});

test('a pause that somebody asked for is told as such, and one for a hold as one for a hold', () => {
  const holds = [
    { change: 'recorderPaused', at: at(60) },
    { change: 'recorderResumed', at: at(62) },
  ];
  const silent = [{ fromMs: 39_500, toMs: 40_100, why: 'pause' as const }];
  const said = textOf(pageOf({ changes: [...askedPause, ...holds] }, { silent }));
  expect(said).toContain('since somebody asked for it, as before the number of a card');
  expect(said).toContain('while one side was on hold');
  expect(said).toContain('somebody was just asking for a pause, or had asked for one');
});

describe('a pause of which a time is not known', () => {
  const apart = (changes: ReceiptFacts['changes']): string =>
    /From its begin.*?The notice that/.exec(textOf(pageOf({ changes })))?.[0] ?? '';
  const placed = (changes: ReceiptFacts['changes']): number => pageOf({ changes }).split('class="pause" x1').length - 1;

  test('is a reason for what is missing, and no other is asked for', () => {
    const said = apart([{ change: 'recorderPaused', at: at(40) }, { change: 'recorderResumed' }]);
    expect(said).toContain('paused from 2026-03-01 10:00:40.000 UTC to (time not known)');
    expect(said).toContain('20 s more, with the pause of unknown length');
    expect(said).not.toContain('does not say why');
  });

  test('is told when its begin is what is not known, and no later one is placed in the figure', () => {
    const changes = [
      { change: 'recorderPaused', at: null },
      { change: 'recorderResumed', at: at(20) },
      { change: 'recorderPaused', at: at(40) },
      { change: 'recorderResumed', at: at(50) },
    ];
    const said = apart(changes);
    expect(said).toContain('paused from (time not known) to 2026-03-01 10:00:20.000 UTC');
    expect(said).toContain('paused from 2026-03-01 10:00:40.000 UTC to 2026-03-01 10:00:50.000 UTC');
    expect(said).toContain('10 s more, with the pause of unknown length');
    expect(placed(changes)).toBe(0);
    expect(placed(changes.slice(2))).toBe(1);
  });
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
