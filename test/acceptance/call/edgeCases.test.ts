import { existsSync } from 'node:fs';
import { burstTone, continuousTone, type ToneFile } from '../../../lab/telephones/audio.ts';
import { hold, transfer, transferAttended, type Dialog } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call, type CallEnd } from '../../../lab/telephones/sip.ts';
import type { CallRow, RecordingRow } from '../../../src/catalogue/rows.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav, tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
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

const agentHz = 1000;
const callerHz = 440;
/** Whoever comes later: somebody who was told nothing. */
const strangerHz = 1600;

/** Calls by these lines; the extension has the same name. */
const optOutLines = [
  'left',
  'held',
  'movedearly',
  'stopped',
  'given',
  'taken',
  'consulted',
  'joined',
  'joinedrefused',
  'second',
];
const optInLines = ['first', 'third', 'stoppedquestion'];

let operator: Operator;
let agent: Agent;
let busy: Agent;
let stranger: Agent;
/** Those whose talk goes on until somebody ends it; by line. */
const talkers = new Map<string, Agent>();
const listeners = new Map<string, RtpReceiver>();
const at = useRig(async () => {
  const tone = await burstTone(agentHz);
  agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1500, atOnce: 12 }));
  busy = await at.keep(startAgent({ behaviour: 'busy', atOnce: 4 }));
  stranger = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 12 }));
  for (const line of ['given', 'taken', 'consulted', 'joined', 'joinedrefused']) {
    const receiver = await at.keep(startRtpReceiver());
    listeners.set(line, receiver);
    talkers.set(line, await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 2, receiver })));
  }
  const to = (line: string): string => `${(talkers.get(line) ?? agent).dialString},20,line=${line}`;
  const purpose = (more: Record<string, unknown>) => ({
    ...labPurpose('lab', 'Calls of the lab are recorded in order to see what unusual calls leave.', 28),
    ...more,
  });
  const lines = [...optOutLines, ...optInLines];
  return {
    extensions: Object.fromEntries(
      lines.filter((line) => !['first', 'third', 'second'].includes(line)).map((line) => [line, to(line)]),
    ),
    lines: [
      // Two lines in one call: the first is busy, whether it would be recorded or not.
      `exten => first,1,Gosub(preavis,s,1(${busy.dialString},20,line=first))`,
      ` same => n,Gosub(preavis,s,1(${to('second')}))`,
      ' same => n,Hangup()',
      `exten => third,1,Gosub(preavis,s,1(${busy.dialString},20,line=third))`,
      ` same => n,Gosub(preavis,s,1(${agent.dialString},20,line=fourth))`,
      ' same => n,Hangup()',
      // Where transfers lead to.
      `exten => stranger,1,Dial(${stranger.dialString},20)`,
      ' same => n,Hangup()',
    ],
    config: {
      purposes: {
        training: purpose({ consent: 'optOut' }),
        agreement: purpose({ consent: 'optIn', kind: 'evidence' }),
      },
      lines: Object.fromEntries(
        [...lines, 'fourth'].map((line) => [
          line,
          {
            purposes: [optInLines.includes(line) ? 'agreement' : 'training'],
            language: 'en',
            defaultLanguages: ['en'],
          },
        ]),
      ),
    },
  };
});

type Made = { call: Call; receiver: RtpReceiver };
type Outcome = { end: CallEnd; receiver: RtpReceiver };
const outcomes = new Map<string, Outcome>();
const failures = new Map<string, unknown>();

async function callBy(
  line: string,
  meanwhile: (made: Made) => Promise<unknown>,
  options: { tone?: ToneFile } = {},
): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = options.tone ?? (await continuousTone(callerHz));
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  await meanwhile({ call, receiver });
  outcomes.set(line, { end: await call.ended, receiver });
}

/** For how much of these samples a tone was there, alone; ms. */
const toneMs = (samples: Int16Array, hz: number): number => presentMs(samples, hz, { share: 0.7 });
const hears = (receiver: RtpReceiver, hz: number): number => toneMs(receiver.samples(), hz);

/**
 * Waits until this tone was heard for 1.3 of the last 3 seconds: bursts of half a second are, too. What is claimed of it afterwards is
 * less, as the windows of the whole call lie elsewhere.
 */
const hearing = (receiver: RtpReceiver, hz: number) =>
  eventually(() => toneMs(receiver.latest(3000), hz) > 1300, { everyMs: 200 });

/** Waits until they have talked for a while with the recorder on. */
async function talked(line: string, { receiver }: Made): Promise<void> {
  await operator.dialled(line, 'ANSWER');
  await hearing(receiver, agentHz);
}

