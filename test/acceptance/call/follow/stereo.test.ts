/**
 * Tell, then follow, on a line with `sound: stereo`: who was told is left, the others are right, and what both hear at one moment lies at one
 * place in both channels.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { continuousTone, toneFromFile } from '../../../../lab/telephones/audio.ts';
import { hold, pressByInfo, resume } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { bounds } from '../../../../lab/machine/lateness.ts';
import { labPurpose } from '../../../../lab/rig.ts';
import { startAriProxy, type AriProxy } from '../../../support/ari/ariProxy.ts';
import { presentMs, readChannels, tonePresence, type ToneOptions } from '../../../support/audio/audio.ts';
import { crossCorrelation } from '../../../support/audio/crossCorrelation.ts';
import { talkedMs } from '../../../support/call/talked.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const words = 'Calls of the lab are recorded to see who is on which side.';
const echoes = ['echo1', 'echo2', 'echo3', 'echo4'] as const;
const lines = ['plain', 'held', 'refused', 'onesided', 'killed', 'bridged', ...echoes] as const;
type Line = (typeof lines)[number];

let agent: { agent: Agent; receiver: RtpReceiver };
let proxy: AriProxy;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(agentHz);
  agent = { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: lines.length, receiver })) };
  const dialOf = (line: Line): string =>
    line.startsWith('echo') ? 'Dial(Local/echo@echo/n,20)' : `Dial(${agent.agent.dialString},20)`;

  return {
    idle: true,
    extensions: { bridged: `${agent.agent.dialString},20,line=bridged` },
    lines: [
      ...lines
        .filter((line) => line !== 'bridged')
        .flatMap((line) => [
          `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
          ` same => n,${dialOf(line)}`,
          ' same => n,Hangup()',
        ]),
      '[echo]',
      'exten => echo,1,Answer()',
      ' same => n,Echo()',
    ],
    config: {
      ari: { url: proxy.url },
      purposes: {
        training: labPurpose('lab', words, 28),
        agreement: { ...labPurpose('lab', words, 28), consent: 'optOut', kind: 'evidence' },
      },
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          {
            purposes: [line === 'refused' ? 'agreement' : 'training'],
            language: 'en',
            defaultLanguages: ['en'],
            sound: 'stereo',
          },
        ]),
      ),
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await at.rig.startServe();
});

type Talk = { call: Call; id: string; startedAt: number };

async function talk(line: Line, tone = continuousTone(callerHz)): Promise<Talk> {
  const receiver = await at.keep(startRtpReceiver());
  const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone: await tone, receiver });
  const call = await at.keep(placed);
  const { id, startedAt } = await eventually(async () => {
    const made = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const found = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === made?.id);
    if (found?.startedAt === undefined || found.startedAt === null) throw new Error(`${line} is not being recorded`);

    return { id: found.id, startedAt: found.startedAt };
  });

  return { call, id, startedAt };
}

const lasts = (startedAt: number, ms: number): Promise<boolean> => eventually(() => Date.now() > startedAt + ms);

async function end(line: Line, call: Call) {
  await call.hangUp();
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const recording = await finishedRecording(at.rig, line);
  const { rate, channels } = readChannels(spooledWav(at.rig, recording.id));
  const [left = new Int16Array(), right = new Int16Array()] = channels;

  return { recording, rate, count: channels.length, left, right };
}

const sizeOf = (file: string | undefined): number | undefined => statSync(file ?? '', { throwIfNoEntry: false })?.size;

/** Where this tone ends, ms; Asterisk may end the file later than the call. */
const endOf = (samples: Int16Array, hz: number): number => tonePresence(samples, hz).at(-1)?.endMs ?? Infinity;

/** A tone that is not there is not there at all. */
const trace: ToneOptions = { share: 0.02 };

test('who was told is left and the others are right, each with nothing of the other', () =>
  at.onTime(['plain'], async () => {
    const { call, startedAt } = await talk('plain');
    await lasts(startedAt, 4_000);
    const { recording, rate, count, left, right } = await end('plain', call);
    expect([rate, count, recording.flags]).toEqual([8_000, 2, []]);
    const durationMs = left.length / 8;
    expect(Math.abs((recording.durationMs ?? 0) - durationMs)).toBeLessThanOrEqual(1);
    for (const [samples, own, other] of [
      [left, callerHz, agentHz],
      [right, agentHz, callerHz],
    ] as const) {
      expect(presentMs(samples, own)).toBeGreaterThan(talkedMs(call, startedAt) - 300);
      expect(presentMs(samples, other, trace)).toBe(0);
    }
  }));

/** No moment of it is like another, as of a tone. */
const speech = join(import.meta.dirname, '../../../../sounds/nl/turned-away.wav');

/** By how much the right channel lies behind the left one, samples. */
function lagOf(left: Int16Array, right: Int16Array): number {
  const [margin, length] = [4_000, 16_000];
  const correlation = crossCorrelation(right.subarray(0, 2 * margin + length), left.subarray(margin, margin + length));
  let best = 0;
  correlation.forEach((each, index) => {
    if (each > (correlation[best] ?? 0)) best = index;
  });

  return best - margin;
}

/** A packet that the lab calls on time may be so late, ms, and moves what one channel has of it. */
const latePacketMs = bounds.packet;

