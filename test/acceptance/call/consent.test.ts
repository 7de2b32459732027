import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type CallEnd } from '../../../lab/telephones/sip.ts';
import { receiptSchema } from '../../../src/receipt/receipt.ts';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { loggedFaults } from '../../support/call/faults.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';
import { heardPart, promptSound } from '../../support/audio/sound.ts';

const agentHz = 1000;
const callerHz = 440;
const ringMs = 1200;
/** Long enough to press a key in, however much else is going on. */
const longRingMs = 8000;

/** A number of each language, and one of Brussels, where both are spoken. */
const numbers = {
  fr: '+33123456789',
  nl: '+31201234567',
  de: '+41311234567',
  en: '+442071234567',
  both: '+3221234567',
  germany: '+493012345678',
};
type Caller = keyof typeof numbers;
const languagesOf = (caller: Caller): string[] =>
  caller === 'both' ? ['fr', 'nl'] : [caller === 'germany' ? 'de' : caller];

type Mode = 'announce' | 'optOut' | 'optIn';
/** When keys are pressed: while this sentence plays or after it, while it rings. */
type Moment = 'notice' | 'question' | 'secondQuestion' | 'answer' | 'ringing';
type Expected = 'recorded' | 'refused' | 'no_consent';
type Case = {
  mode: Mode;
  from: Caller;
  how: string;
  at?: Moment;
  keys?: string;
  expected: Expected;
  /** The lines' purposes may ask more of callers from some countries. */
  asked?: Mode;
};

const announced = (['fr', 'nl', 'de', 'en', 'both'] as const).map((from): Case => ({
  mode: 'announce',
  from,
  how: 'presses keys that mean nothing here',
  at: 'notice',
  keys: '9*92',
  expected: 'recorded',
}));

const optOut: Case[] = [
  ...(['fr', 'nl', 'de', 'en', 'both'] as const).map((from): Case => ({
    mode: 'optOut',
    from,
    how: 'is silent',
    expected: 'recorded',
  })),
  ...(['fr', 'de', 'both'] as const).map((from): Case => ({
    mode: 'optOut',
    from,
    how: 'refuses before the sentence that offers it',
    at: 'notice',
    keys: '9',
    expected: 'refused',
  })),
  ...(['nl', 'en', 'both'] as const).map((from): Case => ({
    mode: 'optOut',
    from,
    how: 'refuses during that sentence',
    at: 'question',
    keys: '19',
    expected: 'refused',
  })),
  ...(['fr', 'nl', 'de', 'en', 'both'] as const).map((from): Case => ({
    mode: 'optOut',
    from,
    how: 'refuses while the destination rings',
    at: 'ringing',
    keys: '9',
    expected: 'refused',
  })),
  {
    mode: 'optOut',
    from: 'germany',
    asked: 'optIn',
    how: 'is asked as German callers are, and is silent',
    expected: 'no_consent',
  },
  {
    mode: 'optOut',
    from: 'germany',
    asked: 'optIn',
    how: 'is asked as German callers are, and agrees',
    at: 'question',
    keys: '1',
    expected: 'recorded',
  },
];

const optIn: Case[] = [
  ...(['fr', 'nl', 'both'] as const).map((from): Case => ({
    mode: 'optIn',
    from,
    how: 'is silent',
    expected: 'no_consent',
  })),
  ...(['de', 'en'] as const).map((from): Case => ({
    mode: 'optIn',
    from,
    how: 'agrees before being asked',
    at: 'notice',
    keys: '1',
    expected: 'no_consent',
  })),
  ...(['fr', 'de', 'both'] as const).map((from): Case => ({
    mode: 'optIn',
    from,
    how: 'agrees during the question',
    at: 'question',
    keys: '31',
    expected: 'recorded',
  })),
  {
    mode: 'optIn',
    from: 'both',
    how: 'agrees during the question in the second language',
    at: 'secondQuestion',
    keys: '1',
    expected: 'recorded',
  },
  ...(['nl', 'en'] as const).map((from): Case => ({
    mode: 'optIn',
    from,
    how: 'agrees after the question',
    at: 'answer',
    keys: '1',
    expected: 'recorded',
  })),
  ...(['nl', 'both'] as const).map((from): Case => ({
    mode: 'optIn',
    from,
    how: 'refuses',
    at: 'question',
    keys: '2',
    expected: 'refused',
  })),
  {
    mode: 'optIn',
    from: 'de',
    how: 'agrees, and refuses in the next moment',
    at: 'question',
    keys: '12',
    expected: 'refused',
  },
];

