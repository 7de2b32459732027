import { continuousTone } from '../../../lab/telephones/audio.ts';
import { hold, resume, type Dialog } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav, tonePresence } from '../../support/audio/audio.ts';
import { loggedFaults } from '../../support/call/faults.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

/** A hold is not recorded, whoever begins it; what is said before and after it is. */

const agentHz = 1000;
const callerHz = 440;

/** by: who puts the other on hold. back: whether they come back, or the call ends on hold. */
const cases = [
  { line: 'agentholds', by: 'destination', back: true },
  { line: 'callerholds', by: 'caller', back: true },
  { line: 'endsonhold', by: 'destination', back: false },
  { line: 'nobodyholds', by: undefined, back: true },
] as const;
const killed = 'killedonhold';
const lines = [...cases.map(({ line }) => line), killed];
type Case = (typeof cases)[number];

const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let operator: Operator;
const at = useRig(async () => {
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    const agent = await at.keep(
      startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), ringMs: 200, receiver }),
    );
    agents.set(line, { agent, receiver });
  }
  return {
    extensions: Object.fromEntries(lines.map((line) => [line, `${agentOf(line).agent.dialString},20,line=${line}`])),
    config: {
      purposes: {
        training: labPurpose('lab', 'Calls of the lab are recorded in order to see what a hold leaves.', 28),
      },
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'en', defaultLanguages: ['en'] }]),
      ),
    },
  };
});

function agentOf(line: string): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

/** For how much of the last two seconds this tone was heard, ms. */
const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(2000), hz, { share: 0.5 });

const talking = (receiver: RtpReceiver) => eventually(() => heardMs(receiver, agentHz) > 1800, { everyMs: 100 });

const receipts = new Map<string, Receipt>();

/** They talk, one holds for two seconds and a half, they talk again. */
async function callBy({ line, by, back }: Case): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call: Call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  await operator.dialled(line, 'ANSWER');
  await talking(receiver);
  const { agent, receiver: agentReceiver } = agentOf(line);
  const dialog = (): Dialog => {
    const found = by === 'caller' ? call.dialog() : agent.dialogs().at(-1);
    if (found === undefined) throw new Error('nobody is in this call');
    return found;
  };
  if (by !== undefined) {
    const own = by === 'caller' ? receiver : agentReceiver;
    expect(await hold(dialog(), own.port)).toBe(200);
    const heldAt = Date.now();
    // Whoever waits hears music (that of the lab is silent), and the other no more, who goes on sending.
    const waits = by === 'caller' ? { receiver: agentReceiver, hz: callerHz } : { receiver, hz: agentHz };
    await eventually(() => heardMs(waits.receiver, waits.hz) < 50, { everyMs: 100 });
    await eventually(() => Date.now() - heldAt > 2_500);
    if (back) {
      expect(await resume(dialog(), own.port)).toBe(200);
      await talking(receiver);
    }
  }
  await call.hangUp();
  await call.ended;
  const { id } = await endedCall(at.rig, line);
  await finishedRecording(at.rig, line);
  receipts.set(line, receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', id)).stdout)));
}

const failures = new Map<string, unknown>();

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  await Promise.all(
    cases.map((each) =>
      at.onTime(each.line, () => callBy(each)).catch((error: unknown) => failures.set(each.line, error)),
    ),
  );
  await expectNobodyConnected(at.rig);
});

function receiptOf(line: string): Receipt {
  if (failures.has(line)) throw failures.get(line);
  const receipt = receipts.get(line);
  if (receipt === undefined) throw new Error(`no receipt of ${line}`);

  return receipt;
}

const ms = (time: string | null | undefined): number => Date.parse(time ?? '');

/**
 * How long the recorder was paused at least and at most, ms. Asterisk tells no time of it: it does so between the event that we answer and
 * its answer to our request.
 */
async function pausedBounds(line: string, { recording }: Receipt): Promise<{ least: number; most: number }> {
  const changes = await catalogueChanges(at.rig, line);
  const [paused, resumed] = ['recorderPaused', 'recorderResumed'].map((wanted) =>
    changes.find(({ change }) => change === wanted),
  );
  if (paused === undefined) return { least: 0, most: 0 };
  const end = ms(recording?.finishedAt);
  const span = (from: number | null, to: number | null): number => (to ?? end) - (from ?? Number.NaN);

  return {
    least: span(paused.doneAt, resumed?.at ?? null),
    most: span(paused.at, resumed?.doneAt ?? null),
  };
}

