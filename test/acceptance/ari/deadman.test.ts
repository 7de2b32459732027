/**
 * Who joins while nobody watches is not recorded for longer than recording.unwatchedSeconds (P1), and the talk goes on (P3): serve is
 * killed, stands still, or has lost the application. One that comes back in time loses nothing.
 */
import { statSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { rigDialplan } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { takeApplication } from '../../support/ari/applicationTaker.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { startOperator, timeOf, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const agentHz = 1000;
const callerHz = 440;
/** Somebody who was told nothing. */
const strangerHz = 1600;
const limitMs = 5_000;
const slackMs = 2_000;
const bytesPerSecond = 16_000;

const lines = ['killed', 'stopped', 'taken', 'kept', 'without', 'unloaded'] as const;
type Line = (typeof lines)[number];

const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
const extensions: Record<string, string> = {};
let stranger: Agent;
let operator: Operator;

const notice = useBriefNotice();
const at = useRig(async () => {
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), receiver }));
    agents.set(line, { agent, receiver });
    extensions[line] = `${agent.dialString},20,line=${line}`;
  }
  stranger = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 4 }));

  return {
    idle: true,
    extensions,
    config: {
      notice: notice.config(),
      recording: { unwatchedSeconds: limitMs / 1_000 },
      shutdown: { graceSeconds: 1 },
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
});

type Talk = { call: Call; receiver: RtpReceiver; agentReceiver: RtpReceiver; id: string; wav: string; bridge: string };

/** A call of which seven seconds were written down. */
async function talk(line: Line): Promise<Talk> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  const id = await eventually(async () => {
    const made = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const recording = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === made?.id);
    if (recording === undefined) throw new Error(`${line} is not being recorded`);

    return recording.id;
  });
  const wav = spooledWav(at.rig, id);
  // Longer than from the last answer of Asterisk that may be known: what lies behind it becomes silence.
  await eventually(() => statSync(wav).size > 7 * bytesPerSecond);
  const entry = operator.seen.find(
    ({ type, channel }) => type === 'ChannelEnteredBridge' && channel?.id === operator.channelOf(line),
  );
  const agentReceiver = agents.get(line)?.receiver;
  if (entry?.bridge === undefined || agentReceiver === undefined) throw new Error(`${line} has no bridge`);

  return { call, receiver, agentReceiver, id, wav, bridge: entry.bridge.id };
}

const isRecorded = async ({ bridge }: Talk): Promise<boolean> =>
  (await at.rig.asterisk.cli(`bridge show ${bridge}`)).includes('Recorder/ARI');

/** Waits for the recorder's end; how long after `from`, a Unix time in ms, that was by Asterisk's clock. */
async function recorderEnds({ id }: Talk, from: number): Promise<number> {
  const ended = await eventually(
    () =>
      operator.seen.find(
        ({ type, recording }) => type === 'RecordingFinished' && recording?.name === `preavis-${id}`,
      ) ?? false,
  );

  return timeOf(ended.timestamp) - from;
}

const hears = (receiver: RtpReceiver, hz: number): Promise<unknown> =>
  eventually(() => presentMs(receiver.latest(2_000), hz, { share: 0.2 }) > 200, { everyMs: 200 });

/** Waits for half a second of sound from now on. */
const hearsOn = (receiver: RtpReceiver): Promise<unknown> => {
  const heard = receiver.packets();

  return eventually(() => receiver.packets() > heard + 25, { everyMs: 100 });
};

/** Who came into a bridge and was not sent away yet. */
const joined = new Set<string>();

/** Somebody who was told nothing comes into this bridge; their channel. */
async function join(bridge: string): Promise<string> {
  const query = `endpoint=${encodeURIComponent(stranger.dialString)}&app=operator`;
  const { id } = (await operator.request('POST', `/channels?${query}`)) as { id: string };
  joined.add(id);
  await eventually(() => operator.seen.some(({ type, channel }) => type === 'StasisStart' && channel?.id === id));
  await operator.request('POST', `/bridges/${bridge}/addChannel?channel=${id}`);

  return id;
}