const dialogOf = (line: string) => {
  const dialog = talkers.get(line)?.dialogs().at(-1);
  if (dialog === undefined) throw new Error(`the agent of ${line} has no call`);

  return dialog;
};

/** Asterisk may tell of a playback, and somebody may be heard, before the telephone has told of the answer. */
async function dialogOfCaller(call: Call): Promise<Dialog> {
  await eventually(() => call.events().some(({ name }) => name === 'acknowledged'));

  return call.dialog();
}

const agentReceiver = (line: string): RtpReceiver => {
  const receiver = listeners.get(line);
  if (receiver === undefined) throw new Error(`the agent of ${line} has no receiver`);

  return receiver;
};

const bridgeOf = (channel: string): string => {
  const entry = operator.seen.findLast(
    ({ type, channel: who }) => type === 'ChannelEnteredBridge' && who?.id === channel,
  );
  if (entry?.bridge === undefined) throw new Error('not in a bridge');

  return entry.bridge.id;
};

/** A third one comes into the bridge, is heard beside the agent, and goes. */
async function joinedBySomebody(line: string, made: Made): Promise<void> {
  await talked(line, made);
  const query = `endpoint=${encodeURIComponent(stranger.dialString)}&app=operator`;
  const { id } = (await operator.request('POST', `/channels?${query}`)) as { id: string };
  await eventually(() => operator.seen.some(({ type, channel }) => type === 'StasisStart' && channel?.id === id));
  const bridge = bridgeOf(operator.channelOf(line));
  await operator.request('POST', `/bridges/${bridge}/addChannel?channel=${id}`);
  const both = () =>
    [strangerHz, agentHz].every((hz) => tonePresence(made.receiver.latest(3000), hz, { share: 0.2 }).length >= 1);
  await eventually(both, { everyMs: 200 });
  // Long enough to tell the recorder's end from the call's.
  await eventually(
    () =>
      tonePresence(made.receiver.latest(3000), strangerHz, { share: 0.2 }).some(
        ({ startMs, endMs }) => endMs - startMs > 2500,
      ),
    { everyMs: 200 },
  );
  await operator.request('DELETE', `/channels/${id}`);
}

/** The others' ways of going wrong, each done once. */
const deeds: Record<string, () => Promise<void>> = {
  left: () =>
    callBy('left', async ({ call }) => {
      await operator.playing('left', 'opt-out');
      await call.hangUp();
    }),
  held: () =>
    callBy('held', async ({ call, receiver }) => {
      await operator.playing('held', 'notice-training');
      expect(await hold(await dialogOfCaller(call), receiver.port)).toBe(200);
    }),
  movedearly: () =>
    callBy('movedearly', async ({ call }) => {
      await operator.playing('movedearly', 'notice-training');
      movedEarly = await transfer(await dialogOfCaller(call), 'stranger');
    }),
  stopped: () =>
    callBy('stopped', async () => {
      await operator.request('DELETE', `/playbacks/${await operator.playing('stopped', 'opt-out')}`);
    }),
  stoppedquestion: () =>
    callBy('stoppedquestion', async ({ receiver }) => {
      // The key comes after the stop: before it, a yes would end the question by itself, and count.
      await operator.request('DELETE', `/playbacks/${await operator.playing('stoppedquestion', 'opt-in')}`);
      await receiver.pressDigit('1');
    }),
  given: () =>
    callBy('given', async (made) => {
      await talked('given', made);
      expect(await transfer(dialogOf('given'), 'stranger')).toBe(202);
      await hearing(made.receiver, strangerHz);
      await made.call.hangUp();
    }),
  taken: () =>
    callBy('taken', async (made) => {
      await talked('taken', made);
      const peer = await operator.dialled('taken', 'ANSWER');
      expect(await transfer(made.call.dialog(), 'stranger')).toBe(202);
      await hearing(agentReceiver('taken'), strangerHz);
      // As a telephone does when its transfer has succeeded; the others talk on.
      await made.call.hangUp();
      // All of these three seconds are after the hang-up.
      await eventually(
        () =>
          toneMs(agentReceiver('taken').latest(3000), strangerHz) > 2500 &&
          made.call.events().some(({ name, at: when }) => name === 'byeSent' && Date.now() - when > 3000),
        {
          everyMs: 200,
        },
      );
      await operator.request('DELETE', `/channels/${peer}`);
    }),
  consulted: () =>
    callBy('consulted', async (made) => {
      await talked('consulted', made);
      const ears = await at.keep(startRtpReceiver());
      const { sipPort } = at.rig.asterisk;
      const consultation = await at.keep(placeCall({ sipPort, to: 'stranger', receiver: ears }));
      // An answer comes before the bridge, out of which Asterisk transfers.
      await eventually(() => ears.packets() > 0);
      // As a telephone does: whom it consults about, waits.
      expect(await hold(dialogOf('consulted'), agentReceiver('consulted').port)).toBe(200);
      expect(await transferAttended(dialogOf('consulted'), await dialogOfCaller(consultation))).toBe(202);
      await hearing(made.receiver, strangerHz);
      await made.call.hangUp();
      await consultation.ended;
    }),
  joined: () =>
    callBy('joined', async (made) => {
      await joinedBySomebody('joined', made);
      await made.call.hangUp();
    }),
  // Who refuses when the recorder has already ended, still refuses what it left.
  joinedrefused: () =>
    callBy('joinedrefused', async (made) => {
      await joinedBySomebody('joinedrefused', made);
      for (const key of '*9') await made.receiver.pressDigit(key);
      await eventually(async () =>
        (await catalogueCalls(at.rig)).some(
          ({ line, consent }) => line === 'joinedrefused' && consent.answer === 'refused',
        ),
      );
      await made.call.hangUp();
    }),
  // Nobody presses the key of the first line.
  first: () => callBy('first', () => Promise.resolve()),
  third: () =>
    callBy('third', async ({ receiver }) => {
      await operator.playing('third', 'opt-in');
      await receiver.pressDigit('1');
    }),
};
let movedEarly: number | undefined;

