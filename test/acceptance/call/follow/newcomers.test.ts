/**
 * Tell, then follow: whoever joins or takes over was not told. From then on nothing is recorded, and those who talk talk on. A hold is not
 * recorded, and what was recorded of a caller who refuses while they talk is removed.
 */
import { existsSync } from 'node:fs';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { hold, pressByInfo, resume, transfer } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { presentMs, readWav } from '../../../support/audio/audio.ts';
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
const strangerHz = 1_600;
const lines = ['blind', 'away', 'held', 'refused'] as const;
type Line = (typeof lines)[number];

const agents = new Map<Line, { agent: Agent; receiver: RtpReceiver }>();
let stranger: Agent;

const at = useRig(async () => {
  const tone = await continuousTone(agentHz);
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    agents.set(line, {
      receiver,
      agent: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4, receiver })),
    });
  }
  stranger = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 8 }));
  const words = 'Calls of the lab are recorded to see who is in them.';

  return {
    idle: true,
    lines: [
      ...lines.flatMap((line) => [
        `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
        ` same => n,Dial(${of(line).agent.dialString},20)`,
        ' same => n,Hangup()',
      ]),
      `exten => stranger,1,Dial(${stranger.dialString},20)`,
      ' same => n,Hangup()',
    ],
    config: {
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
          },
        ]),
      ),
    },
  };
});

beforeAll(async () => {
  await at.rig.startServe();
});

const of = (line: Line): { agent: Agent; receiver: RtpReceiver } => {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
};

const dialogOf = (line: Line) => {
  const dialog = of(line).agent.dialogs().at(-1);
  if (dialog === undefined) throw new Error(`the agent of ${line} has no call`);

  return dialog;
};

/** Of the last three seconds; ms. */
const lately = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(3_000), hz, { share: 0.7 });

/** A call that is being recorded, and who calls hears the agent. */
async function recorded(line: Line): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  await eventually(async () => {
    const ours = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const row = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
    return row?.status === 'recording';
  });
  await eventually(() => lately(receiver, agentHz) > 2_600);
  // A second more: as much is silenced before somebody who comes at once, as on Asterisk 16.28.
  const heard = receiver.samples().length;
  await eventually(() => receiver.samples().length > heard + 8_000);

  return { call, receiver };
}

/** Kept as far as it went, with both voices and nobody else's. */
async function expectKeptAlone(line: Line): Promise<void> {
  const call = await endedCall(at.rig, line);
  expect(call).toMatchObject({ result: 'recorded' });
  const { id, finishedAt } = await finishedRecording(at.rig, line);
  const samples = readWav(spooledWav(at.rig, id));
  for (const hz of [agentHz, callerHz]) expect(presentMs(samples, hz)).toBeGreaterThan(2_000);
  expect(presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 })).toBe(0);
  expect(finishedAt).toBeLessThan((call.endedAt ?? 0) - 1_000);
}

/** The agent sends the caller on. */
async function transferCaller(): Promise<void> {
  const { call, receiver } = await recorded('blind');
  expect(await transfer(dialogOf('blind'), 'stranger')).toBe(202);
  await eventually(() => lately(receiver, strangerHz) > 2_600);
  await call.hangUp();
  await expectKeptAlone('blind');
}

/** The caller sends the agent on, to a stranger, who was told nothing. */
async function transferAgent(): Promise<void> {
  const { call } = await recorded('away');
  expect(await transfer(call.dialog(), 'stranger')).toBe(202);
  await eventually(() => lately(of('away').receiver, strangerHz) > 2_600);
  await of('away').agent.endCall();
  expect(await endedCall(at.rig, 'away')).toMatchObject({ result: 'recorded' });
  const samples = readWav(spooledWav(at.rig, (await finishedRecording(at.rig, 'away')).id));
  for (const hz of [agentHz, callerHz]) expect(presentMs(samples, hz)).toBeGreaterThan(2_000);
  expect(presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 })).toBe(0);
}

test('who takes the place of either by a transfer is not recorded, and those who are left talk on', () =>
  at.onTime(['blind', 'away'], async () => {
    await Promise.all([transferCaller(), transferAgent()]);
    await expectNobodyConnected(at.rig);
  }));

async function holdAndResume(): Promise<void> {
  const { call, receiver } = await recorded('held');
  const { receiver: agentReceiver } = of('held');
  expect(await hold(dialogOf('held'), agentReceiver.port)).toBe(200);
  await eventually(() => lately(receiver, agentHz) === 0);
  expect(await resume(dialogOf('held'), agentReceiver.port)).toBe(200);
  await eventually(() => lately(receiver, agentHz) > 2_600);
  await call.hangUp();
  await endedCall(at.rig, 'held');
  const changes = (await catalogueChanges(at.rig, 'held')).map(({ change }) => change);
  expect(changes.sort()).toEqual(['held', 'recorderPaused', 'recorderResumed', 'resumed']);
}

async function refuse(): Promise<void> {
  const { call } = await recorded('refused');
  for (const digit of '*9') expect(await pressByInfo(call.dialog(), digit)).toBe(200);
  await eventually(async () => {
    const ours = (await catalogueCalls(at.rig)).find((each) => each.line === 'refused');
    const row = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
    return row?.status === 'discarded' && !existsSync(spooledWav(at.rig, `${row.id}-1`));
  });
  await call.hangUp();
  expect(await endedCall(at.rig, 'refused')).toMatchObject({ result: 'unrecorded', reason: 'refused' });
}

test('a hold is not recorded and the talk after it is; what was recorded of who refuses by the feature code is removed', () =>
  at.onTime(['held', 'refused'], async () => {
    await Promise.all([holdAndResume(), refuse()]);
  }));
