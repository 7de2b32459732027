import { localDate } from '../../../src/core/text/localDate.ts';
import { indexPage } from '../../../src/dataSubject/indexPage.ts';
import { subjectLanguages } from '../../../src/dataSubject/languages.ts';
import type { CallId, RecordingId } from '../../../src/core/ids.ts';
import type { AbsentWhy, IndexCall, IndexRecording, PersonIndex } from '../../../src/dataSubject/personIndex.ts';
import { loadSubjectTexts, subjectTexts } from '../../../src/dataSubject/texts.ts';
import { markedTexts } from '../../support/markedTexts.ts';

/** What a person reads of what is kept of them. */

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();

const recording = (over: Partial<IndexRecording> = {}): IndexRecording => ({
  id: 'RECORDING' as RecordingId,
  status: 'archived',
  startedAt: at(10),
  durationMs: 90_400,
  file: { kind: 'included', file: 'recordings/RECORDING.wav', bytes: 44, sha256: 'b'.repeat(64) },
  holds: [],
  tags: [],
  rating: null,
  comments: [],
  listened: [],
  ...over,
});
const call = (over: Partial<IndexCall> = {}): IndexCall => ({
  id: 'CALL' as CallId,
  startedAt: at(0),
  endedAt: at(121),
  line: 'orders',
  dialled: '+3225550100',
  lineName: 'orders',
  languages: ['fr', 'nl'],
  result: 'recorded',
  reason: null,
  consent: { mode: 'announce', answer: 'none', at: null },
  told: true,
  earlierNotice: null,
  purposes: [{ id: 'agreement', name: 'Agreement', justification: 'why', legalBasis: 'law', keepUntil: at(200) }],
  receipt: 'receipts/CALL.json',
  recording: null,
  ...over,
});

const absent: AbsentWhy[] = [
  ...[null, at(5)].flatMap((time) =>
    [null, 7].map((certificate) => ({ reason: 'erased', at: time, certificate }) as const),
  ),
  ...(['unfinished', 'lost', 'discarded', 'unusable'] as const).map((reason) => ({ reason })),
  { reason: 'unreadable', code: 'internal' },
];
const calls: IndexCall[] = [
  call({
    recording: recording({
      holds: (['dispute', 'authority', 'restriction'] as const).map((ground) => ({
        ground,
        from: at(300),
        until: at(400),
        inForce: true,
      })),
      listened: [
        { at: at(500), what: 'fetched', purpose: 'agreement', by: 'operator' },
        { at: at(501), what: 'bundled', purpose: null, by: 'operator' },
        { at: at(502), what: 'exported', purpose: null, by: 'operator' },
        { at: at(503), what: 'exportedToOther', purpose: null, by: 'operator' },
      ],
    }),
  }),
  ...absent.map((why) => call({ recording: recording({ file: { kind: 'absent', why } }) })),
  call({ result: 'unrecorded', consent: { mode: 'optOut', answer: 'refused', at: at(5) } }),
  call({ result: 'notConnected', consent: { mode: 'optIn', answer: 'accepted', at: at(5) }, receipt: null }),
  call({ result: 'abandoned', told: false }),
  call({ earlierNotice: { call: 'EARLIER' as CallId, at: at(5) } }),
  call({ result: null, endedAt: null }),
];

const index = (over: Partial<PersonIndex> = {}): PersonIndex => ({
  index: 1,
  madeAt: at(600),
  language: 'en',
  timezone: 'Europe/Brussels',
  controller: { name: 'Example SA', contact: null, dataProtectionOfficer: null, recipients: [], transfers: null },
  asker: 'caller',
  number: null,
  extension: null,
  direct: null,
  begun: null,
  rememberedLanguage: null,
  calls,
  unreadableCalls: ['LOST'],
  ...over,
});

/** What is read, with times as they are given: how a language writes them is not ours, and changes with Node. */
function textOf(page: string, locale: string): string {
  const shown = page.replaceAll(/<style>.*?<\/style>/gs, '').replaceAll(/<[^>]*>/g, '');

  return [0, 5, 200, 300, 400, 500, 600]
    .map((second) => [localDate(at(second), { locale, timezone: 'Europe/Brussels' }), at(second)] as const)
    .reduce((text, [time, iso]) => text.replaceAll(time, iso), shown)
    .replaceAll(/\s*\n\s*/g, '\n');
}