/** Lines that the dialplan goes on to in the same call. */
const next: Record<string, string[]> = { first: ['second'], third: ['fourth'] };

/** What must happen while one sentence plays; done before the others, whose listening keeps this process busy. */
const punctual = ['left', 'held', 'movedearly', 'stopped', 'stoppedquestion', 'third'];

async function doDeeds(lines: readonly string[]): Promise<void> {
  // A deed that goes wrong is told by the tests of its own line.
  await Promise.all(
    lines.map(async (line) => {
      const deed = deeds[line] ?? (() => Promise.resolve());
      await at.onTime([line, ...(next[line] ?? [])], deed).catch((error: unknown) => failures.set(line, error));
    }),
  );
}

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  await doDeeds(punctual);
  await doDeeds(Object.keys(deeds).filter((line) => !punctual.includes(line)));
});

const outcomeOf = (line: string): Outcome => {
  if (failures.has(line)) throw failures.get(line);
  const outcome = outcomes.get(line);
  if (outcome === undefined) throw new Error(`no outcome of ${line}`);

  return outcome;
};
const recordingsOf = async (call: CallRow): Promise<RecordingRow[]> =>
  (await catalogueRecordings(at.rig)).filter(({ callId }) => callId === call.id);
const receiptOf = async (call: CallRow): Promise<Receipt> =>
  receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', call.id)).stdout));
const verdicts = async (line: string) =>
  (await catalogueNotices(at.rig, line)).map(({ prompt, verdict }) => `${prompt} ${verdict}`);

async function expectUnrecorded(line: string, reason: string, level: string): Promise<void> {
  outcomeOf(line);
  const call = await endedCall(at.rig, line);
  expect(call).toMatchObject({ result: 'unrecorded', reason });
  expect(await recordingsOf(call)).toEqual([]);
  const said = at.rig.log().filter((entry) => entry['call'] === call.id && entry['result'] !== undefined);
  expect(said).toMatchObject([{ level, reason }]);
  expect(hears(outcomeOf(line).receiver, agentHz)).toBeGreaterThan(500);
}

/** Kept as far as it went, with both voices and nobody else's. */
async function expectKeptAlone(line: string): Promise<RecordingRow> {
  outcomeOf(line);
  const call = await endedCall(at.rig, line);
  expect(call).toMatchObject({ result: 'recorded' });
  const recording = await finishedRecording(at.rig, line);
  const samples = readWav(spooledWav(at.rig, recording.id));
  expect(samples.length / 8).toBeGreaterThan(1500);
  for (const hz of [agentHz, callerHz]) expect(tonePresence(samples, hz)).not.toEqual([]);
  // Asterisk reports that somebody came when they are there. What the recorder took of them until it stopped is silence in the finished file.
  expect(presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 })).toBeLessThan(200);

  return recording;
}

it('leaves a receipt of a call that ended during the notice', async () => {
  const call = await endedCall(at.rig, 'left');
  expect(call).toMatchObject({ result: 'abandoned', languages: ['en'], languageReason: 'line' });
  expect(await verdicts('left')).toEqual(['notice-training verified', 'opt-out notice_cut_short']);
  expect(await receiptOf(call)).toMatchObject({
    call: { id: call.id, result: 'abandoned' },
    notice: [{ verified: true }, { verified: false }],
    consent: { mode: 'optOut', answer: 'none' },
    recording: null,
  });
});

