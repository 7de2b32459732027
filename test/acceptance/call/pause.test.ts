/**
 * A pause for the number of a card: nothing that either side says or types in it is in the finished file, whatever the codec and however the
 * keys are sent; what was said before and after it is. Both sides hear that it is paused, and that it goes on.
 */
import { digitsHeader } from '../../../lab/asterisk/asteriskConf.ts';
import { pressByInfo } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import type { Codec } from '../../../lab/telephones/sipScenario.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readChannels, sampleRate } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import {
  card,
  makeSaid,
  pausedHz,
  pauseSentences,
  resumedHz,
  said,
  sentenceMs,
  Talker,
} from '../../support/call/pausedTalk.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const code = '*1';

/** Asterisk (22.10) hears no keys as tones in G.722. */
const cases = [
  { line: 'bagent', way: 'bridge', by: 'agent', keys: 'rfc4733', codec: undefined, sound: 'mono' },
  { line: 'binband', way: 'bridge', by: 'caller', keys: 'inband', codec: undefined, sound: 'mono' },
  { line: 'binfo', way: 'bridge', by: 'caller', keys: 'info', codec: undefined, sound: 'mono' },
  { line: 'bulaw', way: 'bridge', by: 'caller', keys: 'inband', codec: 'ulaw', sound: 'mono' },
  { line: 'bwide', way: 'bridge', by: 'caller', keys: 'rfc4733', codec: 'g722', sound: 'mono' },
  { line: 'fagent', way: 'follow', by: 'agent', keys: 'rfc4733', codec: undefined, sound: 'mono' },
  { line: 'finband', way: 'follow', by: 'caller', keys: 'inband', codec: undefined, sound: 'stereo' },
  { line: 'fulaw', way: 'follow', by: 'caller', keys: 'inband', codec: 'ulaw', sound: 'stereo' },
  // Who dialled is the agent, and who was called stands where the caller does.
  { line: 'oagent', way: 'outgoing', by: 'agent', keys: 'rfc4733', codec: undefined, sound: 'mono' },
  { line: 'ocalled', way: 'outgoing', by: 'caller', keys: 'rfc4733', codec: undefined, sound: 'stereo' },
  { line: 'fwide', way: 'follow', by: 'caller', keys: 'rfc4733', codec: 'g722', sound: 'mono' },
] as const satisfies readonly {
  line: string;
  way: string;
  by: 'agent' | 'caller';
  keys: string;
  codec: Codec | undefined;
  sound: string;
}[];
type Case = (typeof cases)[number];

const notice = useBriefNotice(2_000, pauseSentences);
const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();

const at = useRig(async () => {
  for (const { line } of cases) {
    const receiver = await at.keep(startRtpReceiver());
    agents.set(line, { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', receiver })) });
  }

  return {
    idle: true,
    lines: cases.flatMap(({ line, way, keys, codec }) => [
      // A telephone of another codec has an endpoint of its own.
      `exten => ${line},1,${keys === 'inband' && codec !== undefined ? 'Set(PJSIP_DTMF_MODE()=inband)' : 'NoOp()'}`,
      ...stepsOf(way, line),
      ' same => n,Hangup()',
    ]),
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        cases.map(({ line, by, sound }) => [
          line,
          {
            purposes: ['training'],
            language: 'fr',
            defaultLanguages: ['fr'],
            sound,
            codes: { pause: code, pressedBy: by },
          },
        ]),
      ),
    },
  };
});

function stepsOf(way: Case['way'], line: string): string[] {
  const { dialString } = of(line).agent;
  switch (way) {
    case 'follow':
      return [` same => n,Gosub(preavis-tell,s,1(line=${line}))`, ` same => n,Dial(${dialString},20)`];
    case 'bridge':
      return [` same => n,Gosub(preavis,s,1(${dialString},20,line=${line}))`];
    case 'outgoing':
      return [` same => n,Dial(${dialString},20,U(preavis-told^line=${line}))`];
  }
}

/** Whether it is who dialled that presses the code. */
const isByDialler = ({ way, by }: Case): boolean => (by === 'caller') === (way !== 'outgoing');

function of(line: string): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

type Outcome = {
  receipt: Receipt;
  channels: readonly Int16Array[];
  durationMs: number;
  heardByCaller: Int16Array;
  heardByAgent: Int16Array;
};

const changed = async (line: string, change: string): Promise<boolean> =>
  (await catalogueChanges(at.rig, line)).some((each) => each.change === change);

async function press(each: Case, call: Call, receiver: RtpReceiver, talker: Talker): Promise<void> {
  for (const digit of code) {
    if (each.keys === 'inband') await talker.key(digit);
    else if (each.keys === 'info') expect(await pressByInfo(call.dialog(), digit)).toBe(200);
    else await (isByDialler(each) ? receiver : of(each.line).receiver).pressDigit(digit);
  }
}

const isPaused = async (name: string): Promise<boolean> => {
  const row = (await catalogueCalls(at.rig)).find((call) => call.line === name);
  const recording = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === row?.id);

  return recording?.status === 'recording' && recording.startedAt !== null;
};