const cases = [...announced, ...optOut, ...optIn].map((each, index) => ({
  ...each,
  asked: each.asked ?? each.mode,
  line: `${each.mode.toLowerCase()}-${each.from}-${index}`,
}));
type Call = (typeof cases)[number];

const questionOf = ({ asked }: Call): string => (asked === 'optIn' ? 'opt-in' : 'opt-out');

/** The purpose that asks in this way; each has shipped sentences. */
const purposeOf: Record<Mode, string> = { announce: 'mifid', optOut: 'training', optIn: 'agreement' };
const noticeOf: Record<Mode, string> = {
  announce: 'notice-mifid',
  optOut: 'notice-training',
  optIn: 'notice-agreement',
};

const purpose = (consent: Mode, more: Record<string, unknown> = {}) => ({
  ...labPurpose(purposeOf[consent], 'Calls of the lab are recorded in order to see that consent is obeyed.', 28),
  consent,
  ...more,
});

let agents: { brief: Agent; patient: Agent };
let operator: Operator;
const at = useRig(async () => {
  const answering = { behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 2500 } as const;
  agents = {
    brief: await at.keep(startAgent({ ...answering, ringMs, atOnce: 2 * cases.length })),
    patient: await at.keep(startAgent({ ...answering, ringMs: longRingMs, atOnce: 2 * cases.length })),
  };
  const dialled = (moment: Moment | undefined): string =>
    `${agents[moment === 'ringing' ? 'patient' : 'brief'].dialString},20`;
  return {
    // Each of these calls has up to two ends.
    rtpPorts: 8 * cases.length,
    lines: [
      ...cases.flatMap(({ line, at: moment }) => [
        `exten => ${line},1,Set(CALLED=${line})`,
        ` same => n,Gosub(preavis,s,1(${dialled(moment)},line=${line}))`,
      ]),
      // What the dialplan knows at the end goes into Asterisk's log.
      'exten => h,1,NoOp(after ${CALLED}: result=${PREAVIS_RESULT} reason=${PREAVIS_REASON})',
    ],
    config: {
      purposes: {
        // As long as its sentence promises.
        mifid: purpose('announce', { keepDays: 1_827, holdsAllowed: true }),
        training: purpose('optOut', { optInForCountries: ['DE'] }),
        agreement: purpose('optIn', { kind: 'evidence' }),
      },
      lines: Object.fromEntries(
        cases.map(({ line, mode }) => [line, { purposes: [purposeOf[mode]], defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

type Outcome = { end: CallEnd; receiver: RtpReceiver };
const outcomes = new Map<string, Outcome>();

async function pressAt(each: Call, receiver: RtpReceiver): Promise<void> {
  const { line, at: moment, keys, from } = each;
  const [first, second] = languagesOf(from);
  switch (moment) {
    case undefined:
      return;
    case 'notice':
      await operator.playing(line, noticeOf[each.mode]);
      break;
    case 'question':
      await operator.playing(line, questionOf(each), { language: first ?? '' });
      break;
    case 'secondQuestion':
      await operator.playing(line, questionOf(each), { language: second ?? '' });
      break;
    case 'answer':
      await operator.playing(line, questionOf(each), { ended: true });
      break;
    case 'ringing':
      await operator.dialled(line, 'RINGING');
  }
  await eventually(() => receiver.packets() > 0);
  for (const key of keys ?? '') await receiver.pressDigit(key);
}

async function callBy(each: Call): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const call = await at.keep(
    placeCall({
      sipPort: at.rig.asterisk.sipPort,
      to: each.line,
      fromNumber: numbers[each.from],
      tone: await continuousTone(callerHz),
      receiver,
    }),
  );
  await Promise.race([pressAt(each, receiver), call.ended]);
  outcomes.set(each.line, { end: await call.ended, receiver });
}

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  await Promise.all(cases.map((each) => at.onTime(each.line, () => callBy(each))));
  await expectNobodyConnected(at.rig);
});

function outcomeOf({ line }: Call): Outcome {
  const outcome = outcomes.get(line);
  if (outcome === undefined) throw new Error(`no outcome of ${line}`);

  return outcome;
}

const named = (list: readonly Call[]) =>
  list.map((each) => ({ ...each, told: languagesOf(each.from).join(' and '), each }));

describe.each(named(cases))('a caller ($told, $asked) who $how', ({ each }) => {
  it(`is ${each.expected === 'recorded' ? 'recorded' : `not recorded: ${each.expected}`}`, async () => {
    const call = await endedCall(at.rig, each.line);
    const recorded = each.expected === 'recorded';
    expect(call).toMatchObject({
      result: recorded ? 'recorded' : 'unrecorded',
      reason: recorded ? null : each.expected,
      languages: languagesOf(each.from),
      consent: { mode: each.asked },
    });
    const rows = (await catalogueRecordings(at.rig)).filter(({ callId }) => callId === call.id);
    expect(rows.map(({ status }) => status)).toEqual(recorded ? ['recorded'] : []);
  });

  it('talks to the destination', () => {
    const { end, receiver } = outcomeOf(each);
    expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(tonePresence(receiver.samples(), agentHz, { share: 0.7 }).length).toBeGreaterThanOrEqual(2);
  });
});

const soundOf = (language: string, prompt: string, each: Call) =>
  heardPart(outcomeOf(each).receiver.samples(), promptSound(language, prompt));

it.each(named(cases.filter(({ expected }) => expected === 'refused')))(
  'tells a caller ($told, $asked) who $how that it is so, and only then connects',
  async ({ each }) => {
    const acknowledged = languagesOf(each.from).map((language) => soundOf(language, 'opt-out-ack', each));
    expect(Math.min(...acknowledged.map(({ share }) => share))).toBeGreaterThan(0.75);
    const [voice] = tonePresence(outcomeOf(each).receiver.samples(), agentHz, { share: 0.7 });
    expect(voice?.startMs).toBeGreaterThan(Math.max(...acknowledged.map(({ atMs }) => atMs)));
    const { consent } = await endedCall(at.rig, each.line);
    expect(consent).toMatchObject({ answer: 'refused', digits: each.keys?.slice(-1) });
    await eventually(() => at.rig.asterisk.logs().includes(`after ${each.line}: result=unrecorded reason=refused`));
  },
);

it.each(named(cases.filter(({ expected }) => expected === 'no_consent')))(
  'tells a caller ($told, $asked) who $how that no answer is a no, and only then connects',
  ({ each }) => {
    const told = languagesOf(each.from).map((language) => soundOf(language, 'no-answer', each));
    expect(Math.min(...told.map(({ share }) => share))).toBeGreaterThan(0.75);
    const [voice] = tonePresence(outcomeOf(each).receiver.samples(), agentHz, { share: 0.7 });
    expect(voice?.startMs).toBeGreaterThan(Math.max(...told.map(({ atMs }) => atMs)));
  },
);

it.each(named(cases.filter(({ asked, expected }) => asked === 'optIn' && expected === 'recorded')))(
  'confirms the yes of a caller ($told) who $how, in what is left of the question, and only then connects',
  async ({ each }) => {
    const told = languagesOf(each.from).map((language) => soundOf(language, 'opt-in-ack', each));
    expect(Math.min(...told.map(({ share }) => share))).toBeGreaterThan(0.75);
    const [voice] = tonePresence(outcomeOf(each).receiver.samples(), agentHz, { share: 0.7 });
    expect(voice?.startMs).toBeGreaterThan(Math.max(...told.map(({ atMs }) => atMs)));
    const question = (await catalogueNotices(at.rig, each.line)).at(-1);
    const lasted = (question?.finishedAt ?? 0) - (question?.startedAt ?? 0);
    if (each.at === 'answer') expect(question).toMatchObject({ verdict: 'verified' });
    else {
      expect(question).toMatchObject({ verdict: 'answered' });
      expect(lasted).toBeLessThan(0.95 * (question?.lengthMs ?? 0));
    }
  },
);

it('says each of these to nobody else', () => {
  const says: Record<string, (each: Call) => boolean> = {
    'opt-out-ack': ({ expected }) => expected === 'refused',
    'no-answer': ({ expected }) => expected === 'no_consent',
    'opt-in-ack': ({ asked, expected }) => asked === 'optIn' && expected === 'recorded',
    'erased-ack': () => false,
  };
  for (const each of cases) {
    const channel = operator.channelOf(each.line);
    const heard = operator.seen.filter(({ playback }) => playback?.target_uri === `channel:${channel}`);
    expect(heard.length).toBeGreaterThanOrEqual(2);
    for (const [prompt, toWhom] of Object.entries(says)) {
      // Who says yes and no in one breath may hear the beginning of both.
      if (each.keys === '12' || toWhom(each)) continue;
      expect(heard.filter(({ playback }) => playback?.media_uri.includes(prompt) === true)).toEqual([]);
    }
  }
});

it('has in the receipt what was said to the answer, with its times', async () => {
  const kinds: Record<Expected, string> = { recorded: 'optInAck', refused: 'optOutAck', no_consent: 'noAnswer' };
  for (const each of cases.filter(({ asked, keys }) => asked === 'optIn' && keys !== '12')) {
    const { id } = await endedCall(at.rig, each.line);
    const { stdout } = await at.rig.preavis('calls', 'receipt', id);
    const { otherSentences } = receiptSchema.parse(JSON.parse(stdout));
    expect(otherSentences.map(({ kind, language }) => `${language} ${kind}`)).toEqual(
      languagesOf(each.from).map((language) => `${language} ${kinds[each.expected]}`),
    );
    for (const { startedAt, finishedAt, lengthMs } of otherSentences) {
      const lasted = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
      expect(lasted).toBeGreaterThan(0.95 * lengthMs);
    }
  }
});

it.each(named(cases.filter(({ at: moment, expected }) => moment === 'ringing' && expected === 'refused')))(
  'rings the destination again for a caller ($told) who refused while it rang',
  ({ each }) => {
    // The first ringing was cut short at once, the second one was not.
    expect(outcomeOf(each).end.durationMs).toBeGreaterThan(longRingMs);
    const lines = cases.filter(({ at: moment }) => moment === 'ringing').map(({ line }) => line);
    at.expectFrom(lines, agents.patient.calls(), 2);
    at.expectFrom(lines, agents.patient.events().filter(({ name }) => name === 'cancelled').length);
  },
);

it('says and asks all of one language of Brussels before the other, which is left out when the question was answered', async () => {
  const asked = async (how: string) => {
    const each = cases.find((one) => one.mode === 'optIn' && one.from === 'both' && one.how === how);
    const notices = await catalogueNotices(at.rig, each?.line ?? '');
    return notices.map(({ language, prompt }) => `${language} ${prompt}`);
  };
  const [french, dutch] = ['fr', 'nl'].map((language) =>
    ['notice-agreement', 'opt-in'].map((prompt) => `${language} ${prompt}`),
  );
  expect(await asked('is silent')).toEqual([...(french ?? []), ...(dutch ?? [])]);
  expect(await asked('agrees during the question in the second language')).toEqual([
    ...(french ?? []),
    ...(dutch ?? []),
  ]);
  expect(await asked('agrees during the question')).toEqual(french);
});

it('keeps the key that agreed, and when, before the recorder started', async () => {
  for (const each of cases.filter(({ asked, expected }) => asked === 'optIn' && expected === 'recorded')) {
    const { consent, id } = await endedCall(at.rig, each.line);
    expect(consent).toMatchObject({ answer: 'accepted', digits: '1' });
    const recording = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === id);
    expect(consent.at).toBeGreaterThan(0);
    expect(consent.at).toBeLessThan(recording?.startedAt ?? 0);
  }
});

it('records both voices of those who agreed or did not refuse', async () => {
  for (const each of cases.filter(({ expected }) => expected === 'recorded')) {
    const { id } = await finishedRecording(at.rig, each.line);
    const samples = readWav(spooledWav(at.rig, id));
    for (const hz of [agentHz, callerHz]) expect(tonePresence(samples, hz).length).toBeGreaterThan(0);
  }
});

it('says of calls that nobody wanted recorded that they ended, and warns of none', async () => {
  const log = at.rig.log();
  const unwanted = cases.filter(({ expected }) => expected !== 'recorded');
  const ends = log.filter((entry) => entry['result'] === 'unrecorded');
  expect(ends).toHaveLength(unwanted.length);
  for (const end of ends) expect(end).toMatchObject({ level: 'info', msg: 'call ended' });
  expect(await loggedFaults(at.rig)).toEqual([]);
});

it('has nothing of anybody who did not consent, in the spool, the archive or the catalogue', async () => {
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  await expectOnlyConsented(at.rig);
  const recorded = cases.filter(({ expected }) => expected === 'recorded');
  expect(await catalogueRecordings(at.rig)).toHaveLength(recorded.length);
  expect(await catalogueCalls(at.rig)).toHaveLength(cases.length);
});
