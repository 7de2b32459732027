import { bounds } from '../../../../lab/machine/lateness.ts';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { hold, resume } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { dropsEarlierNumbers } from '../../../../src/ari/knownFaults.ts';
import { receiptSchema, type Receipt } from '../../../../src/receipt/receipt.ts';
import { startAriProxy, type AriProxy } from '../../../support/ari/ariProxy.ts';
import { presentMs, readWav, tonePresence, type Span } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { startOperator, type Operator } from '../../../support/call/operator.ts';
import { eventually } from '../../../support/poll.ts';
import { catalogueRecordings, endedCall, finishedRecording, spooledWav, useRig } from '../../../support/rig/rigs.ts';

/** A party goes on from another RTP source: Debian's and Ubuntu's Asterisk would not let the other hear it in a bridge with a recorder. */

const agentHz = 1000;
const callerHz = 440;
/** Noticed within two seconds, and two packets for the leg that is taken out and in; and how late Préavis may be on a busy machine. */
const lostMs = 2_400;
/** Within one source: Asterisk's next report, at most five seconds later, and the look after it. */
const lostWithinMs = 7_000;
/** The receipt's span begins with the look before, at which a party was still heard. */
const lookEveryMs = 1_000;
/** How exactly the beginning and the end of a hole are known, ms. */
const edgeMs = 150;

const cases = [
  { line: 'agentback', who: 'destination', leap: -20_000, talkOnMs: 4_000 },
  { line: 'callerback', who: 'caller', leap: -20_000 },
  { line: 'agentahead', who: 'destination', leap: 20_000 },
  // As behind a queue.
  { line: 'behindlocal', who: 'destination', leap: -20_000 },
  { line: 'nobody', who: undefined, leap: 0 },
] as const satisfies Case[];
type Case = { line: string; who: 'caller' | 'destination' | undefined; leap: number; talkOnMs?: number };
const [held, silent, within, refused] = ['onhold', 'silent', 'withinsource', 'refused'] as const;
const [killed, unchanged, ended] = ['killed', 'unchanged', 'endedfirst'] as const;
const lines = [...cases.map(({ line }) => line), held, silent, within, refused, killed, unchanged, ended];

const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let operator: Operator;
let isFaulty = true;
let proxy: AriProxy;
const notice = useBriefNotice(1_000);
const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(agentHz);
    agents.set(line, {
      receiver,
      agent: await at.keep(startAgent({ behaviour: 'answer', tone, ringMs: 200, receiver })),
    });
  }
  return {
    idle: true,
    extensions: Object.fromEntries(
      lines.map((line) => [
        line,
        `${line === 'behindlocal' ? `Local/${line}@behind/n` : agentOf(line).agent.dialString},20,line=${line}`,
      ]),
    ),
    lines: ['[behind]', `exten => behindlocal,1,Dial(${agentOf('behindlocal').agent.dialString},20)`],
    config: {
      ari: { url: proxy.url },
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

function agentOf(line: string): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

/** For what is only seen by its not coming. */
async function passes(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await eventually(() => performance.now() > until);
}

const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(1000), hz, { share: 0.2 });

/** How often a leg was asked into a bridge so far: who has changed is taken out and in by that. */
const moves = (): number => proxy.requests().filter((each) => each.endsWith('/addChannel')).length;

/** Both hear each other. */
async function expectTalking(receiver: RtpReceiver, line: string): Promise<void> {
  await eventually(() => heardMs(receiver, agentHz) > 900 && heardMs(agentOf(line).receiver, callerHz) > 900, {
    everyMs: 100,
  });
}

async function talk(line: string): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  await operator.dialled(line, 'ANSWER');
  await expectTalking(receiver, line);

  return { call, receiver };
}

type Ended = { recordingId: string; receipt: Receipt; wav: Int16Array };

async function end(line: string, call: Call): Promise<Ended> {
  await call.hangUp();
  const { id } = await endedCall(at.rig, line);
  const recording = await finishedRecording(at.rig, line);
  const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', id)).stdout));

  return { recordingId: recording.id, receipt, wav: readWav(spooledWav(at.rig, recording.id)) };
}

/** `talkedMs`: by the clock, since RTP timestamps go ahead of it where Asterisk stood still and sends what waited in one go. */
type Heard = Ended & { byCaller: Int16Array; byAgent: Int16Array; talkedMs: number };

