import fc from 'fast-check';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { hashOfFacts, type PaperFacts } from '../../../src/papers/facts.ts';
import { papersIn, fileNames } from '../../../src/papers/papers.ts';
import { loadPaperTexts } from '../../../src/papers/texts.ts';
import { factsOf, paperPurpose } from '../../support/policy/papers.ts';
import { tried } from '../../support/properties.ts';

/** No paper promises what the configuration does not keep, nor leaves out what it does: both directions, whatever is configured. */

const say = await loadPaperTexts('en');
const making = { madeAt: '2026-08-24T10:00:00.000Z', version: '1.2.3' };

type Kind = keyof typeof fileNames;

/** What is read on each page, in one line. */
function read(facts: PaperFacts): (kind: Kind) => string {
  const pages = new Map(
    papersIn('en', facts, say, making, ['en']).map(({ name, content }) => [
      name,
      content
        .replace(/<style>.*?<\/style>/s, '')
        .replaceAll(/<\/(p|li|dd|h\d|span|td|div)>/g, '\n')
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/[ \t]*\n\s*/g, '\n'),
    ]),
  );

  return (kind) => pages.get(fileNames[kind]) ?? '';
}

const purposeTree = fc.record({
  consent: fc.constantFrom('announce', 'optOut', 'optIn'),
  keepDays: fc.integer({ min: 1, max: 31 }),
  recordPercent: fc.integer({ min: 1, max: 100 }),
  lock: fc.constantFrom('none', 'governance', 'compliance'),
  jurisdiction: fc.constantFrom('BE', 'FR', 'NL', 'IT'),
  checkedByCounsel: fc.constant(true),
  optInForCountries: fc.subarray(['DE', 'LU']),
});
const evidenceTree = fc.record({
  kind: fc.constant('evidence'),
  consent: fc.constantFrom('announce', 'optOut'),
  keepDays: fc.integer({ min: 32, max: 300 }),
  holdsAllowed: fc.boolean(),
  jurisdiction: fc.constantFrom('BE', 'FR', 'NL', 'IT'),
  checkedByCounsel: fc.constant(true),
});
/** Codes that are in no other, nor in the feature code. */
const codesTree = fc.record(
  {
    pause: fc.constant('*1'),
    erase: fc.constant('*4'),
    exemplary: fc.constant('*7'),
    pressedBy: fc.constantFrom('agent', 'caller', 'both'),
  },
  { requiredKeys: ['pause', 'pressedBy'] },
);
const tree = fc.record({
  training: purposeTree,
  agreement: fc.option(evidenceTree),
  /** Of which a dialplan may ask. */
  unlined: fc.option(purposeTree),
  codes: fc.option(codesTree),
  records: fc.constantFrom('always', 'onRequest'),
  adviceRecords: fc.constantFrom('always', 'onRequest'),
  featureCode: fc.constantFrom('*9', '#83', '0#'),
  privacy: fc.constantFrom({}, { hashKey: 'h'.repeat(32) }, { hashKey: 'h'.repeat(32), numberKey: 'n'.repeat(32) }),
  keepExtensions: fc.boolean(),
  dialledDays: fc.constantFrom(0, 1, 77),
  callerDays: fc.integer({ min: 301, max: 400 }),
  preferenceDays: fc.integer({ min: 401, max: 500 }),
  encryption: fc.constantFrom(
    { mode: 'none' },
    { mode: 'server' },
    { mode: 'client', key: sha256Of('a key of tests') },
  ),
  useTls: fc.boolean(),
  store: fc.constantFrom('minio', 'directory'),
  officer: fc.option(fc.constant('dpo@example.com')),
});
type Tree = typeof tree extends fc.Arbitrary<infer T> ? T : never;

