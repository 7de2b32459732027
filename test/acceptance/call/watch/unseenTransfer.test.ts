/**
 * A transfer that happens while Préavis hears nothing, and Asterisk takes it for connected: bytes between them vanish, and in the
 * second case `serve` was killed as well. Those who talk then talk on (P3), nothing more is recorded, the keys of somebody who was
 * never told decide nothing about the recording, and nothing of their voice is left in it (P1). Asterisk's CEL tells who was in a
 * bridge: what nobody joined is kept. (Where Asterisk knows that the application is away, it refuses the transfer.)
 */
import { existsSync, statSync } from 'node:fs';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { transfer } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import type { RecordingRow } from '../../../../src/catalogue/rows.ts';
import { presentMs, readWav } from '../../../support/audio/audio.ts';
import { connected, lost } from '../../../support/rig/faultyRig.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  catalogueUnwatched,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';
import { startTcpProxy, type TcpProxy } from '../../../support/ari/tcpProxy.ts';

const agentHz = 1000;
const callerHz = 440;
const strangerHz = 1600;
const ways = ['halfopen', 'killed'] as const;
const lines = ways.flatMap((way) => [`${way}agent`, `${way}caller`, `${way}quiet`]);

let proxy: TcpProxy;
const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
/** To whom a call is transferred, by its line, and what they hear. */
const strangers = new Map<string, { agent: Agent; receiver: RtpReceiver }>();

const words = 'Calls of the lab are recorded to see what transfers leave.';
const at = useRig(async () => {
  proxy = await at.keep(startTcpProxy());
  const answering = async (hz: number): Promise<{ agent: Agent; receiver: RtpReceiver }> => {
    const [receiver, tone] = [await at.keep(startRtpReceiver()), await continuousTone(hz)];

    return { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 8, receiver })) };
  };
  for (const line of lines) {
    agents.set(line, await answering(agentHz));
    strangers.set(line, await answering(strangerHz));
  }

  return {
    idle: true,
    extensions: Object.fromEntries(
      lines.map((line) => [line, `${agents.get(line)?.agent.dialString ?? ''},20,line=${line}`]),
    ),
    lines: lines.flatMap((line) => [
      `exten => to${line},1,Dial(${strangers.get(line)?.agent.dialString ?? ''},20)`,
      ' same => n,Hangup()',
    ]),
    config: {
      // Shorter than the defaults, so that less is waited for.
      ari: { url: `http://127.0.0.1:${proxy.port}`, heartbeatMs: 1_500, requestTimeoutMs: 2_000 },
      purposes: {
        training: labPurpose('lab', words, 28),
        agreement: { ...labPurpose('lab', words, 28), consent: 'optOut', kind: 'evidence' },
      },
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          { purposes: [line.endsWith('caller') ? 'agreement' : 'training'], language: 'en', defaultLanguages: ['en'] },
        ]),
      ),
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await at.rig.startServe();
});

const said = (text: string): number => at.rig.log().filter(({ msg }) => msg === text).length;

/** For how much of the last three seconds a tone was heard, alone; ms. */
const lately = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(3_000), hz, { share: 0.7 });

const of = (
  group: ReadonlyMap<string, { agent: Agent; receiver: RtpReceiver }>,
  line: string,
): { agent: Agent; receiver: RtpReceiver } => {
  const found = group.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
};

/** Makes Préavis deaf for as long as the transfer takes. */
async function whileDeaf(way: (typeof ways)[number], act: () => Promise<void>): Promise<void> {
  const [losses, openings] = [said(lost), said(connected)];
  proxy.impair({ hole: ['toServer', 'toClient'] });
  if (way === 'killed') await at.rig.killServe();
  await act();
  if (way === 'halfopen') await eventually(() => said(lost) > losses);
  proxy.mend();
  if (way === 'killed') await at.rig.startServe();
  await eventually(() => said(connected) > openings);
}

/** An attempt before may have left it broken. */
const onTime = (of: readonly string[], act: () => Promise<void>): Promise<void> =>
  at.onTime(of, async () => {
    proxy.mend();
    if (at.rig.servePid() === undefined) await at.rig.startServe();
    // Nor do those hang up whom a caller has left to each other.
    await at.rig.asterisk.cli('channel request hangup all');
    await expectNobodyConnected(at.rig);
    await act();
  });

type Talk = { call: Call; receiver: RtpReceiver };

/** 5 s. */
const leastBytes = 5 * 16_000;

async function ours(line: string): Promise<RecordingRow> {
  const calls = await catalogueCalls(at.rig);
  const call = calls.find((each) => each.line === line);
  const row = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === call?.id);
  if (row === undefined) throw new Error(`no recording of ${line} yet`);

  return row;
}

async function recorded(line: string): Promise<Talk> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  await eventually(async () => (await ours(line)).status === 'recording');
  await eventually(() => lately(receiver, agentHz) > 1_300);
  // What lies behind the last answer of Asterisk becomes silence: something must lie before it.
  const { id } = await ours(line);
  await eventually(() => statSync(spooledWav(at.rig, id)).size > leastBytes);

  return { call, receiver };
}