async function callBy({ line, who, leap, talkOnMs = 0 }: Case): Promise<Heard> {
  const { call, receiver } = await talk(line);
  const { agent, receiver: agentReceiver } = agentOf(line);
  const [heardByCaller, heardByAgent] = [receiver.samples().length, agentReceiver.samples().length];
  const from = performance.now();
  const { voice } = who === 'caller' ? call : agent;
  if (who !== undefined) voice.change({ leap });
  // What is heard now would be from before.
  await passes(lostMs + 1_000 + talkOnMs);
  await expectTalking(receiver, line);
  const byCaller = receiver.samples().slice(heardByCaller);
  const byAgent = agentReceiver.samples().slice(heardByAgent);
  const talkedMs = performance.now() - from;

  return { ...(await end(line, call)), byCaller, byAgent, talkedMs };
}

async function callOnHold(): Promise<Ended> {
  const { call, receiver } = await talk(held);
  const { agent, receiver: agentReceiver } = agentOf(held);
  const dialog = agent.dialogs().at(-1);
  if (dialog === undefined) throw new Error('nobody is in this call');
  expect(await hold(dialog, agentReceiver.port)).toBe(200);
  // Music of another server.
  agent.voice.change({ leap: -20_000 });
  await passes(2_500);
  expect(await resume(dialog, agentReceiver.port)).toBe(200);
  await expectTalking(receiver, held);

  return end(held, call);
}

async function callWithSilence(): Promise<Ended> {
  const { call, receiver } = await talk(silent);
  const { voice } = agentOf(silent).agent;
  voice.mute(true);
  await eventually(() => heardMs(receiver, agentHz) < 50, { everyMs: 100 });
  await passes(2_000);
  voice.mute(false);
  await expectTalking(receiver, silent);

  return end(silent, call);
}

async function callWithin(): Promise<Ended> {
  const { call, receiver } = await talk(within);
  agentOf(within).agent.voice.change({ leap: -20_000, sameSource: true });
  if (isFaulty) await eventually(() => heardMs(receiver, agentHz) < 50, { everyMs: 100 });
  await expectTalking(receiver, within);

  return end(within, call);
}

const results = new Map<string, Promise<Ended>>();
const heardIn = new Map<string, Promise<Heard>>();

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
  isFaulty = dropsEarlierNumbers((await at.rig.asterisk.cli('core show version')).split(' ')[1] ?? '');
  for (const each of cases)
    heardIn.set(
      each.line,
      at.onTime(each.line, () => callBy(each)),
    );
  results.set(held, at.onTime(held, callOnHold));
  results.set(within, at.onTime(within, callWithin));
  // Its silence would pass for a packet that is late.
  results.set(silent, callWithSilence());
  await Promise.allSettled([...heardIn.values(), ...results.values()]);
});

async function of<T>(line: string, made: ReadonlyMap<string, Promise<T>>): Promise<T> {
  const result = made.get(line);
  if (result === undefined) throw new Error(`no call by ${line}`);

  return result;
}

/** Where this tone is not, but for the beginning and the end, and for what a packet leaves open that is late and passes for on time. */
function holes(samples: Int16Array, hz: number): Span[] {
  const spans = tonePresence(samples, hz, { share: 0.15 });
  const all = spans.slice(1).map(({ startMs }, index) => ({ startMs: spans[index]?.endMs ?? 0, endMs: startMs }));

  return all.filter(({ startMs, endMs }) => endMs - startMs > bounds.packet);
}

const ms = (time: string | null | undefined): number => Date.parse(time ?? '');

/** What is missing in the WAV is less than that, and within the span of the receipt. */
function expectHolesInSpan({ receipt, wav }: Pick<Ended, 'receipt' | 'wav'>, mostMs: number): void {
  const { changes, recording } = receipt;
  const [from = NaN, to = NaN] = ['unheard', 'heardAgain'].map(
    (name) => ms(changes.find(({ change }) => change === name)?.at) - ms(recording?.startedAt),
  );
  expect(to - from).toBeLessThan(mostMs + lookEveryMs);
  for (const hz of [agentHz, callerHz]) {
    for (const { startMs, endMs } of holes(wav, hz)) {
      expect(endMs - startMs).toBeLessThan(mostMs);
      expect(startMs).toBeGreaterThan(from - edgeMs);
      expect(endMs).toBeLessThan(to + edgeMs);
    }
  }
}