async function course(each: Case): Promise<Outcome> {
  const { line, codec, keys } = each;
  const { receiver: ears } = of(line);
  // Of a call that was placed in vain.
  const heardBefore = ears.samples().length;
  const receiver = await at.keep(startRtpReceiver());
  const headers = keys !== 'rfc4733' && codec === undefined ? [`${digitsHeader}: ${keys}`] : [];
  const placing = placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, receiver, headers, ...(codec && { codec }) });
  const call = await at.keep(placing);
  const caller = await at.keep(Talker.of(at.rig, receiver, said.caller.before, codec));
  const agent = await at.keep(Talker.of(at.rig, ears, said.agent.before));
  try {
    await eventually(() => isPaused(line));
    await eventually(() => presentMs(ears.latest(3_000), said.caller.before) > 2_000, { everyMs: 100 });
    await press(each, call, receiver, caller);
    await eventually(() => changed(line, 'pauseBegan'));
    await Promise.all([caller.say(said.caller.secret), agent.say(said.agent.secret)]);
    for (const digit of card) {
      await caller.key(digit);
      await agent.key(digit);
      if (keys === 'info') expect(await pressByInfo(call.dialog(), digit)).toBe(200);
      else await receiver.pressDigit(digit);
      await ears.pressDigit(digit);
    }
    await eventually(() => presentMs(ears.latest(3_000), said.caller.secret) > 1_500, { everyMs: 100 });
    await Promise.all([caller.say(said.caller.after), agent.say(said.agent.after)]);
    await eventually(() => presentMs(ears.latest(1_000), said.caller.secret) === 0, { everyMs: 100 });
    await press(each, call, receiver, caller);
    await eventually(() => changed(line, 'pauseEnded'));
    const heard = ears.samples().length;
    await eventually(() => ears.samples().length > heard + 2.5 * sampleRate, { everyMs: 100 });
    await call.hangUp();
  } finally {
    await Promise.all([caller.stop(), agent.stop()]);
  }
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id, callId, durationMs } = await finishedRecording(at.rig, line);
  const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', callId)).stdout));
  const { rate, channels } = readChannels(spooledWav(at.rig, id));

  return {
    receipt,
    durationMs: durationMs ?? 0,
    channels: channels.map((samples) => samples.filter((_sample, index) => index % (rate / sampleRate) === 0)),
    heardByCaller: receiver.samples(),
    heardByAgent: ears.samples().subarray(heardBefore),
  };
}

const outcomes = new Map<string, Promise<Outcome>>();
/** So many calls at once leave this process time for each. */
const atOnce = 5;

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await makeSaid(at.rig, [...new Set(cases.map(({ codec }) => codec))]);
  await at.rig.startServe();
  for (let first = 0; first < cases.length; first += atOnce) {
    const some = cases.slice(first, first + atOnce);
    const made = some.map((each) => {
      const outcome = at.onTime([each.line], () => course(each));
      outcomes.set(each.line, outcome);
      return outcome;
    });
    await Promise.allSettled(made);
  }
  await expectNobodyConnected(at.rig);
});

async function outcomeOf({ line }: Case): Promise<Outcome> {
  const outcome = await outcomes.get(line);
  if (outcome === undefined) throw new Error(`no call by ${line}`);

  return outcome;
}

/** In any of the channels, ms. */
const inFile = ({ channels }: Outcome, hz: number, share: number): number =>
  Math.max(...channels.map((samples) => presentMs(samples, hz, { share })));

describe.each(cases)('a talk of $line ($way, $codec, $sound), paused by $by with keys by $keys', (each) => {
  it('has nothing in its file of what was said and typed in the pause', async () => {
    const outcome = await outcomeOf(each);
    const tones = [said.caller.secret, said.agent.secret, pausedHz, resumedHz, 770, 852, 1_336, 697, 1_209];
    expect(tones.map((hz) => [hz, inFile(outcome, hz, 0.1)])).toEqual(tones.map((hz) => [hz, 0]));
  });

  it('has what was said before and after it', async () => {
    const outcome = await outcomeOf(each);
    const { caller, agent } = said;
    for (const hz of [caller.before, agent.before, caller.after, agent.after]) {
      expect(inFile(outcome, hz, 0.15)).toBeGreaterThan(1_000);
    }
  });

  it('says to both that it is paused, and goes on', async () => {
    const { heardByAgent, heardByCaller } = await outcomeOf(each);
    // The receiver reads A-law.
    for (const heard of each.codec === undefined ? [heardByAgent, heardByCaller] : [heardByAgent]) {
      expect(presentMs(heard, pausedHz, { share: 0.1 })).toBeGreaterThan(sentenceMs / 2);
      expect(presentMs(heard, resumedHz, { share: 0.1 })).toBeGreaterThan(sentenceMs / 2);
    }
  });

  it('has a receipt that says who wanted the pause, and its end, and no flag', async () => {
    const { receipt } = await outcomeOf(each);
    const party = isByDialler(each) ? 'caller' : 'destination';
    const pauses = receipt.changes.filter(({ change }) => change.startsWith('pause'));
    expect(pauses).toMatchObject([
      { change: 'pauseBegan', party },
      { change: 'pauseEnded', party },
    ]);
    // Each chunk of G.722 begins with a burst.
    expect(receipt.recording?.flags.filter((flag) => flag !== 'clipped')).toEqual([]);
    expect(receipt.otherSentences.map(({ kind }) => kind)).toEqual(
      each.way === 'bridge' ? ['paused', 'resumed'] : ['paused', 'paused', 'resumed', 'resumed'],
    );
  });
});