/** How long the recorder was paused by the receipt, ms. */
function pausedMs({ changes, recording }: Receipt): number {
  const [from, to] = ['recorderPaused', 'recorderResumed'].map(
    (wanted) => changes.find(({ change }) => change === wanted)?.at,
  );
  return from === undefined ? 0 : ms(to ?? recording?.finishedAt) - ms(from);
}

describe.each(cases)('a call with a hold by $by, who comes back: $back', ({ line, by, back }) => {
  test('has in its receipt who held when, and when nothing was recorded', () => {
    const { changes } = receiptOf(line);
    const held = by === undefined ? [] : ['recorderPaused', 'held', ...(back ? ['recorderResumed', 'resumed'] : [])];
    expect(changes.map(({ change }) => change)).toEqual(held);
    expect(changes.filter(({ change }) => change === 'held').map(({ party }) => party)).toEqual(
      by === undefined ? [] : [by],
    );
    if (by !== undefined) expect(pausedMs(receiptOf(line))).toBeGreaterThan(2400);
  });

  test('is recorded but for the hold, and has no flag', async () => {
    const receipt = receiptOf(line);
    const { recording } = receipt;
    const wholeMs = ms(recording?.finishedAt) - ms(recording?.startedAt);
    const { least, most } = await pausedBounds(line, receipt);
    const { durationMs } = recording ?? {};
    // The recorder writes whole packets, and begins with the first that comes.
    expect(durationMs).toBeGreaterThan(wholeMs - most - 120);
    expect(durationMs).toBeLessThan(wholeMs - least + 120);
    expect(recording).toMatchObject({ status: 'recorded', flags: [] });
    const samples = readWav(spooledWav(at.rig, (await finishedRecording(at.rig, line)).id));
    for (const hz of [agentHz, callerHz]) {
      const spans = tonePresence(samples, hz, { share: 0.2 });
      // Both are heard to the last moment; Asterisk may end the file later than the call.
      expect(spans.at(-1)?.endMs).toBeGreaterThan(samples.length / 8 - 1_000);
    }
  });
});

test('nothing of it is a fault', async () => {
  expect(await loggedFaults(at.rig)).toEqual([]);
});

test('is found by a process that comes after one that was killed, in both directions', async () => {
  const { rig } = at;
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: rig.asterisk.sipPort, to: killed, tone, receiver }));
  await operator.dialled(killed, 'ANSWER');
  await talking(receiver);
  const { agent, receiver: agentReceiver } = agentOf(killed);
  const dialog = agent.dialogs()[0];
  if (dialog === undefined) throw new Error('nobody is in this call');
  const row = (await catalogueRecordings(rig)).find(({ status }) => status === 'recording');
  const recorder = async (): Promise<unknown> => operator.request('GET', `/recordings/live/preavis-${row?.id ?? ''}`);
  const becomes = (state: string) =>
    eventually(async () => {
      expect(await recorder()).toMatchObject({ state });
    });

  expect(await hold(dialog, agentReceiver.port)).toBe(200);
  await becomes('paused');
  await eventually(async () => (await catalogueChanges(rig, killed)).some(({ change }) => change === 'recorderPaused'));
  await rig.killServe();
  expect(await resume(dialog, agentReceiver.port)).toBe(200);
  await rig.startServe();
  await becomes('recording');
  // Asterisk has done it before it is written down.
  await eventually(async () =>
    (await catalogueChanges(rig, killed)).some(({ change }) => change === 'recorderResumed'),
  );
  await rig.killServe();
  expect(await hold(dialog, agentReceiver.port)).toBe(200);
  await rig.startServe();
  await becomes('paused');
  expect(await resume(dialog, agentReceiver.port)).toBe(200);
  await becomes('recording');
  await eventually(async () => {
    const changes = await catalogueChanges(rig, killed);
    expect(changes.filter(({ change }) => change === 'recorderResumed')).toHaveLength(2);
  });
  await call.hangUp();

  const { id } = await endedCall(rig, killed);
  const { flags } = await finishedRecording(rig, killed);
  // How long it should be nobody knows: the hold ended, and began, while nobody saw it.
  expect(flags).toEqual(['unwatched']);
  const { changes } = receiptSchema.parse(JSON.parse((await rig.preavis('calls', 'receipt', id)).stdout));
  expect(changes.filter(({ change }) => change.startsWith('recorder'))).toEqual([
    { change: 'recorderPaused', at: expect.any(String) as string, party: null, newcomer: null },
    { change: 'recorderResumed', at: null, party: null, newcomer: null },
    { change: 'recorderPaused', at: null, party: null, newcomer: null },
    { change: 'recorderResumed', at: expect.any(String) as string, party: null, newcomer: null },
  ]);
});