describe.each(cases)('a talk in which $who goes on from another source, by $leap', ({ line, who }) => {
  test('is heard again by both within two seconds, and in the file', async () => {
    const { wav, byCaller, byAgent, talkedMs } = await of(line, heardIn);
    // The file begins before what is compared, and may go on after the hang-up for as long as serve is late.
    for (const [samples, hz, untilMs] of [
      [byCaller, agentHz, byCaller.length / 8 - 100],
      [byAgent, callerHz, byAgent.length / 8 - 100],
      [wav, agentHz, talkedMs],
      [wav, callerHz, talkedMs],
    ] as const) {
      expect(tonePresence(samples, hz, { share: 0.15 }).at(-1)?.endMs).toBeGreaterThan(untilMs);
      for (const { startMs, endMs } of holes(samples, hz)) expect(endMs - startMs).toBeLessThan(lostMs);
    }
  });

  test('has the lost span in its receipt, and a flag', async () => {
    const { receipt, wav } = await of(line, heardIn);
    const { changes, recording } = receipt;
    const expected = who !== undefined && isFaulty ? ['unheard', 'heardAgain'] : [];
    expect(changes.map(({ change, party }) => ({ change, party }))).toEqual(
      expected.map((change) => ({ change, party: who })),
    );
    expect(recording?.flags).toEqual(expected.length > 0 ? ['party_unheard'] : []);
    if (expected.length > 0) expectHolesInSpan({ receipt, wav }, lostMs);
  });
});

test('how long a party talked is counted on after that: Asterisk listens to it anew', async () => {
  const { recordingId, wav } = await of('agentback', heardIn);
  const talk = (await catalogueRecordings(at.rig)).find(({ id }) => id === recordingId)?.talk;
  expect(talk?.destinationMs).toBeGreaterThan(wav.length / 8 - lostMs - 1_500);
});

test('each is counted', async () => {
  const text = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
  const counted = Number(/preavis_legs_unheard_total\{outcome="heardAgain"\} (\d+)/.exec(text)?.[1] ?? '0');
  const changed = [...cases.filter(({ who }) => who !== undefined).map(({ line }) => line), held, within];
  at.expectFrom(isFaulty ? changed : [], counted);
});

test('a leg on hold is left alone until both are back', async () => {
  const { receipt, wav } = await of(held, results);
  const { changes } = receipt;
  expect(changes.map(({ change }) => change).filter((change) => !change.startsWith('recorder'))).toEqual(
    isFaulty ? ['held', 'resumed', 'unheard', 'heardAgain'] : ['held', 'resumed'],
  );
  const [resumedAt, heardAt] = ['resumed', 'heardAgain'].map((change) =>
    ms(changes.find((each) => each.change === change)?.at),
  );
  if (!isFaulty) return;
  expect(heardAt).toBeGreaterThan(resumedAt ?? NaN);
  // Two looks after they are back, of which the first may be a whole one away; of the sound no more is lost than elsewhere.
  expect((heardAt ?? NaN) - (resumedAt ?? NaN)).toBeLessThan(lostMs + lookEveryMs);
  for (const { startMs, endMs } of holes(wav, agentHz)) expect(endMs - startMs).toBeLessThan(lostMs);
});

test('a party that sends nothing for a while is left alone', async () => {
  const { changes, recording } = (await of(silent, results)).receipt;
  expect(changes).toEqual([]);
  expect(recording?.flags).toEqual([]);
});

test('numbers that leap back within one source are noticed by the next report', async () => {
  const { receipt, wav } = await of(within, results);
  expect(receipt.changes.map(({ change }) => change)).toEqual(isFaulty ? ['unheard', 'heardAgain'] : []);
  if (isFaulty) expectHolesInSpan({ receipt, wav }, lostWithinMs);
});

