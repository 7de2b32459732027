import { parseConfig } from '../../../src/config/load.ts';
import type { CallId, RecordingId } from '../../../src/core/ids.ts';
import { answerTexts, loadAnswerTexts } from '../../../src/dataSubject/answerTexts.ts';
import { erasureAnswerPage, type ErasureAnswer } from '../../../src/dataSubject/erasureAnswer.ts';
import { subjectLanguages } from '../../../src/dataSubject/languages.ts';
import type { SubjectErasure, SubjectRecording } from '../../../src/dataSubject/personRequest.ts';
import { markedTexts } from '../../support/markedTexts.ts';
import { aPurpose, purposesConfig } from '../../support/policy/purposes.ts';

/** What a person reads who asked for erasure. */

const at = (day: number): number => Date.UTC(2026, 7, day, 10);

const names = { fr: 'formation', nl: 'opleiding', de: 'Schulung', en: 'training' };
const config = parseConfig({
  ...purposesConfig({
    training: aPurpose({ names }),
    agreement: aPurpose({
      names: { fr: 'preuve', nl: 'bewijs', de: 'Nachweis', en: 'evidence' },
      kind: 'evidence',
      consent: 'announce',
    }),
  }),
  controller: { name: 'Example SA', contact: 'privacy@example.com', dataProtectionOfficer: 'dpo@example.com' },
});

const recording = (outcome: SubjectRecording['outcome'], day = 1): SubjectRecording => ({
  id: 'RECORDING' as RecordingId,
  startedAt: at(day),
  status: 'archived',
  purposes: ['training', 'agreement'],
  ends: [
    { purpose: 'training', keepUntil: at(10) },
    { purpose: 'agreement', keepUntil: at(20) },
  ],
  outcome,
});

const everything: SubjectRecording[] = [
  recording({ kind: 'erased', certificate: 17 }, 2),
  recording({ kind: 'gone' }, 3),
  recording({ kind: 'kept', exceptions: [{ ground: 'evidence', purpose: 'agreement' }], ended: ['training'] }, 4),
  ...(['dispute', 'authority', 'restriction'] as const).map((hold) =>
    recording({ kind: 'kept', exceptions: [{ ground: 'hold', hold, until: at(30) }], ended: [] }),
  ),
  recording({ kind: 'kept', exceptions: [{ ground: 'lock', mode: 'compliance', until: at(30) }], ended: [] }),
  recording({ kind: 'kept', exceptions: [{ ground: 'obligation', purpose: 'mifid' }], ended: [] }),
  recording({ kind: 'kept', exceptions: [{ ground: 'unknown', purpose: 'old' }], ended: [] }),
  recording({ kind: 'unfinished' }),
  recording({ kind: 'lost' }),
  recording({ kind: 'failed', code: 'internal' }),
];
const result = (over: Partial<SubjectErasure> = {}): SubjectErasure => ({
  calls: 20,
  recordings: everything,
  unrecorded: 2,
  direct: 2,
  open: ['CALL' as CallId],
  unreadable: ['CALL' as CallId],
  language: true,
  copyFailure: undefined,
  ...over,
});
const answer = (over: Partial<ErasureAnswer> = {}): ErasureAnswer => ({
  person: { kind: 'caller', hash: 'k' },
  result: result(),
  unsearched: true,
  madeAt: new Date(at(31)).toISOString(),
  language: 'en',
  config,
  authorities: ['the authority'],
  ...over,
});
const nothing = result({
  calls: 0,
  recordings: [],
  unrecorded: 0,
  direct: 0,
  open: [],
  unreadable: [],
  language: false,
});

/** As it is read, with ordinary spaces. */
const read = (page: string): string =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('\u00a0', ' ')
    .replaceAll(/\s*\n\s*/g, '\n');

test('each text of a language is said by some answer', async () => {
  const { tree, keys } = await markedTexts('erasureAnswer');
  const say = answerTexts('en').parse(tree);
  const none = answer({ result: nothing, unsearched: false });
  const bare = answer({
    result: result({ recordings: [] }),
    config: { ...config, controller: { recipients: [] } },
  });
  const ofOne = answer();
  const many = answer({
    result: result({
      recordings: [...everything, ...everything],
      unrecorded: 1,
      direct: 1,
      open: ['A', 'B'] as CallId[],
      unreadable: ['A', 'B'] as CallId[],
    }),
  });
  const one = answer({ result: result({ recordings: everything.slice(0, 3) }) });
  const employee: ErasureAnswer['person'] = { kind: 'employee', extension: '101', begun: { from: at(1), to: at(20) } };
  const ofEmployees = [answer({ person: employee }), { ...none, person: employee }];
  const pages = [answer(), none, bare, ofOne, many, one, ...ofEmployees]
    .map((each) => erasureAnswerPage(each, say))
    .join('');
  expect(keys.filter((key) => !pages.includes(key))).toEqual([]);
});

