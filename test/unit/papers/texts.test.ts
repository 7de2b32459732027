import { roles } from '../../../src/config/roles.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import type { PaperFacts } from '../../../src/papers/facts.ts';
import { paperLanguages } from '../../../src/papers/languages.ts';
import { papersIn } from '../../../src/papers/papers.ts';
import { loadPaperTexts, paperTexts } from '../../../src/papers/texts.ts';
import { markedTexts } from '../../support/markedTexts.ts';
import { factsOf, paperController, paperPurpose } from '../../support/policy/papers.ts';

const making = { madeAt: '2026-08-24T10:00:00.000Z', version: '1.2.3' };

const texts = await Promise.all(
  paperLanguages.map(async (language) => [language, await loadPaperTexts(language)] as const),
);

/** As if callers were told in English, too. */
const inEnglish = (facts: PaperFacts): PaperFacts => ({
  ...facts,
  lines: facts.lines.map((line) => ({
    ...line,
    spoken: { ...line.spoken, en: line.spoken.fr ?? { heard: [], singles: {} } },
  })),
});

/** Between them these configurations have whatever a paper can say. */
const configurations = [
  {
    ...factsOf({
      purposes: Object.fromEntries(
        ['AT', 'ES', 'IT'].map((jurisdiction) => [
          `purpose${jurisdiction.toLowerCase()}`,
          paperPurpose({ jurisdiction, consent: 'optIn', keepDays: 20 }),
        ]),
      ),
      more: {
        privacy: { hashKey: 'h'.repeat(32), keepExtensions: true, dialledDays: 90 },
      },
    }),
    shorterWithinDays: 30,
  },
  factsOf({
    purposes: Object.fromEntries(
      ['BE', 'FR', 'NL', 'DE'].map((jurisdiction, index) => {
        const legalBasis = `GDPR art. 6(1)(${'abdf'[index] ?? 'a'})`;

        return [
          `purpose${jurisdiction.toLowerCase()}`,
          paperPurpose({ jurisdiction, consent: 'optIn', keepDays: 20, legalBasis, checkedByCounsel: true }),
        ] as const;
      }),
    ),
    more: { privacy: { hashKey: 'h'.repeat(32) } },
  }),
  factsOf({
    purposes: Object.fromEntries(
      ['LU', 'CH', 'other'].map((jurisdiction) => [
        `purpose${jurisdiction.toLowerCase()}`,
        paperPurpose({ jurisdiction, consent: 'optIn', keepDays: 20, checkedByCounsel: true, mayListen: [...roles] }),
      ]),
    ),
    lines: { advice: { records: 'onRequest', codes: { record: '*5', pressedBy: 'both' } } },
    more: {
      privacy: { hashKey: 'h'.repeat(32), numberKey: 'n'.repeat(32) },
      staff: { extensions: ['101'] },
      archive: { store: 'minio', minio: { useTls: false }, encryption: { mode: 'server' } },
    },
  }),
  factsOf({
    purposes: {
      training: paperPurpose({ recordPercent: 20, optInForCountries: ['DE'], lock: 'governance' }),
      agreement: paperPurpose({
        kind: 'evidence',
        consent: 'announce',
        holdsAllowed: true,
        lock: 'compliance',
        mayListen: [],
      }),
      safety: paperPurpose({ legalBasis: 'GDPR art. 6(1)(d), (e) and (f)', consent: 'announce' }),
      unused: paperPurpose(),
    },
    lines: {
      default: { purposes: ['training'] },
      orders: {
        purposes: ['training', 'agreement'],
        codes: {
          pause: '*1',
          resume: '*2',
          erase: '*4',
          agreement: { code: '*6', purpose: 'agreement' },
          exemplary: '*7',
          pressedBy: 'caller',
        },
        pauseSeconds: 45,
        internalCalls: 'record',
      },
      other: { purposes: ['safety'], codes: { pause: '*1' } },
    },
    more: {
      controller: {
        name: 'Example SA',
        contact: 'us',
        transfers: 'none',
        recipients: ['Host'],
        dataProtectionOfficer: 'dpo',
      },
      staff: { extensions: ['101'] },
      archive: {
        store: 'minio',
        encryption: { mode: 'client', key: sha256Of('a key of tests') },
        former: ['old.yaml'],
      },
    },
  }),
  factsOf({ lines: { default: { records: 'onRequest', codes: { record: '*5' } } } }),
  factsOf({
    purposes: {
      mifid: paperPurpose({
        kind: 'obligation',
        jurisdiction: 'EU',
        consent: 'announce',
        keepDays: 1827,
        legalBasis: 'GDPR art. 6(1)(c)',
        whenUnrecordable: 'turnAway',
        mayListen: [],
      }),
    },
  }),
];