test('what both hear at one moment lies within 20 ms in both channels, but for what a late packet moves', () =>
  at.onTime([...echoes], async () => {
    const lags = await Promise.all(
      echoes.map(async (line) => {
        const { call, startedAt } = await talk(line, toneFromFile(speech));
        await lasts(startedAt, 5_000);
        const { left, right } = await end(line, call);
        return lagOf(left, right);
      }),
    );
    const apartMs = lags.map((lag) => Math.abs(lag) / 8).toSorted((one, other) => one - other);
    // They were placed at once: one delay may have made a packet of several of them late, and of half of them none.
    const half = apartMs.slice(0, Math.ceil(apartMs.length / 2));
    expect({ lags, half: half.every((each) => each <= 20) }).toEqual({ lags, half: true });
    expect({ lags, last: (apartMs.at(-1) ?? NaN) <= 20 + latePacketMs }).toEqual({ lags, last: true });
  }));

test('a hold is in neither channel, and they are together after it', () =>
  at.onTime(['held'], async () => {
    const { call, startedAt } = await talk('held');
    await lasts(startedAt, 3_000);
    const dialog = agent.agent.dialogs().at(-1);
    if (dialog === undefined) throw new Error('nobody is in this call');
    expect(await hold(dialog, agent.receiver.port)).toBe(200);
    await lasts(Date.now(), 2_000);
    expect(await resume(dialog, agent.receiver.port)).toBe(200);
    await lasts(Date.now(), 3_000);
    const { recording, left, right } = await end('held', call);
    expect(recording.flags).toEqual([]);
    expect((await catalogueChanges(at.rig, 'held')).map(({ change }) => change)).toContain('recorderPaused');
    expect(left.length).toBe(right.length);
    expect(left.length / 8).toBeLessThan(Date.now() - startedAt - 1_500);
    const untilMs = Math.max(endOf(left, callerHz), endOf(right, agentHz));
    expect(untilMs).toBeGreaterThan(left.length / 8 - 1_500);
    for (const [samples, own] of [
      [left, callerHz],
      [right, agentHz],
    ] as const)
      expect(presentMs(samples, own)).toBeGreaterThan(untilMs - 400);
  }));

test('both sides of what was recorded of a caller who refuses are removed', () =>
  at.onTime(['refused'], async () => {
    const { call, id, startedAt } = await talk('refused');
    await lasts(startedAt, 2_000);
    const files = ['in', 'out'].map((side) => spooledWav(at.rig, `${id}-1-${side}`));
    expect(files.map((file) => existsSync(file))).toEqual([true, true]);
    for (const digit of '*9') expect(await pressByInfo(call.dialog(), digit)).toBe(200);
    await eventually(() => files.every((file) => !existsSync(file)));
    await call.hangUp();
    expect(await endedCall(at.rig, 'refused')).toMatchObject({ result: 'unrecorded', reason: 'refused' });
  }));

test('where Asterisk records one side only, that side is kept, and the recording says so', () =>
  at.onTime(['onesided'], async () => {
    proxy.forbid(/-1-out\/record/);
    const { call, id, startedAt } = await talk('onesided');
    // It begins with the first side: the other was asked for in the same moment, and may come to Asterisk later.
    await eventually(() => proxy.requests().some((each) => each.endsWith(`${id}-1-out/record`)));
    proxy.forbid(undefined);
    await lasts(startedAt, 3_000);
    const { recording, left, right } = await end('onesided', call);
    expect(recording.flags).toContain('party_unheard');
    expect((await catalogueChanges(at.rig, 'onesided')).filter(({ change }) => change === 'unheard')).toMatchObject([
      { party: 'destination' },
    ]);
    expect(presentMs(left, callerHz)).toBeGreaterThan(talkedMs(call, startedAt) - 300);
    expect(right.every((each) => each === 0)).toBe(true);
  }));

test('a serve that dies between the two sides leaves what the one has, and the next one goes on', () =>
  at.onTime(['killed'], async () => {
    proxy.delay(/-1-out\/record$/, 8_000);
    const { call, id } = await talk('killed');
    await at.rig.killServe();
    expect(existsSync(spooledWav(at.rig, `${id}-1-out`))).toBe(false);
    proxy.delay(/-1-out\/record$/, 0);
    await at.rig.startServe();
    const [one, other] = [1, 2].map((part) => spooledWav(at.rig, `${id}-${part}-in`));
    const bytes = (): number => [one, other].reduce((sum, file) => sum + (sizeOf(file) ?? 0), 0);
    const before = bytes();
    await eventually(() => bytes() > before + 3 * 16_000);
    const { recording, left, right } = await end('killed', call);
    expect(recording.flags).toEqual(expect.arrayContaining(['unwatched', 'party_unheard']));
    expect(presentMs(left, callerHz)).toBeGreaterThan(endOf(left, callerHz) - 600);
    expect(presentMs(right, callerHz, trace)).toBe(0);
    await expectNobodyConnected(at.rig);
  }));

test('a line whose calls Préavis dials itself is recorded in mono', () =>
  at.onTime(['bridged'], async () => {
    const { call, startedAt } = await talk('bridged');
    await lasts(startedAt, 2_000);
    const { count, left } = await end('bridged', call);
    expect(count).toBe(1);
    expect(presentMs(left, callerHz)).toBeGreaterThan(1_500);
    await expectNobodyConnected(at.rig);
  }));