it('does not count a notice that the caller had on hold', async () => {
  await expectUnrecordedHeld();
  expect(await verdicts('held')).toEqual(['notice-training notice_on_hold']);
});
async function expectUnrecordedHeld(): Promise<void> {
  const call = await endedCall(at.rig, 'held');
  expect(call).toMatchObject({ result: 'unrecorded', reason: 'notice_on_hold' });
  expect(await recordingsOf(call)).toEqual([]);
  expect(outcomeOf('held').end).toMatchObject({ status: 'answered', endedBy: 'callee' });
}

it('does not count a sentence that an operator stopped, nor a question', async () => {
  await expectUnrecorded('stopped', 'notice_cut_short', 'warn');
  // Though the key was pressed: the question was not heard.
  await expectUnrecorded('stoppedquestion', 'notice_cut_short', 'warn');
});

it('announces to the end what a transfer during the notice would have cut off, or records nothing', async () => {
  const call = await endedCall(at.rig, 'movedearly');
  expect(movedEarly).toBeGreaterThanOrEqual(200);
  const rows = await recordingsOf(call);
  const told = (await catalogueNotices(at.rig, 'movedearly')).every(({ verified }) => verified);
  expect(rows.length === 0 || told).toBe(true);
});

describe('a transfer during the talk', () => {
  it('ends the recording when the agent sends the caller on, and the caller talks to somebody else', async () => {
    await expectKeptAlone('given');
    expect(hears(outcomeOf('given').receiver, strangerHz)).toBeGreaterThan(1200);
  });

  it('ends the recording when the caller sends the agent on', async () => {
    await expectKeptAlone('taken');
    expect(hears(agentReceiver('taken'), strangerHz)).toBeGreaterThan(2500);
  });

  it('ends the recording when the agent joins the caller with whom it has consulted', async () => {
    await expectKeptAlone('consulted');
    expect(hears(outcomeOf('consulted').receiver, strangerHz)).toBeGreaterThan(1200);
  });
});

it('stops recording when somebody joins who was not told, and lets them talk', async () => {
  const recording = await expectKeptAlone('joined');
  const call = await endedCall(at.rig, 'joined');
  const { end } = outcomeOf('joined');
  expect(end).toMatchObject({ endedBy: 'caller' });
  // The recorder ended long before the call did.
  expect(recording.finishedAt).toBeLessThan((call.endedAt ?? 0) - 1500);
});

it('removes what was recorded of a caller who refuses when somebody else has joined', async () => {
  outcomeOf('joinedrefused');
  const call = await endedCall(at.rig, 'joinedrefused');
  expect(call).toMatchObject({ result: 'unrecorded', reason: 'refused', consent: { digits: '*9' } });
  const [recording, ...others] = await recordingsOf(call);
  expect(others).toEqual([]);
  expect(recording).toMatchObject({ status: 'discarded', bytes: null });
  expect(existsSync(spooledWav(at.rig, recording?.id ?? ''))).toBe(false);
});

describe('two lines in one call', () => {
  it('are two calls, each with its own purposes, notice and receipt', async () => {
    const [first, second] = [await endedCall(at.rig, 'first'), await endedCall(at.rig, 'second')];
    expect(first).toMatchObject({ result: 'unrecorded', reason: 'no_consent', purposes: ['agreement'] });
    expect(second).toMatchObject({ result: 'recorded', purposes: ['training'], consent: { mode: 'optOut' } });
    expect(await recordingsOf(first)).toEqual([]);
    expect(await recordingsOf(second)).toHaveLength(1);
    const receipts = await Promise.all([first, second].map(receiptOf));
    expect(receipts.map(({ purposes }) => purposes.map(({ id }) => id))).toEqual([['agreement'], ['training']]);
    expect(receipts.map(({ recording }) => recording === null)).toEqual([true, false]);
    expect(receipts[1]?.notice.map(({ prompt }) => prompt)).toEqual(['notice-training', 'opt-out']);
  });

  it('do not take the consent of the one for the other', async () => {
    const [third, fourth] = [await endedCall(at.rig, 'third'), await endedCall(at.rig, 'fourth')];
    expect(third).toMatchObject({
      result: 'notConnected',
      dialStatus: 'BUSY',
      consent: { mode: 'optIn', answer: 'accepted', digits: '1' },
    });
    expect(fourth).toMatchObject({ result: 'recorded', consent: { mode: 'optOut', answer: 'none', digits: null } });
    // The first line of each call was dialled, once by the dialplan and once by Préavis.
    at.expectFrom(['first', 'third'], busy.calls());
  });
});

it('leaves nobody connected, and only recordings that may be kept', async () => {
  await expectNobodyConnected(at.rig);
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  await expectOnlyConsented(at.rig);
});