function factsFrom(given: Tree): PaperFacts {
  const { training, agreement, unlined, codes, records, adviceRecords, featureCode } = given;
  const { callerDays, preferenceDays, officer } = given;

  return factsOf({
    purposes: {
      training: paperPurpose(training),
      ...(agreement === null ? {} : { agreement: paperPurpose(agreement) }),
      ...(unlined === null ? {} : { unlined: paperPurpose(unlined) }),
    },
    lines: {
      default: {
        purposes: ['training', ...(agreement === null ? [] : ['agreement'])],
        records,
        ...(codes === null ? {} : { codes }),
      },
      advice: { purposes: ['training'], records: adviceRecords },
    },
    more: {
      consent: { featureCode },
      privacy: {
        ...given.privacy,
        callerDays,
        preferenceDays,
        traceDays: 600,
        keepExtensions: given.keepExtensions,
        dialledDays: given.dialledDays,
      },
      // An object store alone encrypts by itself.
      archive: {
        store: given.encryption.mode === 'server' ? 'minio' : given.store,
        minio: { useTls: given.useTls },
        encryption: given.encryption,
      },
      controller: {
        name: 'Example SA',
        contact: 'privacy@example.com',
        transfers: 'none',
        ...(officer === null ? {} : { dataProtectionOfficer: officer }),
      },
    },
  });
}

const holds = (property: (facts: PaperFacts, page: (kind: Kind) => string, given: Tree) => void, runs = 25): void => {
  fc.assert(
    fc.property(tree, (given) => {
      const facts = factsFrom(given);
      property(facts, read(facts), given);
    }),
    tried(runs),
  );
};

const daysIn = (text: string): number[] =>
  [...new Set(Array.from(text.matchAll(/\b(\d+) days?\b/g), ([, days]) => Number(days)))].toSorted((a, b) => a - b);

test('every number of days is one of the configuration, and each time limit is stated', () => {
  holds(({ purposes, callers, traceDays, certificateDays, dialledDays }, page) => {
    const kept = purposes.map(({ keepDays }) => keepDays);
    const ofCallers = callers.kind === 'nothing' ? [] : [callers.callerDays, callers.preferenceDays];
    const most = purposes.flatMap(({ maximumDays }) => maximumDays ?? []);
    const sorted = (...lists: number[][]): number[] => [...new Set(lists.flat())].toSorted((a, b) => a - b);
    expect(daysIn(page('website'))).toEqual(sorted(kept, ofCallers, [traceDays]));
    const ofNumbers = dialledDays === 0 ? [] : [dialledDays];
    expect(daysIn(page('employees'))).toEqual(sorted(kept, ofNumbers));
    expect(daysIn(page('worksCouncil'))).toEqual(sorted(kept));
    expect(daysIn(page('poster'))).toEqual(sorted(kept));
    expect(daysIn(page('dpia'))).toEqual(sorted(kept));
    expect(daysIn(page('register'))).toEqual(sorted(kept, ofCallers, ofNumbers, most, [traceDays, certificateDays]));
  });
});

test('the code that refuses is named exactly where somebody may refuse', () => {
  holds(({ modes, lines }, page, { featureCode, codes }) => {
    const mayRefuse = modes.some((mode) => mode !== 'announce');
    const mayErase = codes?.erase !== undefined && codes.pressedBy !== 'agent';
    const onLines = lines.some((line) => line.modes.some((mode) => mode !== 'announce'));
    for (const kind of ['employees', 'worksCouncil', 'poster'] as const) {
      expect([kind, page(kind).includes(featureCode)]).toEqual([kind, onLines]);
    }
    expect(page('website').includes(featureCode)).toBe(mayRefuse);
    expect(page('website').includes(say.website.noKey)).toBe(!mayRefuse && !mayErase);
    expect(page('website').includes('names a key for it, press 9')).toBe(modes.includes('optOut'));
    expect(page('website').includes('press 1 to agree')).toBe(modes.includes('optIn'));
    expect(page('website').includes(say.website.freely)).toBe(!modes.includes('announce'));
  });
});

test('a purpose is said to be refusable, asked for or neither as the strictest consent of its lines is', () => {
  holds(({ purposes }, page) => {
    for (const mode of ['announce', 'optOut', 'optIn'] as const) {
      const isChosen = purposes.some(({ choices }) => choices.includes(mode));
      expect([mode, page('website').includes(say.modes[mode])]).toEqual([mode, isChosen]);
    }
  });
});