async function sendAway(channel: string): Promise<void> {
  await operator.request('DELETE', `/channels/${channel}`);
  joined.delete(channel);
}

/** The recorder is gone, the two hear each other, and who joins now is not in the file. Gives the channel of who joined. */
async function expectTalkUnrecorded(made: Talk): Promise<string> {
  const size = statSync(made.wav).size;
  // Asterisk 22.10.1 may send a party nothing more where somebody joins within some 50 ms of the recorder's end: the bridge changes twice.
  for (const each of [made.receiver, made.agentReceiver]) await hearsOn(each);
  const channel = await join(made.bridge);
  await hears(made.receiver, strangerHz);
  await hears(made.receiver, agentHz);
  await hears(made.agentReceiver, callerHz);
  expect(statSync(made.wav).size).toBe(size);
  expect(presentMs(readWav(made.wav), strangerHz, { share: 0.02, windowMs: 40 })).toBe(0);

  return channel;
}

/** The call ends like any other; its recording says why it is shorter, and is kept as far as it got. */
async function expectKept(line: Line, made: Talk, channel: string): Promise<void> {
  await sendAway(channel);
  await made.call.hangUp();
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const recording = await finishedRecording(at.rig, line);
  expect(recording.flags).toContain('unwatched_too_long');
  const samples = readWav(made.wav);
  expect(recording.durationMs).toBeGreaterThan(1_500);
  // What was recorded while nobody watched is silence where somebody joined.
  for (const hz of [agentHz, callerHz]) expect(presentMs(samples, hz, { share: 0.2 })).toBeGreaterThan(0);
  expect(presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 })).toBe(0);
  await expectNobodyConnected(at.rig);
}

const works = (): Promise<unknown> =>
  eventually(async () => {
    const reply = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
    expect(await reply.json()).toMatchObject({ status: 'ok' });
  });

/** Serve works, whatever an attempt before has left. */
const onTime = (line: Line, act: () => Promise<void>): Promise<void> =>
  at.onTime(line, async () => {
    for (const channel of joined) await sendAway(channel).catch(() => undefined);
    joined.clear();
    await at.rig.stopServe();
    await at.rig.startServe();
    await works();
    await act();
  });

/** Neither half of the dead-man channel is left. */
const expectNoChannels = (): Promise<unknown> =>
  eventually(async () => {
    expect(await at.rig.asterisk.cli('core show channels concise')).toBe('');
  });

const withinLimit = (took: number): void => {
  expect(took).toBeLessThan(limitMs + slackMs);
  // It is not ended at once either, so that a restart loses nothing.
  expect(took).toBeGreaterThan(limitMs / 2);
};