test.each(subjectLanguages)(
  'a page with much on it reads in %s as it did when its words were last agreed',
  async (language) => {
    const said = await loadSubjectTexts(language);
    expect(textOf(indexPage(index({ language }), said, {}), said.locale)).toMatchSnapshot();
  },
);

/** As it is made for an employee: without what the other person heard and answered. */
const ofEmployee = (over: Partial<PersonIndex> = {}): PersonIndex =>
  index({
    asker: 'employee',
    extension: '101',
    direct: { number: '+3225550101', calls: [{ startedAt: at(5), line: 'orders' }] },
    begun: { from: at(0), to: at(200) },
    calls: [
      call({
        ...{ languages: [], consent: null, receipt: null },
        recording: recording({ holds: [{ ground: null, from: at(300), until: at(400), inForce: true }] }),
      }),
    ],
    unreadableCalls: [],
    ...over,
  });

test.each(subjectLanguages)('an employee reads in %s what was last agreed', async (language) => {
  const said = await loadSubjectTexts(language);
  const text = textOf(indexPage(ofEmployee({ language }), said, {}), said.locale);
  expect(text).toMatchSnapshot();
  for (const word of [said.calls.receipt, said.calls.receiptMissing, said.calls.languages, said.person.numberHidden]) {
    expect(text).not.toContain(word);
  }
});

test.each([
  ['fr', 'aucun'],
  ['nl', 'geen'],
  ['de', 'keine'],
  ['en', 'none'],
] as const)('that nothing leaves the EEA is said in %s', async (language, word) => {
  const said = await loadSubjectTexts(language);
  const stated = index({ language, controller: { ...index().controller, transfers: 'none' } });
  const lines = textOf(indexPage(stated, said, {}), said.locale).split('\n');
  expect(lines[lines.findIndex((line) => line.includes(said.controller.transfers)) + 1]?.trim()).toContain(word);
});

test('each text of a language is said by some page', async () => {
  const { tree, keys } = await markedTexts('dataSubject');
  const said = subjectTexts('en').parse(tree);
  const pages = [
    index(),
    index({ calls: [call()], unreadableCalls: [] }),
    ofEmployee(),
    ofEmployee({ direct: { number: '+3225550101', calls: [] } }),
    index({ controller: { ...index().controller, transfers: 'None ' } }),
    index({
      calls: [
        call({
          recording: recording({
            durationMs: 1_000,
            tags: ['vip'],
            rating: { at: at(0), score: 63, criteria: [{ criterion: 'a', label: 'Greeting', value: 3, points: 5 }] },
            comments: [{ atMs: 900, text: 'well said', writtenAt: at(0) }],
          }),
        }),
      ],
      unreadableCalls: ['ONE', 'TWO'],
    }),
  ].map((each) => indexPage(each, said, {}));
  expect(keys.filter((key) => !pages.join('').includes(key))).toEqual([]);
});

test('nobody is said to have been told who did not hear the whole notice, unless they answered it', async () => {
  const said = await loadSubjectTexts('en');
  const read = (over: Partial<IndexCall>): string =>
    textOf(indexPage(index({ calls: [call(over)], unreadableCalls: [] }), said, {}), said.locale);
  for (const result of ['unrecorded', 'abandoned']) {
    expect(read({ told: false, result })).toContain(said.untold);
    expect(read({ told: false, result })).not.toContain(said.modes.announce);
  }
  const refused = read({ told: false, consent: { mode: 'optOut', answer: 'refused', at: at(5) } });
  expect(refused).toContain(`${said.modes.optOut} ${said.answers.refused}`);
  expect(refused).not.toContain(said.untold);
  const goingOn = read({ told: false, result: null, endedAt: null });
  expect(goingOn).not.toContain(said.untold);
  expect(goingOn).not.toContain(said.modes.announce);
});

test('whatever company, purposes and calls say is text', async () => {
  const evil = `<img src=x onerror=alert(1)>"'&{time}`;
  const [purpose] = call().purposes;
  const page = indexPage(
    index({
      controller: { name: evil, contact: evil, dataProtectionOfficer: evil, recipients: [evil], transfers: evil },
      number: evil,
      calls: [
        call({
          line: evil,
          result: evil,
          receipt: evil,
          purposes: purpose === undefined ? [] : [{ ...purpose, name: evil, justification: evil, legalBasis: evil }],
        }),
      ],
    }),
    await loadSubjectTexts('en'),
    {},
  );
  expect(page).not.toContain('<img');
  expect(page.split('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;{time}').length).toBeGreaterThan(10);
});
