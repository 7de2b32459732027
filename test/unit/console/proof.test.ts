import { marksOf } from '../../../console/src/call/marks.ts';
import { placesIn } from '../../../console/src/call/places.ts';
import { stepsOf } from '../../../console/src/call/timeline.ts';
import { newcomersIn, verdictOf, verdictText } from '../../../console/src/call/verdict.ts';
import { en } from '../../../console/src/messages/en.ts';
import type { Receipt } from '../../../src/receipt/receipt.ts';

/** What the page of a call makes of its receipt. */

const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 29, 12) + seconds * 1_000).toISOString();

const recording: NonNullable<Receipt['recording']> = {
  id: '01KBJ3Q1D3H7B8C2K4M6N9P0QR',
  status: 'archived',
  startedAt: at(10),
  finishedAt: at(40),
  gapMs: 12,
  bytes: 320_044,
  // Ten of thirty seconds were paused.
  durationMs: 20_000,
  sha256: null,
  flags: [],
  keepUntil: null,
  encryption: null,
};

const change = (
  name: Receipt['changes'][number]['change'],
  seconds: number | null,
  over: Partial<Receipt['changes'][number]> = {},
): Receipt['changes'][number] => ({
  change: name,
  at: seconds === null ? null : at(seconds),
  party: null,
  newcomer: null,
  ...over,
});

const receipt = (over: Partial<Receipt> = {}): Receipt => ({
  receipt: 6,
  call: {
    id: '01KBJ3Q0V8Q4J2M9W6T5R1N7XA',
    startedAt: at(0),
    endedAt: at(40),
    line: 'sales',
    direction: 'incoming',
    result: 'recorded',
    reason: null,
  },
  told: { party: 'caller', how: 'onArrival' },
  policyVersion: 'policy-1',
  purposes: [],
  language: { decided: ['fr'], played: ['fr'], reason: 'number', unavailable: [] },
  notice: [],
  otherSentences: [],
  changes: [],
  unwatched: [],
  consent: { mode: 'optOut', reason: 'purpose', purposes: [], answer: 'none', digits: null, at: null },
  witness: null,
  recording,
  asterisk: { version: '22', node: 'lab' },
  ...over,
});

const held = [
  change('held', 15, { party: 'destination' }),
  change('recorderPaused', 15),
  change('recorderResumed', 25),
  change('resumed', 25, { party: 'destination' }),
];

describe('the place of a time in the file', () => {
  const place = placesIn(receipt({ changes: held }));

  test('counts from the beginning of the recording', () => {
    expect(place(at(12))).toBe(2_000);
  });

  test('leaves out what was paused before it', () => {
    expect(place(at(30))).toBe(10_000);
  });

  test('of a time within a pause is where the pause is', () => {
    expect(place(at(20))).toBe(5_000);
  });

  test('is none before the recording, behind it, or where no time was told', () => {
    expect([place(at(9)), place(at(60)), place(null)]).toEqual([undefined, undefined, undefined]);
  });

  test('is not claimed where a pause has no time', () => {
    expect(placesIn(receipt({ changes: [change('recorderPaused', null)] }))(at(12))).toBeUndefined();
  });

  test('behind a pause that did not end is its beginning', () => {
    expect(placesIn(receipt({ changes: [change('recorderPaused', 20)] }))(at(35))).toBe(10_000);
  });
});

