import { existsSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

/** What happens to the caller's say, and to who is told, while nobody listens to Asterisk: serve is killed in mid-call. */

const agentHz = 1000;
const callerHz = 440;
/** Somebody who was told nothing. */
const strangerHz = 1600;

let slow: Agent;
let agent: Agent;
let stranger: Agent;
let operator: Operator;
const at = useRig(async () => {
  const tone = await burstTone(agentHz);
  slow = await at.keep(startAgent({ behaviour: 'answer', ringMs: 9_000, tone, atOnce: 4 }));
  agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));
  stranger = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(strangerHz), atOnce: 4 }));
  const words = 'Calls of the lab are recorded in order to see what is heard of a caller by nobody.';

  return {
    extensions: {
      refused: `${slow.dialString},40,line=refused`,
      agreed: `${slow.dialString},40,line=agreed`,
      joined: `${agent.dialString},40,line=joined`,
      pressed: `${agent.dialString},40,line=pressed`,
    },
    config: {
      purposes: {
        training: { ...labPurpose('lab', words, 28), consent: 'optOut' },
        agreement: { ...labPurpose('lab', words, 28), consent: 'optIn', kind: 'evidence' },
      },
      lines: Object.fromEntries(
        Object.entries({ refused: 'training', agreed: 'agreement', joined: 'training', pressed: 'training' }).map(
          ([line, purpose]) => [line, { purposes: [purpose], language: 'en', defaultLanguages: ['en'] }],
        ),
      ),
    },
  };
});

const placed = new Map<string, { call: Call; receiver: RtpReceiver }>();

async function place(to: string): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const made = { call: await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver })), receiver };
  placed.set(to, made);

  return made;
}

const reaches = (line: string, phase: string): Promise<void> =>
  eventually(async () => {
    expect((await catalogueCalls(at.rig)).find((each) => each.line === line)?.phase).toBe(phase);
  });

const hears = (line: string, hz: number): Promise<unknown> =>
  eventually(
    () => tonePresence(placed.get(line)?.receiver.latest(3_000) ?? new Int16Array(), hz, { share: 0.2 }).length > 0,
    {
      everyMs: 200,
    },
  );

const liveRecorders = async (): Promise<string[]> => {
  const names = (await catalogueRecordings(at.rig)).map(({ id }) => `preavis-${id}`);
  const found = await Promise.all(
    names.map((name) => operator.request('GET', `/recordings/live/${name}`).catch(() => undefined)),
  );

  return names.filter((_, index) => found[index] !== undefined);
};

let recordersBefore: string[] = [];

/** A third one comes into the bridge of a call that talks. */
async function joinUnseen(): Promise<string> {
  const query = `endpoint=${encodeURIComponent(stranger.dialString)}&app=operator`;
  const { id } = (await operator.request('POST', `/channels?${query}`)) as { id: string };
  await eventually(() => operator.seen.some(({ type, channel }) => type === 'StasisStart' && channel?.id === id));
  const caller = operator.channelOf('joined');
  const entry = operator.seen.findLast(
    ({ type, channel }) => type === 'ChannelEnteredBridge' && channel?.id === caller,
  );
  await operator.request('POST', `/bridges/${entry?.bridge?.id ?? ''}/addChannel?channel=${id}`);

  return id;
}

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  for (const line of ['joined', 'pressed']) {
    await place(line);
    await reaches(line, 'talking');
    await hears(line, agentHz);
  }
  await place('refused');
  const { receiver } = await place('agreed');
  await operator.playing('agreed', 'opt-in');
  await receiver.pressDigit('1');
  for (const line of ['refused', 'agreed']) await reaches(line, 'dialling');
  // The catalogue has the phase before Asterisk is asked to dial.
  for (const line of ['refused', 'agreed']) await operator.dialled(line, 'RINGING');
  recordersBefore = await liveRecorders();
  await at.rig.killServe();
  // A no that nobody hears, and a yes that may have been taken back.
  await placed.get('refused')?.receiver.pressDigit('9');
  const pressed = placed.get('pressed');
  for (const key of '*9') await pressed?.receiver.pressDigit(key);
  await pressed?.call.hangUp();
  await pressed?.call.ended;
  const joined = await joinUnseen();
  for (const line of ['refused', 'agreed']) await hears(line, agentHz);
  await at.rig.startServe();
  for (const line of ['refused', 'agreed']) await reaches(line, 'talking');
  await eventually(async () => (await liveRecorders()).length === 0);
  for (const line of ['refused', 'agreed']) await hears(line, agentHz);
  await hears('joined', strangerHz);
  for (const line of ['joined', 'refused', 'agreed']) {
    await placed.get(line)?.call.hangUp();
    await placed.get(line)?.call.ended;
  }
  // Until then it is a talk of the agent and of who joined.
  await operator.request('DELETE', `/channels/${joined}`);
});

afterAll(async () => {
  for (const { id } of operator.seen.flatMap(({ type, channel }) =>
    type === 'StasisStart' && channel !== undefined ? [channel] : [],
  )) {
    await operator.request('DELETE', `/channels/${id}`).catch(() => undefined);
  }
});

it('was recording the calls that talked when the process was killed', () => {
  expect(recordersBefore).toHaveLength(2);
});

it.each(['refused', 'agreed'])(
  'lets the call by %s talk unrecorded: what was pressed meanwhile is not known',
  async (line) => {
    const call = await endedCall(at.rig, line);
    expect(call).toMatchObject({ result: 'unrecorded', reason: 'interrupted' });
    expect((await catalogueRecordings(at.rig)).map(({ callId }) => callId)).not.toContain(call.id);
  },
);

it('stops the recorder of a call that somebody has joined unseen', async () => {
  const { id, result, endedAt } = await endedCall(at.rig, 'joined');
  expect(result).toBe('recorded');
  const recording = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === id);
  expect(recording?.finishedAt).toBeLessThan(endedAt ?? 0);
});

it('keeps nothing of a caller who refused in the talk unheard, and left', async () => {
  const { id } = await endedCall(at.rig, 'pressed');
  await eventually(async () => {
    const [recording] = (await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id);
    expect(recording).toMatchObject({ status: 'discarded', failure: 'keys_unheard' });
    expect(existsSync(spooledWav(at.rig, recording?.id ?? ''))).toBe(false);
  });
});

it('leaves nobody connected, and only recordings that may be kept', async () => {
  for (const { channel } of operator.seen.filter(({ type }) => type === 'StasisStart')) {
    if (channel !== undefined) await operator.request('DELETE', `/channels/${channel.id}`).catch(() => undefined);
  }
  await expectNobodyConnected(at.rig);
  await expectOnlyConsented(at.rig);
});
