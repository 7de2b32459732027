/**
 * Whoever comes into a talk is told, or is known to be staff, and then the same recording goes on: by both ways, nothing is in it of the time
 * before. Where they are not told, it ends.
 */
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { transfer } from '../../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../../src/receipt/receipt.ts';
import { presentMs, readWav, tonePresence } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { endpointConf, viaEndpoint } from '../../../support/call/followedCalls.ts';
import { startOperator, type Operator } from '../../../support/call/operator.ts';
import { eventually } from '../../../support/poll.ts';
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
const comerHz = 1_600;
/** Of the brief notice. */
const noticeHz = 700;
const noticeMs = 2_000;

/** Who comes, by which way, and whether the recording goes on. */
const cases = [
  { line: 'followtold', way: 'follow', newcomers: 'tell', comes: 'takes the place', goesOn: true },
  { line: 'followstaff', way: 'follow', newcomers: 'inside', comes: 'takes the place', goesOn: true },
  { line: 'followstop', way: 'follow', newcomers: 'stop', comes: 'takes the place', goesOn: false },
  { line: 'followjoin', way: 'follow', newcomers: 'tell', comes: 'joins', goesOn: true },
  // The caller's telephone sends nothing while it is silent, as many do, and so the newcomer is sent half of the notice.
  { line: 'followgaps', way: 'follow', newcomers: 'tell', comes: 'takes the place', goesOn: false },
  { line: 'bridgetold', way: 'bridge', newcomers: 'tell', comes: 'joins', goesOn: true },
  { line: 'bridgestaff', way: 'bridge', newcomers: 'inside', comes: 'joins', goesOn: true },
  { line: 'bridgestop', way: 'bridge', newcomers: 'stop', comes: 'joins', goesOn: false },
] as const;
type Case = (typeof cases)[number];

type Phone = { agent: Agent; receiver: RtpReceiver };
const agents = new Map<string, Phone>();
const comers = new Map<string, Phone>();
let operator: Operator;
/** By line; who is in a conference does not go by themselves. */
const guests = new Map<string, string[]>();
const notice = useBriefNotice(noticeMs);

async function phone(hz: number): Promise<Phone> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(hz);

  return { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', tone, receiver, atOnce: 4 })) };
}

