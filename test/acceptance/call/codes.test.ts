import pLimit from 'p-limit';
/**
 * What codes ask for in a talk beside a pause, where Préavis dials and where the dialplan does: to record from now on, to erase what was
 * recorded, to mark an agreement, to mark a call as exemplary. Each counts once, however often and fast it is asked for.
 */
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import type { CallRow, ChangeRow, RecordingRow } from '../../../src/catalogue/rows.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { loggedFaults } from '../../support/call/faults.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { makeSaid, pauseSentences, resumedHz, said, sentenceMs, Talker } from '../../support/call/pausedTalk.ts';
import { eventually } from '../../support/poll.ts';
import { StateMissed } from '../../support/rig/onTime.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  filesBelow,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const ways = ['bridge', 'follow'] as const;
type Way = (typeof ways)[number];
const tasks = ['record', 'unasked', 'erase', 'agree', 'untold'] as const;
type Task = (typeof tasks)[number];
/** Pressed by a caller, and by who was called in an outgoing call; of all else by the agent. */
const byOthers = ['erase-caller', 'erase-called'] as const;
type Line = `${Task}-${Way}` | (typeof byOthers)[number];
const lines = [...ways.flatMap((way) => tasks.map((task): Line => `${task}-${way}`)), ...byOthers];
const taskOf = (line: Line): string => line.split('-')[0] ?? '';
const isFollowed = (line: Line): boolean => line.endsWith('follow');

const erasedHz = 3_200;
const notice = useBriefNotice(2_000, {
  ...pauseSentences,
  erased: { kind: 'erasedAck', hz: erasedHz, lengthMs: sentenceMs },
  both: { kind: 'whole', hz: 800, lengthMs: 2_000, statesMaxDays: { training: 28, agreement: 393 } },
});
const codes = { erase: '*4', agreement: { code: '*6', purpose: 'agreement' }, exemplary: '*7' };
/** The telephones of those who call. */
const callers = new Map<Line, RtpReceiver>();
const agents = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let operator: Operator;

/** Of `untold` the dialplan names one purpose, so that the notice does not name the other. */
function stepsOf(line: Line): string[] {
  const named = taskOf(line) === 'untold' ? `line=${line},purpose=training` : `line=${line}`;
  const { dialString } = of(line).agent;
  if (line === 'erase-called') return [`exten => ${line},1,Dial(${dialString},20,U(preavis-told^line=${line}))`];

  return isFollowed(line)
    ? [`exten => ${line},1,Gosub(preavis-tell,s,1(${named}))`, ` same => n,Dial(${dialString},20)`]
    : [`exten => ${line},1,Gosub(preavis,s,1(${dialString},20,${named}))`];
}

const at = useRig(async () => {
  for (const line of lines) {
    const receiver = await at.keep(startRtpReceiver());
    agents.set(line, { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', receiver })) });
  }
  const onRequest = { records: 'onRequest', purposes: ['training'], codes: { record: '*5' } };

  return {
    idle: true,
    lines: lines.flatMap((line) => [...stepsOf(line), ' same => n,Hangup()']),
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          {
            language: 'fr',
            defaultLanguages: ['fr'],
            ...(['record', 'unasked'].includes(taskOf(line))
              ? onRequest
              : { purposes: ['training', 'agreement'], codes: { ...codes, pressedBy: presserOf(line) } }),
          },
        ]),
      ),
    },
  };
});

const isByOther = (line: Line): boolean => byOthers.some((each) => each === line);
/** As the configuration has it: who was called stands where the caller does. */
const presserOf = (line: Line): 'caller' | 'agent' => (isByOther(line) ? 'caller' : 'agent');

function of(line: Line): { agent: Agent; receiver: RtpReceiver } {
  const found = agents.get(line);
  if (found === undefined) throw new Error(`no agent of ${line}`);

  return found;
}

type Outcome = {
  call: CallRow;
  recording: RecordingRow | undefined;
  changes: readonly ChangeRow[];
  receipt: Receipt;
  heardByCaller: Int16Array;
  heardByAgent: Int16Array;
};
const outcomes = new Map<Line, Promise<Outcome>>();