test('each code is named where it is configured, and no other', () => {
  const tasks = { pause: 'toggle', erase: 'erase', exemplary: 'exemplary' } as const;
  holds((_facts, page, { codes }) => {
    for (const [key, task] of Object.entries(tasks)) {
      const isThere = codes !== null && Object.hasOwn(codes, key);
      const words = say.poster.tasks[task];
      for (const kind of ['employees', 'worksCouncil', 'poster'] as const)
        expect([kind, key, page(kind).includes(words)]).toEqual([kind, key, isThere]);
      // Callers are told of those that are theirs.
      expect(page('website').includes(words)).toBe(isThere && codes.pressedBy !== 'agent');
    }
    expect(page('website').includes(say.website.pausedByStaff)).toBe(codes !== null && codes.pressedBy !== 'caller');
    expect(page('dpia').includes(say.dpia.minimise.noPause)).toBe(codes === null);
  });
});

test('locks, disputes, lots and requests are told where there are any', () => {
  holds(({ purposes, lines }, page) => {
    const some = (holdsFor: (purpose: (typeof purposes)[number]) => boolean): boolean => purposes.some(holdsFor);
    for (const kind of ['website', 'employees', 'worksCouncil'] as const) {
      expect(page(kind).includes(say.purpose.locked)).toBe(some(({ lock }) => lock === 'compliance'));
      expect(page(kind).includes(say.purpose.lockedUnlessLifted)).toBe(some(({ lock }) => lock === 'governance'));
      expect(page(kind).includes(say.purpose.dispute)).toBe(some(({ holdsAllowed }) => holdsAllowed));
      for (const { recordPercent } of purposes) {
        const share = say.purpose.share({ percent: recordPercent });
        expect(page(kind).includes(share)).toBe(recordPercent < 100);
      }
    }
    const asked = lines.filter(({ records }) => records === 'onRequest').map(({ name }) => name);
    const [all, none] = [asked.length === lines.length, asked.length === 0];
    expect(page('website').includes(say.website.onRequest)).toBe(!all && !none);
    expect(page('website').includes(say.website.onRequestAlways)).toBe(all);
    expect(page('poster').includes(say.poster.talkRequest)).toBe(all);
    expect(page('poster').includes(say.poster.talkRequestOn({ lines: asked.join(' and ') }))).toBe(!all && !none);
    expect(page('employees').includes(say.employees.notAsked({ lines: asked.join(' and ') }))).toBe(!none);
    expect(page('worksCouncil').includes(say.worksCouncil.onlyMarked)).toBe(!none);
    for (const { id, names, recordPercent, onlyOnceMarked } of purposes) {
      const having = lines.filter((line) => line.purposes.includes(id));
      const isWhole =
        recordPercent === 100 &&
        !onlyOnceMarked &&
        (having.length === 0 || having.some(({ records }) => records === 'always'));
      const words = say.dpia.minimise.all({ name: names['en'] ?? '' });
      // All purposes of these tests have one name.
      if (isWhole) expect(page('dpia')).toContain(words);
      if (all && purposes.every((each) => each.lines.length > 0)) expect(page('dpia')).not.toContain(words);
    }
    if (all) expect(page('worksCouncil')).not.toContain(say.worksCouncil.all);
    expect(page('website').includes(say.website.eraseEvidence)).toBe(some(({ kind }) => kind === 'evidence'));
  });
});

test('a purpose that no line has is left to a human, and is not on the poster as one that holds', () => {
  holds((_facts, page, { unlined }) => {
    const marked = say.purpose.noLine({ id: 'unlined' });
    for (const kind of ['website', 'employees', 'worksCouncil', 'dpia'] as const)
      expect([kind, page(kind).includes(marked)]).toEqual([kind, unlined !== null]);
    expect(page('poster').includes(say.poster.afterUnlined({ kept: '' }).slice(0, 20))).toBe(unlined !== null);
    expect(page('register').includes(say.register.noLine)).toBe(unlined !== null);
  });
});

test('the written consent of staff is asked for where the law wants that of all who speak', () => {
  const asks = (jurisdiction: string, kind: string): boolean => {
    const over = { jurisdiction, kind, consent: 'optIn', keepDays: 20, checkedByCounsel: true };
    const page = read(factsOf({ purposes: { training: paperPurpose(over) } }));

    return page('employees').includes(say.employees.consentHeading + '\n');
  };
  const all = ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'LU', 'NL', 'other'];
  expect(all.filter((country) => asks(country, 'training'))).toEqual(['AT', 'CH', 'DE', 'LU']);
  expect(all.filter((country) => asks(country, 'evidence'))).toEqual(['DE']);
});