describe('the marks on the waveform', () => {
  test('have a hold as a point, since the file has nothing of it, and its pause not twice', () => {
    expect(marksOf(receipt({ changes: held }))).toEqual([{ kind: 'hold', from: 5_000, to: undefined, iso: at(15) }]);
  });

  test('have a pause that was asked for as long as it is silent in the file', () => {
    const changes = [change('pauseBegan', 14, { party: 'caller' }), change('pauseExpired', 18)];
    expect(marksOf(receipt({ changes }))).toEqual([{ kind: 'pause', from: 4_000, to: 8_000, iso: at(14) }]);
  });

  test('have the silence of a pause that was asked for before the recorder began, and none of one that was over by then', () => {
    const changes = [change('pauseBegan', 8), change('pauseEnded', 13)];
    expect(marksOf(receipt({ changes }))).toEqual([{ kind: 'pause', from: 0, to: 3_000, iso: at(8) }]);
    expect(marksOf(receipt({ changes: [change('pauseBegan', 4), change('pauseEnded', 6)] }))).toEqual([]);
  });

  test('have the silence from when somebody came untold until all had been told, or to the end', () => {
    const silent = (changes: Receipt['changes']) =>
      marksOf(receipt({ changes }))
        .filter(({ kind }) => kind === 'silent')
        .map(({ from, to }) => [from, to]);
    expect(silent([change('joined', 12), change('transferred', 13), change('allTold', 16)])).toEqual([[1_700, 6_000]]);
    expect(silent([change('joined', 12)])).toEqual([[1_700, 20_000]]);
    // Of the time while the recorder was paused for them the file has nothing.
    const paused = [change('joined', 12), change('recorderPaused', 13), change('recorderResumed', 23)];
    expect(silent([...paused, change('allTold', 23)])).toEqual([[1_700, 3_000]]);
    // Before the recorder nobody is in the file.
    expect(silent([change('joined', 8), change('allTold', 9)])).toEqual([]);
    expect(silent([change('awareJoined', 12)])).toEqual([]);
  });

  test('have who came, that they were told, and that they refused', () => {
    const changes = [change('joined', 12), change('newcomerTold', 13, { newcomer: 1 }), change('newcomerRefused', 14)];
    expect(marksOf(receipt({ changes })).map(({ kind, from }) => [kind, from])).toEqual([
      ['silent', 1_700],
      ['newcomer', 2_000],
      ['told', 3_000],
      ['refusal', 4_000],
    ]);
  });

  test('have what was made silent, and not what was kept', () => {
    const part = { from: at(12), to: at(14), why: 'connection_lost' } as const;
    const unwatched = [
      { ...part, judged: 'blanked' as const },
      { ...part, from: at(20), judged: 'witnessed' as const },
    ];
    expect(marksOf(receipt({ unwatched }))).toEqual([{ kind: 'silent', from: 2_000, to: 4_000, iso: at(12) }]);
  });
});

describe('what is said first of a call', () => {
  test('is that they were told, where the whole notice came before the recorder', () => {
    expect(verdictOf(receipt())).toBe('told');
  });

  test('is that the proof has a gap, where nobody was told, the gap is not known, or a yes is missing', () => {
    expect(verdictOf(receipt({ told: null }))).toBe('unproved');
    expect(verdictOf(receipt({ recording: { ...recording, gapMs: null } }))).toBe('unproved');
    expect(verdictOf(receipt({ recording: { ...recording, gapMs: -1 } }))).toBe('unproved');
    expect(verdictOf(receipt({ recording: { ...recording, startedAt: null } }))).toBe('unproved');
    const consent = { ...receipt().consent, mode: 'optIn' as const };
    expect(verdictOf(receipt({ consent }))).toBe('unproved');
    expect(verdictOf(receipt({ consent: { ...receipt().consent, mode: null } }))).toBe('unproved');
  });

  test('is that they agreed, where the yes came before the recorder and no other did', () => {
    const yes = { ...receipt().consent, mode: 'optIn' as const, answer: 'accepted' as const, digits: '1' };
    expect(verdictOf(receipt({ consent: { ...yes, at: at(9) } }))).toBe('accepted');
    expect(verdictOf(receipt({ consent: { ...yes, at: at(11) } }))).toBe('unproved');
    expect(verdictOf(receipt({ consent: { ...yes, at: null } }))).toBe('unproved');
  });

  test('is that the second log contradicts it, and no praise', () => {
    const witness = { source: 'asterisk-cel', toleranceMs: 100 } as const;
    expect(verdictOf(receipt({ witness: { ...witness, status: 'disagrees' } }))).toBe('contradicted');
    expect(verdictOf(receipt({ witness: { ...witness, status: 'agrees' } }))).toBe('told');
    expect(verdictOf(receipt({ witness: { ...witness, status: 'unavailable' } }))).toBe('told');
  });

  test('is that the notice is in the recording, where the check of its sound found it there', () => {
    expect(verdictOf(receipt({ recording: { ...recording, flags: ['notice_inside'] } }))).toBe('noticeInside');
    expect(verdictOf(receipt({ recording: { ...recording, flags: ['one_sided'] } }))).toBe('told');
  });

  test('is that a part was not watched, as long as nobody knows who was there', () => {
    const part = { from: at(12), to: at(14), why: 'connection_lost' } as const;
    expect(verdictOf(receipt({ unwatched: [{ ...part, judged: null }] }))).toBe('unjudged');
    expect(verdictOf(receipt({ unwatched: [{ ...part, judged: 'blanked' }] }))).toBe('told');
  });

  test('is that a recording failed, whatever came before it', () => {
    expect(verdictOf(receipt({ recording: { ...recording, status: 'failed' } }))).toBe('failed');
  });

  test('is the refusal, whatever was recorded before it', () => {
    const consent = { ...receipt().consent, answer: 'refused' as const };
    expect(verdictOf(receipt({ consent, recording: { ...recording, status: 'discarded' } }))).toBe('refused');
    expect(verdictOf(receipt({ consent, recording: null }))).toBe('refused');
    expect(verdictOf(receipt({ consent, recording: { ...recording, status: 'erased' } }))).toBe('refused');
  });

  test('is that there is a recording in spite of a refusal, and not that nothing is kept', () => {
    const consent = { ...receipt().consent, answer: 'refused' as const };
    for (const status of ['recording', 'recorded', 'archived']) {
      expect(verdictOf(receipt({ consent, recording: { ...recording, status } }))).toBe('refusedKept');
    }
  });

  test('is that nothing was recorded, with its reason, or that nobody was connected', () => {
    const call = receipt().call;
    const of = (result: string, reason: string | null): string =>
      verdictOf(receipt({ recording: null, call: { ...call, result, reason } }));
    expect(of('unrecorded', 'spool_full')).toBe('unrecorded');
    expect(of('notConnected', null)).toBe('notConnected');
    expect(verdictOf(receipt({ recording: null, call: { ...call, endedAt: null, result: null } }))).toBe('goingOn');
  });
});