/** The two who are left hear each other, and have not ceased to. */
async function expectTalking(one: RtpReceiver, hears: number, other: RtpReceiver, otherHears: number): Promise<void> {
  const before = one.samples().length;
  await eventually(() => one.samples().length > before + 32_000);
  await eventually(() => lately(one, hears) > 2_500 && lately(other, otherHears) > 2_500);
}

/** It was seen that somebody else came, and no key of theirs has refused. */
async function expectChanged(line: string): Promise<void> {
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded', consent: { answer: 'none' } });
  const changes = (await catalogueChanges(at.rig, line)).map(({ change }) => change);
  expect(changes.some((change) => change === 'joined' || change === 'transferred')).toBe(true);
}

/** As far as the told talked, and without whoever came. */
async function expectKept(line: string): Promise<void> {
  await expectChanged(line);
  const { id, flags } = await finishedRecording(at.rig, line);
  expect(flags).toContain('unwatched_blanked');
  const sound = readWav(spooledWav(at.rig, id));
  expect(presentMs(sound, strangerHz, { share: 0.2 })).toBe(0);
  expect(presentMs(sound, callerHz, { share: 0.2 })).toBeGreaterThan(0);
}

/**
 * What is not known of the caller's own keys decides, by how soon after a deaf time the talk ended: it is kept like any other, with a
 * flag, or is not kept for that reason alone.
 */
async function expectKeptOrUnheard(line: string): Promise<void> {
  await expectChanged(line);
  const row = await eventually(async () => {
    const found = await ours(line);
    return ['recorded', 'archived', 'discarded'].includes(found.status) ? found : false;
  });
  if (row.status === 'discarded') {
    expect(row).toMatchObject({ failure: 'keys_unheard', bytes: null, objectKey: null });
    await eventually(() => !existsSync(spooledWav(at.rig, row.id)));
    return;
  }
  expect(row.flags).toContain('keys_unheard');
  await expectKept(line);
}

/** Nobody joined: what was recorded meanwhile is kept, as far as the caller talked. */
async function expectWhole(line: string, { call }: Talk): Promise<void> {
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id, callId, startedAt, flags } = await finishedRecording(at.rig, line);
  expect(flags).toEqual(['unwatched']);
  const unwatched = await catalogueUnwatched(at.rig, callId);
  expect(unwatched.map(({ judged }) => judged)).toEqual(unwatched.map(() => 'witnessed'));
  expect(unwatched.length).toBeGreaterThan(0);
  const sound = readWav(spooledWav(at.rig, id));
  const hungUpAt = call.events().find(({ name }) => name === 'byeSent')?.at ?? Infinity;
  expect(presentMs(sound, callerHz, { share: 0.2 })).toBeGreaterThan(hungUpAt - (startedAt ?? 0) - 500);
}

/** The agent sends the caller of one call on, the caller sends the agent of the other on. */
test.each(ways)('who is left by a transfer while Préavis is deaf talks on, and only the told have a say: %s', (way) =>
  onTime([`${way}agent`, `${way}caller`, `${way}quiet`], async () => {
    const [byAgent, byCaller, quiet] = await Promise.all([
      recorded(`${way}agent`),
      recorded(`${way}caller`),
      recorded(`${way}quiet`),
    ]);
    const [given, taken] = [of(strangers, `${way}agent`), of(strangers, `${way}caller`)];
    const { receiver: agentReceiver } = of(agents, `${way}caller`);
    await whileDeaf(way, async () => {
      const dialog = of(agents, `${way}agent`).agent.dialogs().at(-1);
      if (dialog === undefined) throw new Error('the agent has a call');
      expect(await transfer(dialog, `to${way}agent`)).toBe(202);
      expect(await transfer(byCaller.call.dialog(), `to${way}caller`)).toBe(202);
      await eventually(() => lately(byAgent.receiver, strangerHz) > 1_300 && lately(agentReceiver, strangerHz) > 1_300);
      // As a telephone does when its transfer has succeeded.
      await byCaller.call.hangUp();
    });
    await Promise.all([
      expectTalking(byAgent.receiver, strangerHz, given.receiver, callerHz),
      expectTalking(agentReceiver, strangerHz, taken.receiver, agentHz),
    ]);
    await Promise.all([byAgent.call.hangUp(), quiet.call.hangUp()]);
    await expectKept(`${way}agent`);
    await expectWhole(`${way}quiet`, quiet);

    for (const key of '*9') await taken.receiver.pressDigit(key);
    // Another process knows as well who came in whose place.
    await at.rig.killServe();
    await at.rig.startServe();
    for (const key of '*9') await taken.receiver.pressDigit(key);
    await expectTalking(agentReceiver, strangerHz, taken.receiver, agentHz);
    await at.rig.asterisk.cli('channel request hangup all');
    await expectKeptOrUnheard(`${way}caller`);
    await expectNobodyConnected(at.rig);
  }),
);