const at = useRig(async () => {
  for (const { line } of cases) {
    agents.set(line, await phone(agentHz));
    comers.set(line, await phone(comerHz));
  }

  return {
    idle: true,
    lines: cases.flatMap(({ line, way, comes }) => [
      ...(way === 'follow'
        ? [
            `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
            ` same => n,${comes === 'joins' ? `ConfBridge(${line},,quiet)` : `Dial(${of(agents, line).agent.dialString},20)`}`,
          ]
        : [`exten => ${line},1,Gosub(preavis,s,1(${of(agents, line).agent.dialString},20,line=${line}))`]),
      ' same => n,Hangup()',
      `exten => to${line},1,Dial(${dialString(line)},20)`,
      ' same => n,Hangup()',
      `exten => in${line},1,ConfBridge(${line},,quiet)`,
      ' same => n,Hangup()',
    ]),
    conf: {
      'confbridge.conf': '[general]\n[quiet]\ntype = user\nquiet = yes\n',
      '+pjsip.conf': endpointConf('trunk', ['direct_media = no']),
    },
    config: {
      notice: notice.config(),
      staff: { extensions: ['agent'] },
      lines: Object.fromEntries(
        cases.map(({ line, newcomers }) => [
          line,
          { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'], newcomers },
        ]),
      ),
    },
  };
});

/** Of who comes: by the endpoint of the staff, or by another. */
function dialString(line: string): string {
  const { agent } = of(comers, line);

  return line.endsWith('staff') ? agent.dialString : viaEndpoint(agent, 'trunk');
}

function of(phones: ReadonlyMap<string, Phone>, line: string): Phone {
  const found = phones.get(line);
  if (found === undefined) throw new Error(`nobody for ${line}`);

  return found;
}

/** How long this tone is in what was heard last, of three seconds; ms. */
const lately = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.latest(3_000), hz, { share: 0.15 });

async function rowOf(line: string) {
  const call = (await catalogueCalls(at.rig)).find((each) => each.line === line);

  return (await catalogueRecordings(at.rig)).find(({ callId }) => callId === call?.id);
}

async function intoConference(line: string, endpoint: string): Promise<void> {
  const where = `extension=in${line}&context=incoming`;
  const made = await operator.request('POST', `/channels?endpoint=${encodeURIComponent(endpoint)}&${where}`);

  guests.set(line, [...(guests.get(line) ?? []), (made as { id: string }).id]);
}

/** The next call by this line finds its conference empty. */
async function emptyConference(line: string): Promise<void> {
  for (const id of guests.get(line) ?? []) await operator.request('DELETE', `/channels/${id}`);
  guests.delete(line);
}

/** A call that is being recorded, and in which both hear each other. */
async function talk({ line, way, comes }: Case): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  const isConference = way === 'follow' && comes === 'joins';
  if (isConference) await intoConference(line, of(agents, line).agent.dialString);
  await eventually(async () => (await rowOf(line))?.status === 'recording');
  await eventually(() => lately(receiver, agentHz) > 2_600 && lately(of(agents, line).receiver, callerHz) > 2_600);

  return { call, receiver };
}

/** They come, in their way. Resolves when the caller has heard them for a while; gives how they are let go. */
async function come({ line, way, comes }: Case, receiver: RtpReceiver): Promise<() => Promise<unknown>> {
  let leave = (): Promise<unknown> => Promise.resolve();
  if (comes === 'takes the place') {
    const dialog = of(agents, line).agent.dialogs().at(-1);
    if (dialog === undefined) throw new Error(`the agent of ${line} has no call`);
    expect(await transfer(dialog, `to${line}`)).toBe(202);
  } else if (way === 'follow') await intoConference(line, dialString(line));
  else {
    const query = `endpoint=${encodeURIComponent(dialString(line))}&app=operator`;
    const { id } = (await operator.request('POST', `/channels?${query}`)) as { id: string };
    await eventually(() => operator.seen.some(({ type, channel }) => type === 'StasisStart' && channel?.id === id));
    const bridge = operator.seen.findLast(
      ({ type, channel }) => type === 'ChannelEnteredBridge' && channel?.id === operator.channelOf(line),
    )?.bridge;
    await operator.request('POST', `/bridges/${bridge?.id ?? ''}/addChannel?channel=${id}`);
    leave = () => operator.request('DELETE', `/channels/${id}`);
  }
  await eventually(() => lately(receiver, comerHz) > 2_600);

  return leave;
}

/** The voice of this caller comes and goes, until this is ended. */
function gapsOf({ voice }: Call): { end: () => void } {
  let isMute = false;
  const timer = setInterval(() => {
    isMute = !isMute;
    voice.mute(isMute);
  }, 300);

  return {
    end: () => {
      clearInterval(timer);
      voice.mute(false);
    },
  };
}

type Outcome = { receipt: Receipt; samples: Int16Array; heardByComer: Int16Array; heardByCaller: Int16Array };

const course = async (each: Case): Promise<Outcome> => courseOf(each).finally(() => emptyConference(each.line));

async function courseOf(each: Case): Promise<Outcome> {
  const { line, newcomers, goesOn } = each;
  const { call, receiver } = await talk(each);
  const before = receiver.samples().length;
  const gaps = line === 'followgaps' ? gapsOf(call) : undefined;
  const leave = await come(each, receiver);
  if (newcomers === 'tell') {
    await eventually(async () => {
      const { id } = (await catalogueCalls(at.rig)).find((made) => made.line === line) ?? {};
      const { stdout } = await at.rig.preavis('calls', 'receipt', id ?? '');
      const end = goesOn ? 'allTold' : 'newcomerUntold';
      return receiptSchema.parse(JSON.parse(stdout)).changes.some(({ change }) => change === end);
    }).finally(() => {
      gaps?.end();
    });
  }
  // What is recorded of them then.
  const heard = receiver.samples().length;
  await eventually(() => receiver.samples().length > heard + 3 * 8_000);
  const heardByCaller = receiver.samples().slice(before);
  // Of three in a bridge of ours two would talk on.
  await leave();
  await call.hangUp();
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id, callId } = await finishedRecording(at.rig, line);
  const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', callId)).stdout));
  expect(receipt.recording?.flags).toEqual(goesOn ? [] : ['ended_early']);

  return {
    receipt,
    samples: readWav(spooledWav(at.rig, id)),
    heardByComer: of(comers, line).receiver.samples(),
    heardByCaller,
  };
}

const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
  for (const each of cases.filter(({ line }) => line !== 'followgaps')) {
    outcomes.set(
      each.line,
      at.onTime([each.line], () => course(each)),
    );
  }
  await Promise.allSettled(outcomes.values());
  // Its gaps would pass for packets that are late, in the other calls as well.
  for (const each of inGaps) outcomes.set(each.line, course(each));
  await Promise.allSettled(outcomes.values());
});

async function outcomeOf({ line }: Case): Promise<Outcome> {
  const outcome = await outcomes.get(line);
  if (outcome === undefined) throw new Error(`no call by ${line}`);

  return outcome;
}

const told = cases.filter(({ newcomers, goesOn }) => newcomers === 'tell' && goesOn);
const inGaps = cases.filter(({ line }) => line === 'followgaps');
const staff = cases.filter(({ newcomers }) => newcomers === 'inside');
const stopped = cases.filter(({ newcomers }) => newcomers === 'stop');

const changesOf = ({ changes }: Receipt): string[] => changes.map(({ change }) => change);
const timeOf = ({ changes }: Receipt, wanted: string): number =>
  Date.parse(changes.find(({ change }) => change === wanted)?.at ?? '');

describe.each(told)('who $comes by $way and is told', (each) => {
  test('hears the notice whole, and nobody else does', async () => {
    const { heardByComer, heardByCaller } = await outcomeOf(each);
    expect(presentMs(heardByComer, noticeHz, { share: 0.05 })).toBeGreaterThan(noticeMs * 0.95);
    expect(presentMs(heardByCaller, noticeHz, { share: 0.05 })).toBeLessThan(50);
  });

  test('is in the recording from then on only', async () => {
    const { receipt, samples } = await outcomeOf(each);
    // All of it was sent before the recorder went on, so the first of their tone lies behind the whole talk before.
    const [first] = tonePresence(samples, comerHz, { share: 0.02 });
    expect(presentMs(samples, comerHz, { share: 0.1 })).toBeGreaterThan(2_500);
    expect(presentMs(samples.subarray(0, Math.floor((first?.startMs ?? 0) * 8)), agentHz)).toBeGreaterThan(1_000);
    // What the file holds is no longer than what was recorded with everybody told.
    const whole = Date.parse(receipt.recording?.finishedAt ?? '') - timeOf(receipt, 'allTold');
    expect(samples.length / 8 - (first?.startMs ?? 0)).toBeLessThan(whole + 100);
    expect(presentMs(samples, noticeHz, { share: 0.05 })).toBe(0);
  });

  test('is in the receipt with what they heard and when', async () => {
    const { receipt } = await outcomeOf(each);
    expect(changesOf(receipt)).toEqual(
      expect.arrayContaining(['newcomerTold', 'allTold', 'recorderPaused', 'recorderResumed']),
    );
    const [said, ...more] = receipt.otherSentences;
    expect(more).toEqual([]);
    expect(said).toMatchObject({ prompt: 'notice', language: 'fr', newcomer: 1 });
    expect(receipt.changes).toContainEqual(expect.objectContaining({ change: 'newcomerTold', newcomer: 1 }));
    expect(Date.parse(said?.finishedAt ?? '')).toBe(timeOf(receipt, 'newcomerTold'));
  });
});

describe.each(staff)('who $comes by $way and is staff', (each) => {
  test('hears no notice, and is recorded at once', async () => {
    const { receipt, samples, heardByComer } = await outcomeOf(each);
    expect(presentMs(heardByComer, noticeHz, { share: 0.05 })).toBeLessThan(50);
    expect(presentMs(samples, comerHz, { share: 0.1 })).toBeGreaterThan(5_000);
    expect(receipt.otherSentences).toEqual([]);
  });
});

describe.each(stopped)('who $comes by $way where the line stops', (each) => {
  test('is not in the recording at all', async () => {
    const { samples } = await outcomeOf(each);
    expect(presentMs(samples, comerHz, { share: 0.02 })).toBe(0);
    expect(presentMs(samples, agentHz)).toBeGreaterThan(1_000);
  });
});

test.each(inGaps)('who was sent the notice with gaps of the caller was not told', async (each) => {
  const { receipt, samples, heardByComer } = await outcomeOf(each);
  expect(presentMs(heardByComer, noticeHz, { share: 0.05 })).toBeLessThan(noticeMs * 0.9);
  expect(changesOf(receipt)).toEqual(expect.arrayContaining(['newcomerUntold']));
  expect(presentMs(samples, comerHz, { share: 0.02 })).toBe(0);
  expect(presentMs(samples, agentHz)).toBeGreaterThan(1_000);
});

test('nobody is left connected', () => expectNobodyConnected(at.rig));