const recordingOf = async (line: Line): Promise<RecordingRow | undefined> => {
  const call = (await catalogueCalls(at.rig)).find((each) => each.line === line);

  return (await catalogueRecordings(at.rig)).find(({ callId }) => callId === call?.id);
};

/** This process has several calls at once. */
const seldom = { everyMs: 200 };

async function until(line: Line, change: string): Promise<void> {
  await eventually(async () => (await catalogueChanges(at.rig, line)).some((each) => each.change === change), seldom);
}

async function press(line: Line, keys: string): Promise<void> {
  const telephone = line === 'erase-caller' ? callers.get(line) : of(line).receiver;
  for (const digit of keys) await telephone?.pressDigit(digit);
}

/** A hundred, ten at a time, each ten as soon as Asterisk has taken those before. */
const askOften = async (line: Line, name: string): Promise<void> => {
  const path = `/events/user/${name}?application=preavis&source=channel:${operator.channelOf(line)}`;
  for (let asked = 0; asked < 100; asked += 10)
    await Promise.all(Array.from({ length: 10 }, () => operator.request('POST', path)));
};

/** What is asked for in the talk of each line, until it is done. */
const asks: Readonly<Record<Task, (line: Line) => Promise<void>>> = {
  record: async (line) => {
    await press(line, '*5');
    await until(line, 'recordAsked');
  },
  unasked: () => Promise.resolve(),
  erase: async (line) => {
    await press(line, codes.erase);
    await until(line, 'eraseAsked');
    await askOften(line, 'preavisErase');
    const id = (await recordingOf(line))?.id ?? 'none';
    // While they talk on.
    await eventually(() => !filesBelow(at.rig.asterisk.spoolFolder).some((name) => name.includes(id)), seldom);
  },
  agree: async (line) => {
    await press(line, codes.agreement.code);
    await until(line, 'agreementMarked');
    await press(line, codes.exemplary);
    await until(line, 'exemplaryMarked');
    await askOften(line, 'preavisAgreement');
    await askOften(line, 'preavisExemplary');
  },
  untold: async (line) => {
    await press(line, codes.agreement.code);
    await until(line, 'agreementUntold');
    await askOften(line, 'preavisAgreement');
  },
};

const packetMs = 20;
/** Of a second and a half. */
const packetsOfTalk = 1_500 / packetMs;

/** What is said from now on lasts so long, ms. */
async function lasts(receiver: RtpReceiver, ms: number): Promise<void> {
  const heard = receiver.packets();
  await eventually(() => receiver.packets() > heard + ms / packetMs, seldom);
}

async function course(line: Line): Promise<Omit<Outcome, 'receipt'>> {
  const { receiver: ears } = of(line);
  // Of a call that was placed in vain.
  const [heardBefore, packetsBefore] = [ears.samples().length, ears.packets()];
  const receiver = await at.keep(startRtpReceiver());
  callers.set(line, receiver);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, receiver }));
  const caller = await at.keep(Talker.of(at.rig, receiver, said.caller.before));
  const agent = await at.keep(Talker.of(at.rig, ears, said.agent.before));
  const task = tasks.find((each) => line.startsWith(each)) ?? 'unasked';
  try {
    await eventually(
      () => ears.packets() > packetsBefore + packetsOfTalk && presentMs(ears.latest(2_500), said.caller.before) > 1_500,
      seldom,
    );
    if (task !== 'record' && task !== 'unasked')
      await eventually(async () => ((await recordingOf(line))?.startedAt ?? null) !== null, seldom);
    const sayAfter = () => Promise.all([caller.say(said.caller.after), agent.say(said.agent.after)]);
    // What is recorded begins while they talk, so that what was said before is over by then.
    if (task === 'record') await sayAfter();
    if (task === 'record') await eventually(() => presentMs(ears.latest(500), said.caller.before) === 0, seldom);
    await asks[task](line);
    await sayAfter();
    await lasts(receiver, 2_000);
    await call.hangUp();
  } finally {
    await Promise.all([caller.stop(), agent.stop()]);
  }
  const ended = await endedCall(at.rig, line);
  const recording = ended.result === 'recorded' ? await finishedRecording(at.rig, line) : await recordingOf(line);
  const [heardByCaller, heardByAgent] = [receiver.samples(), ears.samples().subarray(heardBefore)];
  const isHeard = (by: Int16Array): boolean => presentMs(by, erasedHz, { share: 0.1 }) > 0;
  // Debian's Asterisk 22.10.1 may send somebody nothing of a sentence while its bridge changes (decide/talk.ts).
  if (line === 'erase-bridge' && !(isHeard(heardByCaller) && isHeard(heardByAgent)))
    throw new StateMissed('Asterisk has sent one of the two nothing of the sentence');

  return {
    call: ended,
    recording,
    changes: await catalogueChanges(at.rig, line),
    heardByCaller,
    heardByAgent,
  };
}