test.each([
  [
    'fr',
    [
      'Appel du 2 août 2026, 12:00 (10:00 UTC) : enregistrement effacé, certificat n° 17',
      'Il est nécessaire à l’exercice ou à la défense de droits en justice (art. 17, § 3, e)) : preuve, jusqu’au 20 août 2026, 12:00 (10:00 UTC).',
      'Il n’est plus utilisé pour : formation.',
    ],
  ],
  [
    'nl',
    [
      'Gesprek van 2 augustus 2026, 12:00 (10:00 UTC): opname gewist, certificaat nr. 17',
      'Ze is nodig voor een rechtsvordering (art. 17, lid 3, onder e): bewijs, tot 20 augustus 2026, 12:00 (10:00 UTC).',
      'Ze wordt niet meer gebruikt voor: opleiding.',
    ],
  ],
  [
    'de',
    [
      'Gespräch vom 2. August 2026, 12:00 (10:00 UTC): Aufzeichnung gelöscht, Bescheinigung Nr. 17',
      'Sie wird für Rechtsansprüche gebraucht (Art. 17 Abs. 3 Buchst. e): Nachweis, bis 20. August 2026, 12:00 (10:00 UTC).',
      'Nicht mehr verwendet wird sie für: Schulung.',
    ],
  ],
  [
    'en',
    [
      'Call of 2 August 2026, 12:00 (10:00 UTC): recording erased, certificate no. 17',
      'It is needed for legal claims (art. 17(3)(e)): evidence, until 20 August 2026, 12:00 (10:00 UTC).',
      'It is no longer used for: training.',
    ],
  ],
] as const)(
  'in %s it says what was erased with its certificate, and what is kept why and until when',
  async (language, parts) => {
    const page = read(erasureAnswerPage(answer({ language }), await loadAnswerTexts(language)));
    for (const part of parts) expect(page).toContain(part);
    expect(page).not.toMatch(/undefined|\{\w+\}|RECORDING|CALL/);
  },
);

test('recordings and calls are counted as each language does', async () => {
  const counted = await Promise.all(
    subjectLanguages.map(async (language) => {
      const { erased, kept, forgotten } = await loadAnswerTexts(language);

      return [1, 2]
        .flatMap((count) => [erased(count), kept(count), forgotten(count)])
        .map((text) => text.replaceAll('\u00a0', ' '));
    }),
  );
  expect(counted).toEqual([
    [
      '1 enregistrement a été effacé :',
      '1 enregistrement est conservé :',
      'Pour 1 appel sans enregistrement, nous ne conservons plus qu’il était de vous.',
      '2 enregistrements ont été effacés :',
      '2 enregistrements sont conservés :',
      'Pour 2 appels sans enregistrement, nous ne conservons plus qu’ils étaient de vous.',
    ],
    [
      '1 opname is gewist:',
      '1 opname wordt bewaard:',
      'Van 1 gesprek zonder opname bewaren wij niet meer dat het van u was.',
      '2 opnames zijn gewist:',
      '2 opnames worden bewaard:',
      'Van 2 gesprekken zonder opname bewaren wij niet meer dat ze van u waren.',
    ],
    [
      '1 Aufzeichnung wurde gelöscht:',
      '1 Aufzeichnung bleibt gespeichert:',
      'Bei 1 Gespräch ohne Aufzeichnung speichern wir nicht mehr, dass es Ihres war.',
      '2 Aufzeichnungen wurden gelöscht:',
      '2 Aufzeichnungen bleiben gespeichert:',
      'Bei 2 Gesprächen ohne Aufzeichnung speichern wir nicht mehr, dass es Ihre waren.',
    ],
    [
      '1 recording was erased:',
      '1 recording is kept:',
      'For 1 call without a recording we no longer keep that it was yours.',
      '2 recordings were erased:',
      '2 recordings are kept:',
      'For 2 calls without a recording we no longer keep that they were yours.',
    ],
  ]);
});

test('nothing is said to be all where calls under an earlier key were not searched', async () => {
  const say = await loadAnswerTexts('en');
  const page = (unsearched: boolean): string => read(erasureAnswerPage(answer({ result: nothing, unsearched }), say));
  expect(page(false)).toContain(say.none);
  expect(page(true)).not.toContain(say.none);
  expect(page(true)).toContain(say.unsearched);
});

test.each(subjectLanguages)(
  'an employee is told in %s what is kept with their telephone, and not that it was they who asked for a restriction',
  async (language) => {
    const say = await loadAnswerTexts(language);
    const person = { kind: 'employee', extension: 'desk-7', begun: undefined } as const;
    const page = read(erasureAnswerPage(answer({ language, person }), say));
    for (const text of [say.employee.telephone, say.employee.restriction]) expect(page).toContain(text);
    expect(page).not.toContain(say.why.restriction);
    // It is for a reader who knows it, and for whoever else finds the page.
    expect(page).not.toContain('desk-7');
    const none = read(erasureAnswerPage(answer({ language, person, result: nothing, unsearched: false }), say));
    expect(none).toContain(say.employee.none);
    expect(none).not.toContain(say.none);
  },
);