describe('the words below it', () => {
  const words = (over: Partial<Receipt>): string => verdictText(verdictOf(receipt(over)), receipt(over), en);

  test('claim the whole notice of this call only where this call said all', () => {
    expect(words({})).toBe('The caller heard the whole notice before anything was recorded.');
    const earlierNotice = { call: '01KBJ3Q0V8Q4J2M9W6T5R1N7XB', finishedAt: at(-500) };
    expect(words({ earlierNotice })).toContain('a short notice before anything was recorded, and the whole one');
  });

  test('say of the caller that they refused only where they did', () => {
    const call = { ...receipt().call, result: 'unrecorded', reason: 'refused' };
    const discarded = { ...recording, status: 'discarded' };
    // As where a newcomer refused.
    expect(words({ call, recording: discarded })).toBe('The recording was refused.');
    const consent = { ...receipt().consent, answer: 'refused' as const };
    expect(words({ call, consent, recording: discarded })).toMatch(/^The caller refused/);
  });
});

test('the last word about each newcomer counts', () => {
  const changes = [
    change('newcomerUntold', 12, { newcomer: 2 }),
    change('newcomerTold', 13, { newcomer: 1 }),
    change('newcomerTold', 14, { newcomer: 2 }),
  ];
  expect(newcomersIn({ changes })).toEqual([
    { newcomer: 1, state: 'told', at: at(13) },
    { newcomer: 2, state: 'told', at: at(14) },
  ]);
});

test('the lines are in the order of time, those without a time last', () => {
  const sentence = {
    prompt: 'whole',
    language: 'fr',
    text: 'Cet appel peut être enregistré.',
    sha256: 'a'.repeat(64),
    lengthMs: 5_000,
    startedAt: at(2),
    finishedAt: at(7),
    verified: true,
    verdict: 'verified',
    witness: null,
  };
  const changes = [change('agreementMarked', null), ...held];
  const kinds = stepsOf(receipt({ notice: [sentence], changes })).map(({ told }) =>
    told.kind === 'change' ? told.change.change : told.kind,
  );
  expect(kinds).toEqual([
    'began',
    'sentence',
    'recorderBegan',
    'held',
    'recorderPaused',
    'recorderResumed',
    'resumed',
    'recorderEnded',
    'ended',
    'agreementMarked',
  ]);
});