test('who runs an installation for a company is a recipient of its recordings, beside those that it names', () => {
  const tree = (controller: Record<string, unknown>) => ({
    more: {
      controllers: { acme: { ...paperController, ...controller } },
      processor: { name: 'Host', subprocessors: ['Centre'] },
    },
    lines: { default: { controller: 'acme' } },
  });
  const recipients = (controller: Record<string, unknown>) =>
    factsOf({ ...tree(controller), controller: 'acme' }).controller.recipients;
  expect(recipients({})).toEqual(['Host', 'Centre']);
  expect(recipients({ recipients: ['Lawyer', 'Host'] })).toEqual(['Lawyer', 'Host', 'Centre']);
  expect(factsOf(tree({})).controller.recipients).toEqual([]);
});

test('each text of a language is said by some paper', async () => {
  const { tree, keys } = await markedTexts('papers');
  const say = paperTexts('en').parse(tree);
  const pages = configurations.flatMap((facts) => papersIn('en', inEnglish(facts), say, making, ['en', 'fr']));
  const all = pages.map(({ content }) => content).join('');
  // A number that is not counted with one text is with the other.
  const counts = /^\[\.(days|seconds|minutes|index\.open)\./;
  expect(keys.filter((key) => !counts.test(key) && !all.includes(key))).toEqual([]);
});

test('no page has a place that was not filled in, nor what is no text', () => {
  for (const [language, say] of texts) {
    for (const facts of configurations) {
      for (const { name, content } of papersIn(language, facts, say, making, paperLanguages)) {
        const shown = content.replace(/<style>.*?<\/style>/s, '');
        expect([language, name, /undefined|\[object|\{\w+\}|NaN|<script|https?:/.exec(shown)?.[0]]).toEqual([
          language,
          name,
          undefined,
        ]);
        expect(shown).toContain(`<html lang="${language}">`);
        expect(shown).toContain('24');
        expect(shown).toContain('12:00 (10:00 UTC)');
      }
    }
  }
});

test('days, seconds, minutes and places are counted as each language does', () => {
  const counted = texts.map(([language, { days, seconds, minutes, index }]) => [
    language,
    ...[0, 1, 2].map(days),
    ...[1, 2].map(seconds),
    ...[1, 2].map(minutes),
    ...[1, 2].map(index.open),
  ]);
  expect(counted).toEqual([
    [
      'fr',
      '0 jour',
      '1 jour',
      '2 jours',
      '1 seconde',
      '2 secondes',
      '1 minute',
      '2 minutes',
      '1 passage à rédiger',
      '2 passages à rédiger',
    ],
    [
      'nl',
      '0 dagen',
      '1 dag',
      '2 dagen',
      '1 seconde',
      '2 seconden',
      '1 minuut',
      '2 minuten',
      '1 passage nog te schrijven',
      '2 passages nog te schrijven',
    ],
    [
      'de',
      '0 Tage',
      '1 Tag',
      '2 Tage',
      '1 Sekunde',
      '2 Sekunden',
      '1 Minute',
      '2 Minuten',
      '1 Stelle noch zu schreiben',
      '2 Stellen noch zu schreiben',
    ],
    [
      'en',
      '0 days',
      '1 day',
      '2 days',
      '1 second',
      '2 seconds',
      '1 minute',
      '2 minutes',
      '1 place to write',
      '2 places to write',
    ],
  ]);
});

test('quotation marks are those of the language', () => {
  const quoted = texts.map(([language, { purpose }]) => [language, purpose.quote({ words: 'x' })]);
  expect(quoted).toEqual([
    ['fr', '«\u00a0x\u00a0»'],
    ['nl', '“x”'],
    ['de', '„x“'],
    ['en', '“x”'],
  ]);
});

test('roles and that nothing leaves the EEA are said in the language of the paper, other words as the company has them', () => {
  const facts = factsOf({ purposes: { training: paperPurpose({ mayListen: ['coach', 'ombudsman'] }) } });
  const [, say] = texts.find(([language]) => language === 'nl') ?? [];
  const pages = say === undefined ? [] : papersIn('nl', facts, say, making, ['nl']);
  const all = pages.map(({ content }) => content).join('');
  expect(all).toContain('personen die medewerkers coachen en “ombudsman”');
  expect(all).not.toMatch(/“none”|“coach”/);
  expect(all.split('>geen<').length).toBeGreaterThan(2);
});

test('whatever the company says is text', async () => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const facts = factsOf({
    purposes: {
      training: paperPurpose({
        justification: evil,
        legalBasis: evil,
        names: { fr: evil, nl: evil, de: evil, en: evil },
        source: evil,
      }),
    },
    more: {
      controller: { name: evil, contact: evil, dataProtectionOfficer: evil, recipients: [evil], transfers: evil },
    },
  });
  const pages = papersIn('en', facts, await loadPaperTexts('en'), making, ['en'])
    .map(({ content }) => content)
    .join('');
  expect(pages).not.toContain('<img');
  expect(pages.split('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;').length).toBeGreaterThan(20);
});
