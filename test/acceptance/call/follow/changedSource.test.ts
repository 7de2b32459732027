/**
 * Tell, then follow: a party goes on from another RTP source within one talk. The two hear each other all the time, and Debian's and Ubuntu's
 * Asterisk would keep that party out of the recording for minutes: it goes on in a fresh snoop.
 */
import { bounds } from '../../../../lab/machine/lateness.ts';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { hold, resume } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { dropsEarlierNumbers } from '../../../../src/ari/knownFaults.ts';
import { receiptSchema, type Receipt } from '../../../../src/receipt/receipt.ts';
import { presentMs, readWav, tonePresence, type Span } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const agentHz = 1000;
const callerHz = 440;
/** As docs/operations/missing-sound.md has it: noticed within two seconds, and a moment for the fresh snoop. */
const lostMs = 3_000;
/** How exactly the beginning and the end of a hole are known, ms. */
const edgeMs = 150;
const ranMs = 3_000;

type Case = { line: string; who: 'caller' | 'destination' | undefined; leap: number };
const cases = [
  { line: 'agentback', who: 'destination', leap: -20_000 },
  { line: 'callerback', who: 'caller', leap: -20_000 },
  { line: 'agentahead', who: 'destination', leap: 20_000 },
  { line: 'behindlocal', who: 'destination', leap: -20_000 },
  { line: 'nobody', who: undefined, leap: 0 },
] as const satisfies Case[];
const [killed, held] = ['killed', 'held'];
const lines = [...cases.map(({ line }) => line), killed, held];