test('where the GDPR is not the law, or may not be, each page that names its articles leaves that to a human', () => {
  for (const jurisdiction of ['BE', 'CH', 'other']) {
    const over = { jurisdiction, consent: 'optIn', keepDays: 20 };
    const page = read(factsOf({ purposes: { training: paperPurpose(over), more: paperPurpose({ keepDays: 20 }) } }));
    for (const kind of ['website', 'employees', 'register', 'dpia'] as const)
      expect([kind, jurisdiction, page(kind).includes(say.otherLaw)]).toEqual([
        kind,
        jurisdiction,
        jurisdiction !== 'BE',
      ]);
    expect(page('website').includes(say.authorityUnknown)).toBe(jurisdiction === 'other');
  }
});

test('the archive is said to be as protected as it is', () => {
  holds(({ archive }, page) => {
    for (const kind of ['register', 'dpia'] as const) {
      for (const mode of ['none', 'server', 'client'] as const)
        expect([mode, page(kind).includes(say.register.encryption[mode])]).toEqual([mode, archive.encryption === mode]);
      expect(page(kind).includes(say.register.bucketTls)).toBe(archive.place === 'bucket' && archive.tls);
      expect(page(kind).includes(say.register.bucketOpen)).toBe(archive.place === 'bucket' && !archive.tls);
      expect(page(kind).includes(say.register.folder)).toBe(archive.place === 'folder');
    }
  });
});

test('what is kept of numbers is what the keys let be kept', () => {
  holds(({ callers }, page) => {
    expect(page('website').includes(say.website.callerNothing)).toBe(callers.kind === 'nothing');
    expect(page('website').includes(say.website.byTime)).toBe(callers.kind === 'nothing');
    expect(page('website').includes('your number is stored in encrypted form')).toBe(callers.kind === 'number');
    expect(page('website').includes('a code is computed from your number')).toBe(callers.kind === 'hash');
    expect(page('dpia').includes(say.dpia.risks.wrongNoHash.risk)).toBe(callers.kind === 'nothing');
  });
});

test('staff are told that their telephone is kept with a call exactly where it is', () => {
  holds((_facts, page, { keepExtensions }) => {
    expect(page('employees').includes(say.employees.extensionKept)).toBe(keepExtensions);
    expect(page('employees').includes(say.employees.extensionNotKept)).toBe(!keepExtensions);
    expect(page('register').includes(say.register.dataExtension)).toBe(keepExtensions);
  });
});

test('the number that was dialled is told of, with its end, exactly where it is kept', () => {
  holds(({ dialledDays }, page) => {
    const days = say.days(dialledDays);
    expect(page('employees').includes(say.employees.dialledKept({ days }))).toBe(dialledDays > 0);
    expect(page('register').includes(say.register.dataDialled)).toBe(dialledDays > 0);
    expect(page('register').includes(say.register.dialledLimit({ days }))).toBe(dialledDays > 0);
  });
});

test('authorities and rules are those of the law of the recordings, and of no other', () => {
  holds(({ jurisdictions }, page) => {
    for (const law of ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'LU', 'NL'] as const) {
      const holdsHere = jurisdictions.includes(law);
      expect([law, page('website').includes(say.authorities[law])]).toEqual([law, holdsHere]);
      expect([law, page('worksCouncil').includes(say.worksCouncil.rules[law])]).toEqual([law, holdsHere]);
    }
  });
});

test('each page says that it is a draft and no legal advice, when it was made, and from which facts', () => {
  holds((facts, page) => {
    for (const kind of Object.keys(fileNames) as Kind[]) {
      for (const part of [
        say.draftNote,
        '24 August 2026, 12:00 (10:00 UTC)',
        '1.2.3',
        hashOfFacts(facts),
        facts.policyVersion,
      ]) {
        expect([kind, part, page(kind).includes(part)]).toEqual([kind, part, true]);
      }
    }
  }, 10);
});

test('other facts have another hash, the same have the same', () => {
  holds((facts, _page, given) => {
    expect(hashOfFacts(factsFrom(given))).toBe(hashOfFacts(facts));
    const longer = { ...given, training: { ...given.training, keepDays: (given.training.keepDays % 31) + 1 } };
    expect(hashOfFacts(factsFrom(longer))).not.toBe(hashOfFacts(facts));
  }, 20);
});
