import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { processingRegister, registerMarkdown } from '../../../src/policy/processingRegister.ts';
import { aPurpose, purposesConfig } from '../../support/policy/purposes.ts';

const printedAt = '2026-08-24T10:00:00.000Z';
const controller = { name: 'Example SA', contact: 'privacy@example.com', transfers: 'none' };
const tree = {
  ...purposesConfig(
    {
      training: aPurpose({ optInForCountries: ['DE'], mayListen: ['coach'], recordPercent: 20, source: 'counsel' }),
      agreement: aPurpose({ kind: 'evidence', consent: 'announce', keepDays: 395, holdsAllowed: true }),
    },
    { default: ['training'], orders: ['training', 'agreement'] },
  ),
  controller: { ...controller, recipients: ['Host NV (archive)'] },
};
const register = processingRegister(parseConfig(tree), printedAt);

test('it has what art. 30 asks for, for each purpose', () => {
  expect(register.missing).toEqual([]);
  expect(register.controller).toEqual({
    name: 'Example SA',
    contact: 'privacy@example.com',
    dataProtectionOfficer: null,
  });
  expect(register.activities.map(({ purpose }) => purpose)).toEqual(['training', 'agreement']);
  const [training, agreement] = register.activities;
  expect(training).toMatchObject({
    names: { fr: 'formation', nl: 'opleiding' },
    justification: 'Team leaders listen to a few calls of each employee.',
    legalBasis: 'GDPR art. 6(1)(f)',
    jurisdiction: 'BE',
    consent: { mode: 'optOut', optInForCountries: ['DE'] },
    lines: ['default', 'orders'],
    recipients: { roles: ['coach'], others: ['Host NV (archive)'] },
    transfers: 'none',
    storage: { keepDays: 28, maximumDays: 31, holdsAllowed: false },
    recordPercent: 20,
    source: 'counsel',
  });
  expect(agreement).toMatchObject({
    lines: ['orders'],
    storage: { keepDays: 395, maximumDays: 3653, holdsAllowed: true },
  });
  expect(training?.persons).toContain('Callers');
  expect(training?.data.length).toBeGreaterThan(2);
  expect(register.measures.length).toBeGreaterThan(4);
});

test('what the configuration does not say is named and not made up', () => {
  const bare = processingRegister(parseConfig({ ...tree, controller: {} }), printedAt);
  expect(bare.missing).toEqual([
    'controller.name',
    'controller.contact',
    'controller.transfers',
    // training has its coach.
    'purposes.agreement.mayListen',
  ]);
  expect(bare.activities[0]?.transfers).toBeNull();
  const text = registerMarkdown(bare);
  expect(text).toContain('**Not complete:** the configuration does not set controller.name, controller.contact');
  expect(text).toContain('- **Transfers outside the EEA:** not stated');
});

test('the remembered language is among the data, with its time, where it is remembered', () => {
  const data = (privacy: object): string =>
    processingRegister(parseConfig({ ...tree, privacy }), printedAt).activities[0]?.data.join('; ') ?? '';
  expect(data({ hashKey: 'k'.repeat(32), preferenceDays: 90 })).toContain(
    'A keyed hash of the telephone number of somebody who chose a language by a key, with that language, for 90 days after the last choice',
  );
  expect(data({})).not.toContain('hash');
});

test('whose call it was is among the data and in the trace, as far as the keys let it be kept', () => {
  const printed = (privacy: object): string =>
    registerMarkdown(processingRegister(parseConfig({ ...tree, privacy }), printedAt));
  const [hashKey, numberKey] = ['h'.repeat(32), 'n'.repeat(32)];
  expect(printed({})).toContain('Nothing is kept of the number of the caller, nor of who was called.');
  expect(printed({ hashKey })).toContain(
    'as a keyed hash of the number, to answer requests of persons: as long as the',
  );
  expect(printed({ hashKey })).not.toContain('number itself, encrypted');
  const both = printed({ hashKey, numberKey, callerDays: 30 });
  expect(both).toContain(
    'A keyed hash of the telephone number of the caller, or of who was called, and that number, encrypted',
  );
  expect(both).toContain('where there is none for 30 days');
});

test('what else the hash of a number is for is in the trace: a shorter notice', () => {
  const printed = (shorterWithinDays: number, jurisdiction = 'NL'): string => {
    const privacy = { hashKey: 'h'.repeat(32) };
    const purposes = purposesConfig({ training: aPurpose({ jurisdiction }) });
    const config = parseConfig({
      ...{ ...tree, ...purposes, privacy },
      notice: { languages: ['fr', 'nl'], shorterWithinDays },
    });

    return registerMarkdown(processingRegister(config, printedAt));
  };
  expect(printed(14)).toContain('By that hash, who heard the whole notice within 14 days hears a shorter one.');
  expect(printed(0)).not.toContain('a shorter one');
  // There all of it is said before each recording.
  expect(printed(14, 'BE')).not.toContain('a shorter one');
});

test('who receives or may hear recordings is not said to be nobody when nothing was said', () => {
  const silent = { ...purposesConfig({ training: aPurpose() }), controller };
  const text = registerMarkdown(processingRegister(parseConfig(silent), printedAt));
  expect(text).toContain('- **Who may listen:** not stated');
  expect(text).toContain('- **Other recipients:** not stated');
});