async function withReceipt(outcome: Omit<Outcome, 'receipt'>): Promise<Outcome> {
  const { stdout } = await at.rig.preavis('calls', 'receipt', outcome.call.id);

  return { ...outcome, receipt: receiptSchema.parse(JSON.parse(stdout)) };
}

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await makeSaid(at.rig);
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
  // Each talk asks a hundred times, and this process reads all that comes of it. With more at once it falls behind.
  const fewAtOnce = pLimit(3);
  for (const some of [...ways.map((way) => lines.filter((line) => line.endsWith(way))), byOthers]) {
    const made = some.map((line) => ({ line, outcome: fewAtOnce(() => at.onTime([line], () => course(line))) }));
    await Promise.allSettled(made.map(({ outcome }) => outcome));
    // Nobody talks any more: each command begins a process of its own.
    for (const { line, outcome } of made) outcomes.set(line, outcome.then(withReceipt));
    await Promise.allSettled(outcomes.values());
  }
  await expectNobodyConnected(at.rig);
});

async function outcomeAt(line: Line): Promise<Outcome> {
  const outcome = await outcomes.get(line);
  if (outcome === undefined) throw new Error(`no call by ${line}`);

  return outcome;
}

const outcomeOf = (task: Task, way: Way): Promise<Outcome> => outcomeAt(`${task}-${way}`);

const samplesOf = ({ recording }: Outcome): Int16Array => readWav(spooledWav(at.rig, recording?.id ?? 'none'));
const countOf = ({ changes }: Outcome, wanted: string): number =>
  changes.filter(({ change }) => change === wanted).length;
const daysOf = ({ recording }: Outcome): number =>
  Math.round(((recording?.keepUntil ?? 0) - (recording?.finishedAt ?? 0)) / 86_400_000);

describe.each(ways)('a talk (%s)', (way) => {
  it('that is recorded from the code on has nothing of before in its file, and both sides after it', async () => {
    const outcome = await outcomeOf('record', way);
    const samples = samplesOf(outcome);
    const before = [said.caller.before, said.agent.before, resumedHz];
    expect(before.map((hz) => [hz, presentMs(samples, hz, { share: 0.1 })])).toEqual(before.map((hz) => [hz, 0]));
    for (const hz of [said.caller.after, said.agent.after]) expect(presentMs(samples, hz)).toBeGreaterThan(1_000);
    expect(outcome.recording?.flags).toEqual([]);
  });

  it('tells both that it is recorded now, and the receipt who asked for it', async () => {
    const { receipt, heardByAgent, heardByCaller } = await outcomeOf('record', way);
    for (const heard of [heardByAgent, heardByCaller])
      expect(presentMs(heard, resumedHz, { share: 0.1 })).toBeGreaterThan(sentenceMs / 2);
    const asked = receipt.changes.find(({ change }) => change === 'recordAsked');
    expect(asked).toMatchObject({ party: 'destination' });
    const { startedAt, durationMs } = receipt.recording ?? {};
    expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(asked?.at ?? ''));
    // The second that the two have talked before is not in it.
    expect(durationMs).toBeLessThan(Date.parse(receipt.call.endedAt ?? '') - Date.parse(asked?.at ?? '') + 100);
  });

  it('of which nobody asked for a recording ends as that, with no recording and no alarm', async () => {
    const { call, recording, receipt } = await outcomeOf('unasked', way);
    expect(call).toMatchObject({ result: 'unrecorded', reason: 'not_requested' });
    expect(recording).toBeUndefined();
    expect(receipt.recording).toBeNull();
    expect((await loggedFaults(at.rig)).filter(({ msg }) => msg === 'recording file missing')).toEqual([]);
  });

  it('in which an agreement is marked is recorded for that purpose as well, and kept as long', async () => {
    const outcome = await outcomeOf('agree', way);
    expect(outcome.call.purposes).toEqual(['training', 'agreement']);
    expect(outcome.receipt.purposes.map(({ id }) => id)).toEqual(['training', 'agreement']);
    expect(daysOf(outcome)).toBe(392);
    expect(countOf(outcome, 'agreementMarked')).toBe(1);
    expect(presentMs(samplesOf(outcome), said.caller.before)).toBeGreaterThan(1_000);
  });

  it('of which the caller was not told of agreements gets nothing by that code but a note', async () => {
    const outcome = await outcomeOf('untold', way);
    expect(outcome.call.purposes).toEqual(['training']);
    expect(daysOf(outcome)).toBe(28);
    expect(countOf(outcome, 'agreementUntold')).toBe(1);
    expect(countOf(outcome, 'agreementMarked')).toBe(0);
  });
});