const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let isFaulty = true;
const notice = useBriefNotice();
const at = useRig(async () => {
  const tone = await continuousTone(agentHz);
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    agents.set(line, { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', tone, receiver })) });
  }

  return {
    idle: true,
    lines: [
      ...lines.flatMap((line) => [
        `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
        ` same => n,Dial(${line === 'behindlocal' ? 'Local/desk@behind/n' : of(line).agent.dialString},20)`,
        ' same => n,Hangup()',
      ]),
      '[behind]',
      `exten => desk,1,Dial(${of('behindlocal').agent.dialString},20)`,
    ],
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

function of(line: string): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(1000), hz, { share: 0.2 });

type Talk = { call: Call; receiver: RtpReceiver; startedAt: number };

/** Both hear each other, and have been recorded for a while. */
async function talk(line: string): Promise<Talk> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  const startedAt = await eventually(async () => {
    const made = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const found = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === made?.id);
    if (found?.startedAt === undefined || found.startedAt === null) throw new Error(`${line} is not being recorded`);

    return found.startedAt;
  });
  await eventually(() => Date.now() > startedAt + ranMs);
  await eventually(() => heardMs(receiver, agentHz) > 900 && heardMs(of(line).receiver, callerHz) > 900);

  return { call, receiver, startedAt };
}

type Ended = { receipt: Receipt; wav: Int16Array };

async function end(line: string, call: Call): Promise<Ended> {
  await call.hangUp();
  const { id } = await endedCall(at.rig, line);
  const recording = await finishedRecording(at.rig, line);
  const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', id)).stdout));

  return { receipt, wav: readWav(spooledWav(at.rig, recording.id)) };
}

/** For what is only seen by its not coming. */
async function passes(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await eventually(() => performance.now() > until);
}

type Heard = Ended & { byCaller: Int16Array; byAgent: Int16Array };

async function callBy({ line, who, leap }: Case): Promise<Heard> {
  const { call, receiver } = await talk(line);
  const { agent, receiver: agentReceiver } = of(line);
  const [heardByCaller, heardByAgent] = [receiver.samples().length, agentReceiver.samples().length];
  const { voice } = who === 'caller' ? call : agent;
  if (who !== undefined) voice.change({ leap });
  await passes(lostMs + 3_000);
  const byCaller = receiver.samples().slice(heardByCaller);
  const byAgent = agentReceiver.samples().slice(heardByAgent);

  return { ...(await end(line, call)), byCaller, byAgent };
}

const results = new Map<string, Promise<Heard>>();

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  isFaulty = dropsEarlierNumbers((await at.rig.asterisk.cli('core show version')).split(' ')[1] ?? '');
  for (const each of cases)
    results.set(
      each.line,
      at.onTime(each.line, () => callBy(each)),
    );
  await Promise.allSettled(results.values());
});

async function result(line: string): Promise<Heard> {
  const found = results.get(line);
  if (found === undefined) throw new Error(`no call by ${line}`);

  return found;
}

/** Where this tone is not, but for the beginning and the end, and for what a packet leaves open that is late and passes for on time. */
function holes(samples: Int16Array, hz: number): Span[] {
  const spans = tonePresence(samples, hz, { share: 0.15 });
  const all = spans.slice(1).map(({ startMs }, index) => ({ startMs: spans[index]?.endMs ?? 0, endMs: startMs }));

  return all.filter(({ startMs, endMs }) => endMs - startMs > bounds.packet);
}

const endOf = (samples: Int16Array, hz: number): number | undefined =>
  tonePresence(samples, hz, { share: 0.15 }).at(-1)?.endMs;

const ms = (time: string | null | undefined): number => Date.parse(time ?? '');

/** From when until when a party was lost, ms from the beginning of the recording. */
function spanOf({ changes, recording }: Receipt): [number, number] {
  const [from = NaN, to = NaN] = ['unheard', 'heardAgain'].map(
    (name) => ms(changes.find(({ change }) => change === name)?.at) - ms(recording?.startedAt),
  );

  return [from, to];
}

describe.each(cases)('a followed talk ($line) in which $who goes on from another source, by $leap', ({ line, who }) => {
  test('is recorded with both again within three seconds, until its end, in one file', async () => {
    const { wav } = await result(line);
    const durationMs = wav.length / 8;
    for (const hz of [agentHz, callerHz]) {
      expect(endOf(wav, hz)).toBeGreaterThan(durationMs - 1_500);
      for (const { startMs, endMs } of holes(wav, hz)) expect(endMs - startMs).toBeLessThan(lostMs);
    }
    const most = who === undefined || !isFaulty ? 300 : lostMs;
    const untilMs = endOf(wav, callerHz) ?? Infinity;
    for (const hz of [agentHz, callerHz]) expect(presentMs(wav, hz)).toBeGreaterThan(untilMs - most - 100);
  });

  test('goes on without a gap for the two', async () => {
    const { byCaller, byAgent } = await result(line);
    for (const [samples, hz] of [
      [byCaller, agentHz],
      [byAgent, callerHz],
    ] as const) {
      expect(presentMs(samples, hz)).toBeGreaterThan(samples.length / 8 - 300);
    }
  });

  test('has what was lost in its receipt, and a flag', async () => {
    const { receipt, wav } = await result(line);
    const changed = who !== undefined && isFaulty;
    const ofParty = receipt.changes.filter(({ change }) => change === 'unheard' || change === 'heardAgain');
    expect(ofParty.map(({ change, party }) => ({ change, party }))).toEqual(
      changed ? ['unheard', 'heardAgain'].map((change) => ({ change, party: who })) : [],
    );
    expect(receipt.recording?.flags).toEqual(changed ? ['party_unheard'] : []);
    const ofRecorder = receipt.changes.filter(({ change }) => change.startsWith('recorder'));
    expect(ofRecorder.map(({ change }) => change)).toEqual(changed ? ['recorderPaused', 'recorderResumed'] : []);
    if (!changed) return;
    const [pausedAt = NaN, resumedAt = NaN] = ofRecorder.map((each) => ms(each.at));
    // Some 30 ms, where Préavis is not late.
    expect(resumedAt - pausedAt).toBeLessThan(500);
    const [from, to] = spanOf(receipt);
    expect(to - from).toBeLessThan(lostMs);
    for (const hz of [agentHz, callerHz]) {
      for (const { startMs, endMs } of holes(wav, hz)) {
        expect(startMs).toBeGreaterThan(from - edgeMs);
        expect(endMs).toBeLessThan(to + edgeMs);
      }
    }
  });
});

test('each is counted', async () => {
  const text = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
  const counted = Number(/preavis_legs_unheard_total\{outcome="heardAgain"\} (\d+)/.exec(text)?.[1] ?? '0');
  at.expectFrom(isFaulty ? cases.filter(({ who }) => who !== undefined).map(({ line }) => line) : [], counted);
});

test('a process that takes up a talk records a party whose source changed meanwhile', async () => {
  const { wav, receipt } = await at.onTime(killed, async () => {
    const { call } = await talk(killed);
    await at.rig.killServe();
    of(killed).agent.voice.change({ leap: -20_000 });
    await passes(1_500);
    await at.rig.startServe();
    await passes(lostMs + 2_000);

    return end(killed, call);
  });
  const durationMs = wav.length / 8;
  for (const hz of [agentHz, callerHz]) expect(endOf(wav, hz)).toBeGreaterThan(durationMs - 1_500);
  // Since when, nobody knows.
  expect(receipt.changes.filter(({ change }) => change === 'unheard' || change === 'heardAgain')).toEqual([]);
});

test('after a hold both are recorded again: its music has numbers of its own', async () => {
  const { wav, receipt } = await at.onTime(held, async () => {
    const { call } = await talk(held);
    const { agent, receiver } = of(held);
    const dialog = agent.dialogs().at(-1);
    if (dialog === undefined) throw new Error('nobody is in this call');
    expect(await hold(dialog, receiver.port)).toBe(200);
    await passes(2_000);
    expect(await resume(dialog, receiver.port)).toBe(200);
    await passes(3_000);

    return end(held, call);
  });
  const durationMs = wav.length / 8;
  const untilMs = Math.max(...[agentHz, callerHz].map((hz) => endOf(wav, hz) ?? Infinity));
  expect(untilMs).toBeGreaterThan(durationMs - 1_500);
  for (const hz of [agentHz, callerHz]) expect(presentMs(wav, hz)).toBeGreaterThan(untilMs - 500);
  expect(durationMs).toBeGreaterThan(ranMs + 2_500);
  expect(receipt.changes.map(({ change }) => change).sort()).toEqual(
    ['held', 'recorderPaused', 'recorderResumed', 'resumed'].sort(),
  );
  expect(receipt.recording?.flags).toEqual([]);
});