test('a process that takes up talks makes a party heard whose source changed meanwhile, and leaves the others alone', async () => {
  const { receipt } = await at.onTime([killed, unchanged], async () => {
    const [{ call, receiver }, other] = [await talk(killed), await talk(unchanged)];
    await at.rig.killServe();
    agentOf(killed).agent.voice.change({ leap: -20_000 });
    if (isFaulty) await eventually(() => heardMs(receiver, agentHz) < 50, { everyMs: 100 });
    const before = moves();
    await at.rig.startServe();
    const since = performance.now();
    await expectTalking(receiver, killed);
    expect(performance.now() - since).toBeLessThan(lostMs + 1_000);
    await passes(2_000);
    expect(moves() - before).toBe(isFaulty ? 1 : 0);
    await other.call.hangUp();
    await endedCall(at.rig, unchanged);

    return end(killed, call);
  });
  const { changes, recording } = receipt;
  // Since when, nobody knows.
  expect(changes.map(({ change, at: when, party }) => [change, when === null, party])).toEqual(
    isFaulty
      ? [
          ['unheard', true, 'destination'],
          ['heardAgain', false, 'destination'],
        ]
      : [],
  );
  expect(recording?.flags.includes('party_unheard')).toBe(isFaulty);
});

test('a talk that ends before a party could be made heard again says so', async () => {
  const { receipt } = await at.onTime(ended, async () => {
    proxy.delay(/addChannel$/, 0);
    const { call, receiver } = await talk(ended);
    const before = moves();
    proxy.delay(/addChannel$/, 3_000);
    agentOf(ended).agent.voice.change({ leap: -20_000 });
    if (isFaulty) {
      await eventually(() => heardMs(receiver, agentHz) < 50, { everyMs: 100 });
      // It was noticed, at whatever moment: from then on there are three seconds in which the talk ends first.
      await eventually(() => moves() > before);
    } else await passes(1_500);
    proxy.delay(/addChannel$/, 0);

    return end(ended, call);
  });
  const { changes, recording } = receipt;
  expect(changes.map(({ change, at: when }) => [change, when === null])).toEqual(isFaulty ? [['unheard', false]] : []);
  expect(recording?.flags).toEqual(isFaulty ? ['party_unheard'] : []);
});

test('where Asterisk does not let a leg be taken out and in, the talk goes before the recording', async () => {
  const { receipt } = await at.onTime(refused, async () => {
    proxy.forbid(undefined);
    const { call, receiver } = await talk(refused);
    proxy.forbid(/addChannel$/);
    agentOf(refused).agent.voice.change({ leap: -20_000 });
    if (isFaulty) await eventually(() => heardMs(receiver, agentHz) < 50, { everyMs: 100 });
    await expectTalking(receiver, refused);
    await passes(2_500);
    proxy.forbid(undefined);

    return end(refused, call);
  });
  const { changes, recording } = receipt;
  expect(changes).toEqual(
    isFaulty ? [{ change: 'unheard', at: expect.any(String) as string, party: 'destination', newcomer: null }] : [],
  );
  expect(recording?.flags).toEqual(isFaulty ? ['ended_early', 'party_unheard'] : []);
});

type Finding = { check: string; ok: boolean; code?: string; warning?: string; notes?: string[] };

test.each([
  ['refuses', 403],
  ['says that there are none', 404],
])('check names this Asterisk, and a proxy that %s where packets are asked about', async (_, status) => {
  const checked = [
    'questions about packets',
    'sound after a change of its source',
    'recorders end when nobody watches',
  ];
  const findings = async (): Promise<(Finding | undefined)[]> => {
    const { checks } = await at.rig.preavisJson<{ checks: Finding[] }>('check');
    return checked.map((name) => checks.find(({ check }) => check === name));
  };
  const [packets, sound, deadman] = await findings();
  expect(deadman?.ok).toBe(true);
  expect(packets).toEqual({ check: 'questions about packets', ok: true });
  expect(sound?.notes?.join() ?? '').toMatch(isFaulty ? /drops the sound/ : /^$/);
  proxy.forbid(/rtp_statistics$/, status);
  expect((await findings())[0]?.warning).toMatch(/^rtp_statistics of channels: refused/);
  proxy.forbid(/variable$/, status);
  const [refused, , without] = await findings();
  expect(refused?.warning).toMatch(/^CHANNEL\(rtp,hold\) of channels: refused/);
  expect(without).toMatchObject({ ok: false, code: 'deadman_unusable' });
  proxy.forbid(undefined);
});