/** Who asks, as the receipt has it: who was called is the destination. */
describe.each([
  { line: 'erase-bridge', by: 'destination', told: 1 },
  { line: 'erase-follow', by: 'destination', told: 2 },
  { line: 'erase-caller', by: 'caller', told: 1 },
  { line: 'erase-called', by: 'destination', told: 2 },
] as const)('a talk that is erased ($line)', ({ line, by, told }) => {
  it('leaves no file, and its receipt says who asked for it, and that nobody refused', async () => {
    const outcome = await outcomeAt(line);
    const { call, recording, receipt } = outcome;
    expect(call).toMatchObject({ result: 'unrecorded', reason: 'erase_asked', consent: { answer: 'none' } });
    expect(recording).toMatchObject({ status: 'discarded', failure: 'erase_asked' });
    const id = recording?.id ?? 'none';
    expect(filesBelow(at.rig.asterisk.spoolFolder).filter((name) => name.includes(id))).toEqual([]);
    expect(receipt.changes.filter(({ change }) => change === 'eraseAsked')).toMatchObject([{ party: by }]);
    expect(receipt.changes.map(({ change }) => change)).toContain('recordingRemoved');
  });

  it('says so to both, once, although it was asked for a hundred times more', async () => {
    const { receipt, heardByAgent, heardByCaller } = await outcomeAt(line);
    // In a bridge of ours both hear it at once.
    expect(receipt.otherSentences.map(({ kind }) => kind)).toEqual(Array.from({ length: told }, () => 'erasedAck'));
    for (const heard of [heardByAgent, heardByCaller]) {
      const heardMs = presentMs(heard, erasedHz, { share: 0.1 });
      expect(heardMs).toBeGreaterThan(sentenceMs / 2);
      expect(heardMs).toBeLessThan(sentenceMs * 1.5);
    }
  });
});

test('the recordings that were marked as exemplary are listed, and shown as such', async () => {
  const marked = await Promise.all(ways.map(async (way) => (await outcomeOf('agree', way)).recording?.id));
  // Calls that were placed in vain may have been marked as well.
  const known = (await catalogueRecordings(at.rig)).map(({ id }) => String(id));
  const listed = await at.rig.preavisJson<{ recordings: { id: string; exemplary: boolean }[] }>(
    ...['recordings', 'list', '--exemplary'],
  );
  const recordings = listed.recordings.filter(({ id }) => known.includes(id));
  expect(recordings.map(({ id }) => id).sort()).toEqual(marked.sort());
  expect(recordings.map(({ exemplary }) => exemplary)).toEqual([true, true]);
  for (const way of ways) expect(countOf(await outcomeOf('agree', way), 'exemplaryMarked')).toBe(1);
});

test('the log tells of agreements that were not told of, once each, and of no number', () => {
  expect(at.rig.log().filter(({ msg }) => String(msg).startsWith('agreement not added'))).toHaveLength(ways.length);
});
