/**
 * Tell, then follow: the agent sends the caller on to somebody who was told nothing, and Préavis sees nothing of it: it is dead, stands still,
 * or its line to Asterisk is cut. They talk on (P3), and nothing of who came is left in the recording (P1). The dead-man channel ends our
 * snoop channels and spares those of others.
 */
import { statSync } from 'node:fs';
import { ulid } from 'ulid';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { transfer } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { startAriProxy, type AriProxy } from '../../../support/ari/ariProxy.ts';
import { presentMs, readWav } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { startOperator, type Operator } from '../../../support/call/operator.ts';
import { eventually } from '../../../support/poll.ts';
import { connected, lost } from '../../../support/rig/faultyRig.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const strangerHz = 1_600;
const limitMs = 8_000;
/** Asterisk writes 32 KiB at a time: two seconds of sound. */
const slackMs = 4_000;
const bytesPerSecond = 16_000;
const lines = ['back', 'away', 'frozen', 'cut', 'many'] as const;
type Line = (typeof lines)[number];
const notice = useBriefNotice();
let agent: Agent;
let proxy: AriProxy;
let operator: Operator;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  agent = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), atOnce: 4 }));
  const stranger = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 8 }),
  );

  return {
    idle: true,
    lines: [
      ...lines.flatMap((line) => [
        `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
        ` same => n,Dial(${agent.dialString},20)`,
        ' same => n,Hangup()',
      ]),
      `exten => stranger,1,Dial(${stranger.dialString},20)`,
      ' same => n,Hangup()',
    ],
    config: {
      ari: { url: proxy.url },
      notice: notice.config(),
      recording: { unwatchedSeconds: limitMs / 1_000 },
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await notice.install(at.rig.asterisk.soundsFolder);
  operator = await at.keep(startOperator(at.rig));
});

/** Whatever an attempt before has left. */
const onTime = (line: Line, act: () => Promise<void>): Promise<void> =>
  at.onTime(line, async () => {
    proxy.mend();
    if (at.rig.servePid() === undefined) await at.rig.startServe();
    await act();
    await expectNobodyConnected(at.rig);
  });

type Talk = { call: Call; receiver: RtpReceiver; part: string; name: string };

/** A call of which seven seconds were written down: what lies behind the last answer of Asterisk that may be known becomes silence. */
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
  const part = spooledWav(at.rig, `${id}-1`);
  await eventually(() => statSync(part).size > 7 * bytesPerSecond);

  return { call, receiver, part, name: `preavis-${id}-1` };
}

const hearsStranger = ({ receiver }: Talk): Promise<unknown> =>
  eventually(() => presentMs(receiver.latest(2_000), strangerHz) > 1_500, { everyMs: 200 });

async function sendOn(made: Talk): Promise<void> {
  const dialog = agent.dialogs().at(-1);
  if (dialog === undefined) throw new Error('the agent has a call');
  expect(await transfer(dialog, 'stranger')).toBe(202);
  await hearsStranger(made);
}

const isLive = (name: string): Promise<boolean> =>
  operator.request('GET', `/recordings/live/${name}`).then(
    () => true,
    () => false,
  );

const isOver = ({ name }: Talk): Promise<unknown> =>
  eventually(async () => {
    expect(await isLive(name)).toBe(false);
  });

/** Nothing of who came: the caller, who is heard all the time, is silent from then on. */
async function expectKept(line: Line, { call, receiver }: Talk): Promise<string[]> {
  const heard = receiver.samples().length;
  await eventually(() => receiver.samples().length > heard + 16_000);
  expect(presentMs(receiver.latest(1_500), strangerHz)).toBeGreaterThan(1_000);
  await call.hangUp();
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id, flags } = await finishedRecording(at.rig, line);
  const samples = readWav(spooledWav(at.rig, id));
  // Three tones at once are a third of it each; where silence begins there is a little of everything.
  expect(presentMs(samples, strangerHz, { share: 0.1, windowMs: 40 })).toBe(0);
  for (const hz of [callerHz, agentHz]) expect(presentMs(samples, hz, { share: 0.2 })).toBeGreaterThan(500);

  return flags;
}

test('who came while serve was dead is not in the recording, and the recorder ends when it is back', () =>
  onTime('back', async () => {
    const made = await talk('back');
    await at.rig.killServe();
    await sendOn(made);
    await at.rig.startServe();
    await isOver(made);
    expect(await expectKept('back', made)).toContain('unwatched_blanked');
  }));

test('who came while serve stays away is not in the recording: Asterisk ends our recorder in time, and spares that of another application', () =>
  onTime('away', async () => {
    const made = await talk('away');
    const caller = operator.channelOf('away');
    const foreign = `foreign-${ulid()}`;
    await operator.request('POST', `/channels/${caller}/snoop/${foreign}?spy=both&app=operator`);
    await eventually(() =>
      operator.seen.some(({ type, channel }) => type === 'StasisStart' && channel?.id === foreign),
    );
    await operator.request('POST', `/channels/${foreign}/record?name=${foreign}&format=wav`);
    const from = performance.now();
    await at.rig.killServe();
    await sendOn(made);
    await isOver(made);
    expect(performance.now() - from).toBeLessThan(limitMs + slackMs);
    expect(await isLive(foreign)).toBe(true);
    await at.rig.startServe();
    const flags = await expectKept('away', made);
    expect(flags).toEqual(expect.arrayContaining(['unwatched_blanked', 'unwatched_too_long']));
  }));

test('who came while serve stood still is not in the recording', () =>
  onTime('frozen', async () => {
    const made = await talk('frozen');
    const pid = at.rig.servePid();
    if (pid === undefined) throw new Error('serve does not run');
    process.kill(pid, 'SIGSTOP');
    try {
      await sendOn(made);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await isOver(made);
    expect(await expectKept('frozen', made)).toContain('unwatched_blanked');
  }));

test('who came while the line to Asterisk was cut is not in the recording', () =>
  onTime('cut', async () => {
    const said = (text: string): number => at.rig.log().filter(({ msg }) => msg === text).length;
    const made = await talk('cut');
    const [losses, openings] = [said(lost), said(connected)];
    proxy.cut();
    await eventually(() => said(lost) > losses);
    await sendOn(made);
    proxy.mend();
    await eventually(() => said(connected) > openings);
    await isOver(made);
    expect(await expectKept('cut', made)).toContain('unwatched_blanked');
  }));

// Nothing of it is measured: so many snoop channels make the sound late.
test('Asterisk ends our recorders also where they are more than it tells of at once', async () => {
  if (at.rig.servePid() === undefined) await at.rig.startServe();
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'many', tone, receiver }));
  const snoops = async (): Promise<number> =>
    (await at.rig.asterisk.channels()).filter((name) => name.startsWith('Snoop/')).length;
  await eventually(async () => (await snoops()) === 1);
  const caller = operator.channelOf('many');
  for (let made = 0; made < 150; made += 1)
    await operator.request('POST', `/channels/${caller}/snoop/preavis-${ulid()}-1?spy=in&app=operator`);
  expect(await snoops()).toBeGreaterThan(150);
  await at.rig.killServe();
  await eventually(async () => (await snoops()) === 0);
  await at.rig.startServe();
  await call.hangUp();
  await expectNobodyConnected(at.rig);
});