test('the Markdown says the same', () => {
  const text = registerMarkdown(register);
  expect(text).not.toContain('Not complete');
  for (const part of [
    '# Register of processing',
    '- **Controller:** Example SA',
    '## training',
    '- **Names:** formation (fr), opleiding (nl)',
    '- **Legal basis:** GDPR art. 6(1)(f) (jurisdiction: BE)',
    '- **Consent:** callers are told before and may refuse by a key, before and during the call; with numbers of DE: callers are asked before',
    '- **Calls:** 20 % of the lines default, orders',
    '- **Who may listen:** coach',
    '- **Other recipients:** Host NV (archive)',
    '- **Time limit for erasure: recording and its receipt:** 28 days after the call, never more than 31 days',
    '- **Time limit for erasure: the trace of the call:** see below',
    '## The trace of a call',
    '## agreement',
    '- **Time limit for erasure: recording and its receipt:** 395 days after the call, never more than 3653 days',
    '- **Checked by counsel:** not yet',
  ]) {
    expect(text).toContain(part);
  }
});

test('no text of the configuration breaks out of its line', () => {
  const justification = 'First line.\n\n# Heading | cell\n<b>bold</b> and more';
  const text = registerMarkdown(
    processingRegister(
      parseConfig({ ...purposesConfig({ training: aPurpose({ justification }) }), controller }),
      printedAt,
    ),
  );
  expect(text).toContain('- **Purpose:** First line. # Heading \\| cell \\<b\\>bold\\</b\\> and more\n');
});

test('the measures do not claim encryption that is switched off', () => {
  const measures = (useTls: boolean): string =>
    processingRegister(
      parseConfig({ ...tree, archive: { store: 'minio', minio: { useTls } } }),
      printedAt,
    ).measures.join();
  expect(measures(true)).toContain('encrypted connections (TLS)');
  expect(measures(false)).toContain('not encrypted');
});

test.each([
  ['none', 'Recordings are not encrypted in the archive by the program.'],
  ['server', 'encrypted in the archive by the object store, which keeps the keys'],
  ['client', 'encrypted by the program before they leave this machine'],
])('the measures say who encrypts the archive: %s', (mode, words) => {
  const encryption = { mode, ...(mode === 'client' ? { key: sha256Of('a key of tests') } : {}) };
  const { measures } = processingRegister(parseConfig({ ...tree, archive: { store: 'minio', encryption } }), printedAt);
  expect(measures.join('\n')).toContain(words);
  expect(measures.join('\n')).toContain('Until they are archived, recordings lie in the recording folder');
});

test('locks and holds are told of each purpose that has them, and of no other', () => {
  const locked = purposesConfig({
    training: aPurpose(),
    agreement: aPurpose({ kind: 'evidence', consent: 'announce', holdsAllowed: true, lock: 'governance' }),
  });
  const text = registerMarkdown(processingRegister(parseConfig({ ...locked, controller }), printedAt));
  expect(text).toContain('so that they cannot be erased earlier: agreement (governance).');
  expect(text).toContain('a dispute (agreement)');
  expect(text.match(/\*\*Object Lock:\*\* (\w+)/g)).toEqual(['**Object Lock:** none', '**Object Lock:** governance']);
  expect(text.match(/\*\*Holds:\*\* (\w+)/g)).toEqual(['**Holds:** not', '**Holds:** may']);
  expect(registerMarkdown(register)).not.toContain('cannot be erased earlier');
});

test('the measures say what of the access is enforced, and what is left to permissions', () => {
  const measures = (store: string): string =>
    processingRegister(parseConfig({ ...tree, archive: { store } }), printedAt).measures.join('\n');
  for (const part of [
    'for a purpose of its call only, and only until the end of that purpose',
    'erased when its last purpose ends',
    'Each handing out and each refusal is noted with the purpose and the account that asked',
    'Users and tokens of the API hear a recording only if a purpose of it names their role, until the end of that purpose',
    'Whoever runs the commands of the program on the machine is not asked for a role',
  ]) {
    expect(measures('directory')).toContain(part);
  }
  expect(measures('directory')).toContain('the permissions of the archive folder');
  expect(measures('minio')).toContain('the permissions of the bucket');
});

test('the trace of a call without a recording has its end', () => {
  const { trace } = processingRegister(parseConfig({ ...tree, privacy: { traceDays: 100 } }), printedAt);
  expect(trace).toContain('Of a call without a recording it is erased 100 days after its begin');
});

test('texts that the company gives by language are in that of the reader, the names of lines too', () => {
  const config = parseConfig({
    ...tree,
    purposes: {
      training: aPurpose({
        justification: { fr: 'Quelques appels sont écoutés.', nl: 'Enkele gesprekken worden beluisterd.' },
        legalBasis: { fr: 'RGPD art. 6(1)(f)', nl: 'AVG art. 6(1)(f)' },
      }),
    },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'], names: { fr: 'Accueil', nl: 'Onthaal' } } },
    controller: { ...controller, transfers: { fr: 'aucun', nl: 'geen' } },
  });
  expect(processingRegister(config, printedAt, 'controller', 'nl').activities).toMatchObject([
    {
      justification: 'Enkele gesprekken worden beluisterd.',
      legalBasis: 'AVG art. 6(1)(f)',
      transfers: 'geen',
      lines: ['default'],
      lineNames: ['Onthaal'],
    },
  ]);
  expect(registerMarkdown(processingRegister(config, printedAt, 'controller', 'fr'))).toMatch(
    /Quelques appels.*\n[^]*Accueil[^]*aucun/,
  );
});