describe('a recorder that nobody watches', () => {
  it('is ended by Asterisk after serve was killed, and the talk goes on', () =>
    onTime('killed', async () => {
      const made = await talk('killed');
      const from = Date.now();
      await at.rig.killServe();
      withinLimit(await recorderEnds(made, from));
      const channel = await expectTalkUnrecorded(made);
      await at.rig.startServe();
      await expectKept('killed', made, channel);
    }));

  it('is ended while serve stands still, and the talk goes on', () =>
    onTime('stopped', async () => {
      const made = await talk('stopped');
      const pid = at.rig.servePid();
      if (pid === undefined) throw new Error('serve does not run');
      const from = Date.now();
      process.kill(pid, 'SIGSTOP');
      let channel: string;
      try {
        withinLimit(await recorderEnds(made, from));
        channel = await expectTalkUnrecorded(made);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await works();
      await expectKept('stopped', made, channel);
    }));

  it('is ended while another client has the application, and the talk goes on', () =>
    onTime('taken', async () => {
      const taken = (): number => at.rig.log().filter(({ code }) => code === 'application_taken').length;
      const take = async (): Promise<{ close(): void }> => {
        const before = taken();
        const other = await at.keep(takeApplication(at.rig));
        await eventually(() => taken() > before);
        return other;
      };
      // Twice lost, it is taken back after eight seconds only.
      for (let losses = 0; losses < 2; losses += 1) {
        (await take()).close();
        await works();
      }
      const made = await talk('taken');
      const from = Date.now();
      const other = await at.keep(takeApplication(at.rig));
      let channel: string;
      try {
        withinLimit(await recorderEnds(made, from));
        channel = await expectTalkUnrecorded(made);
      } finally {
        // Of an attempt that goes wrong, the next serve would find it there.
        other.close();
      }
      await works();
      await expectKept('taken', made, channel);
    }));
});

describe('a recorder of which the next serve comes in time', () => {
  it('goes on, after a kill as after an orderly stop, and nothing is left when the call is over', () =>
    onTime('kept', async () => {
      // Longer than a start takes on a busy machine.
      const patient = { PREAVIS_RECORDING_UNWATCHED_SECONDS: '10' };
      await at.rig.stopServe();
      await at.rig.startServe(patient);
      const made = await talk('kept');
      for (const end of [() => at.rig.killServe(), () => at.rig.stopServe()]) {
        await end();
        const size = statSync(made.wav).size;
        await at.rig.startServe(patient);
        // It goes on for longer than the time that the serve before had left it.
        await eventually(() => statSync(made.wav).size > size + 12 * bytesPerSecond);
        expect(await isRecorded(made)).toBe(true);
      }
      await made.call.hangUp();
      const recording = await finishedRecording(at.rig, 'kept');
      // Asterisk's CEL shows that nobody joined meanwhile.
      expect(recording.flags).toEqual(['unwatched']);
      const { startedAt, finishedAt, durationMs } = recording;
      expect(Math.abs((finishedAt ?? 0) - (startedAt ?? 0) - (durationMs ?? 0))).toBeLessThan(500);
      await expectNobodyConnected(at.rig);
      await expectNoChannels();
    }));

  it('leaves no channel behind when serve stops without a call', async () => {
    await at.rig.stopServe();
    await expectNoChannels();
    await at.rig.startServe();
  });
});

describe('an Asterisk that cannot end recorders', () => {
  type Checks = { checks: { check: string; ok: boolean; code?: string }[] };
  const faults = async (): Promise<(string | undefined)[]> =>
    (await at.rig.preavisJson<Checks>('check')).checks.filter(({ ok }) => !ok).map(({ code }) => code);

  const missing = async (): Promise<string | undefined> => {
    const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
    return /^preavis_deadman_missing (\d)$/m.exec(metrics)?.[1];
  };

  it('is found by check, as is another application that records', async () => {
    expect(await faults()).toEqual([]);
    const { id } = (await operator.request('POST', '/bridges?type=mixing')) as { id: string };
    const talking = [await join(id), await join(id)];
    await operator.request('POST', `/bridges/${id}/record?name=foreign&format=wav`);
    const whileRecording = await faults();
    await operator.request('DELETE', '/recordings/live/foreign');
    for (const each of talking) await sendAway(each);
    await operator.request('DELETE', `/bridges/${id}`);
    expect(whileRecording).toEqual(['recorders_foreign']);
    await eventually(async () => (await faults()).length === 0);
  });

  it('is told once by serve, which records as before', async () => {
    const whole = rigDialplan(extensions);
    await at.rig.asterisk.setDialplan(whole.slice(0, whole.indexOf('[preavis-deadman]')));
    expect(await faults()).toEqual(['deadman_unusable']);
    const made = await talk('without');
    expect(at.rig.log().filter(({ code }) => code === 'deadman_unusable')).toHaveLength(1);
    expect(await missing()).toBe('1');
    await made.call.hangUp();
    expect((await finishedRecording(at.rig, 'without')).flags).toEqual([]);
    await at.rig.asterisk.setDialplan(whole);
    await expectNobodyConnected(at.rig);
  });

  it('is told also where what it needs was there at the start', async () => {
    await eventually(async () => (await missing()) === '0');
    await at.rig.asterisk.cli('module unload app_softhangup.so');
    const made = await talk('unloaded');
    expect(await missing()).toBe('1');
    await made.call.hangUp();
    await finishedRecording(at.rig, 'unloaded');
    await at.rig.asterisk.cli('module load app_softhangup.so');
    await expectNobodyConnected(at.rig);
  });
});
