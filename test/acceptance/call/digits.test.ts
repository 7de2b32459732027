import { existsSync, readdirSync } from 'node:fs';
import { burstTone, continuousTone, digitTone } from '../../../lab/telephones/audio.ts';
import { digitsHeader } from '../../../lab/asterisk/asteriskConf.ts';
import { pressByInfo } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { loggedFaults } from '../../support/call/faults.ts';
import { startOperator, timeOf, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, endedCall, expectNobodyConnected, spooledWav, useRig } from '../../support/rig/rigs.ts';
import { promptSound, tracesOf } from '../../support/audio/sound.ts';

const agentHz = 1000;
const callerHz = 440;

/** How a telephone sends keys. */
const ways = ['rfc4733', 'info', 'inband'] as const;
type Way = (typeof ways)[number];

/** Calls that end with the agent's hang-up; each by a line of its own. */
const asked = ways.flatMap((way) => [
  { way, mode: 'optOut', key: '9', line: `refuses-${way}`, expected: { result: 'unrecorded', reason: 'refused' } },
  { way, mode: 'optIn', key: '1', line: `agrees-${way}`, expected: { result: 'recorded', reason: null } },
  { way, mode: 'optIn', key: '2', line: `declines-${way}`, expected: { result: 'unrecorded', reason: 'refused' } },
]);
/** Calls in which the feature code is pressed while both talk. */
const talks = ways.map((way, index) => ({ way, line: `stops-${way}`, language: ['de', 'fr', 'nl'][index] ?? 'en' }));

let agent: Agent;
const listeners = new Map<string, { agent: Agent; receiver: RtpReceiver }>();
let operator: Operator;
const at = useRig(async () => {
  const tone = await burstTone(agentHz);
  agent = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1500, atOnce: 2 * asked.length }));
  for (const { line } of talks) {
    const receiver = await at.keep(startRtpReceiver());
    listeners.set(line, {
      receiver,
      agent: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 2, receiver })),
    });
  }
  const purpose = (consent: string, kind: string) => ({
    ...labPurpose('lab', 'Calls of the lab are recorded in order to see that keys are obeyed.', 28),
    consent,
    kind,
  });
  return {
    extensions: {
      ...Object.fromEntries(asked.map(({ line }) => [line, `${agent.dialString},20,line=${line}`])),
      ...Object.fromEntries(
        talks.map(({ line }) => [line, `${listeners.get(line)?.agent.dialString ?? ''},20,line=${line}`]),
      ),
    },
    config: {
      purposes: { training: purpose('optOut', 'training'), agreement: purpose('optIn', 'evidence') },
      lines: {
        ...Object.fromEntries(
          asked.map(({ line, mode }) => [
            line,
            { purposes: [mode === 'optIn' ? 'agreement' : 'training'], language: 'en', defaultLanguages: ['en'] },
          ]),
        ),
        ...Object.fromEntries(
          talks.map(({ line, language }) => [line, { purposes: ['training'], language, defaultLanguages: [language] }]),
        ),
      },
    },
  };
});

async function callBy(line: string, way: Way): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const call = await at.keep(
    placeCall({
      sipPort: at.rig.asterisk.sipPort,
      to: line,
      receiver,
      // Keys as sound come from the receiver; a voice from elsewhere would be mixed into them.
      ...(way === 'inband' ? {} : { tone: await continuousTone(callerHz) }),
      ...(way === 'rfc4733' ? {} : { headers: [`${digitsHeader}: ${way}`] }),
    }),
  );
  // As the telephone of a caller who says nothing.
  if (way === 'inband') void call.ended.finally(receiver.reportOnly());

  return { call, receiver };
}

async function press(way: Way, { call, receiver }: { call: Call; receiver: RtpReceiver }, keys: string): Promise<void> {
  for (const key of keys) {
    switch (way) {
      case 'rfc4733':
        await receiver.pressDigit(key);
        break;
      case 'info':
        expect(await pressByInfo(call.dialog(), key)).toBe(200);
        break;
      case 'inband':
        await receiver.speak(await digitTone(key));
    }
  }
}

type Talk = { receiver: RtpReceiver; stoppedAfterMs: number; file: string; existed: boolean; agentMs: number };
const stopped = new Map<string, Talk>();
const connected = new Map<string, RtpReceiver>();

/** Presses the code in the talk, sees the file vanish while the call is on, and lets them talk on. */
async function stopBy({ line, way }: (typeof talks)[number]): Promise<void> {
  const made = await callBy(line, way);
  const listener = listeners.get(line);
  if (listener === undefined) throw new Error('no agent');
  const peer = await operator.dialled(line, 'ANSWER');
  // Some seconds of talk are on disk before the code is pressed.
  const file = await eventually(
    () => {
      expect(tonePresence(made.receiver.latest(3000), agentHz, { share: 0.7 }).length).toBeGreaterThanOrEqual(2);
      const bridge = operator.seen.findLast(
        ({ type, channel }) => type === 'ChannelEnteredBridge' && channel?.id === peer,
      );
      const started = operator.seen.find(
        ({ type, recording }) =>
          type === 'RecordingStarted' && recording?.target_uri === `bridge:${bridge?.bridge?.id ?? ''}`,
      );
      return started?.recording?.name ?? false;
    },
    { everyMs: 200 },
  );
  const id = file.replace('preavis-', '');
  const existed = existsSync(spooledWav(at.rig, id));
  await press(way, made, '*9');
  const pressedAt = Date.now();
  await eventually(() => !existsSync(spooledWav(at.rig, id)));
  // By Asterisk's clock: this process may have been late to look.
  const removal = await eventually(
    () =>
      operator.seen.find(({ type, recording }) => type.startsWith('RecordingF') && recording?.name === file) ?? false,
  );
  const stoppedAfterMs = timeOf(removal.timestamp) - pressedAt;
  const length = made.receiver.samples().length;
  // They hear the acknowledgement, about five seconds, and talk on.
  const since = () => made.receiver.latest(Date.now() - pressedAt);
  await eventually(() => tonePresence(since(), agentHz, { share: 0.7 }).length >= 6, {
    everyMs: 200,
  });
  stopped.set(line, { receiver: made.receiver, stoppedAfterMs, file: id, existed, agentMs: length / 8 });
  await made.call.hangUp();
}

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  await Promise.all([
    ...asked.map(({ line, way, mode, key }) =>
      at.onTime(line, async () => {
        const made = await callBy(line, way);
        await operator.playing(line, mode === 'optIn' ? 'opt-in' : 'opt-out');
        await press(way, made, key);
        expect(await made.call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
        connected.set(line, made.receiver);
      }),
    ),
    ...talks.map((each) => at.onTime(each.line, () => stopBy(each))),
  ]);
  await expectNobodyConnected(at.rig);
});

it.each(asked)('obeys the key $key that comes by $way ($mode)', async ({ line, key, expected }) => {
  const call = await endedCall(at.rig, line);
  expect(call).toMatchObject({ ...expected, consent: { digits: key } });
  const recordings = (await catalogueRecordings(at.rig)).filter(({ callId }) => callId === call.id);
  expect(recordings).toHaveLength(expected.reason === null ? 1 : 0);
  expect(tonePresence(connected.get(line)?.samples() ?? new Int16Array(), agentHz, { share: 0.7 })).not.toEqual([]);
});

describe.each(talks)('a caller who presses *9 in the talk, by $way', ({ line, language, way }) => {
  const talk = (): Talk => {
    const found = stopped.get(line);
    if (found === undefined) throw new Error(`no talk by ${line}`);

    return found;
  };

  it('has the recording removed at once, while the call is on', () => {
    expect(talk().existed).toBe(true);
    expect(talk().stoppedAfterMs).toBeLessThan(1000);
    expect(readdirSync(at.rig.asterisk.spoolFolder).filter((name) => name.includes(talk().file))).toEqual([]);
  });

  it('leaves a row that says discarded, and nothing for the archive', async () => {
    const call = await endedCall(at.rig, line);
    expect(call).toMatchObject({
      result: 'unrecorded',
      reason: 'refused',
      consent: { answer: 'refused', digits: '*9' },
    });
    const rows = (await catalogueRecordings(at.rig)).filter(({ callId }) => callId === call.id);
    expect(rows).toMatchObject([{ status: 'discarded', failure: 'refused', bytes: null, objectKey: null }]);
  });

  it('goes on talking, and both are told', () => {
    const listener = listeners.get(line);
    const after = talk()
      .receiver.samples()
      .subarray(talk().agentMs * 8);
    const acknowledgement = promptSound(language, 'erased-ack');
    expect(tracesOf(acknowledgement, after, [agentHz, callerHz])).toBeGreaterThan(0.5);
    const agentHeard = listener?.receiver.samples() ?? new Int16Array();
    expect(tracesOf(acknowledgement, agentHeard, [agentHz, callerHz])).toBeGreaterThan(0.5);
    if (way === 'inband') return;
    const voice = tonePresence(agentHeard, callerHz, { share: 0.5 });
    expect(voice.at(-1)?.endMs).toBeGreaterThan(agentHeard.length / 8 - 1000);
  });
});

it('sends nothing of a refusal to the archive, and leaves nothing behind', async () => {
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  await expectOnlyConsented(at.rig);
  const sent = await catalogueRecordings(at.rig);
  expect(sent.filter(({ status }) => status === 'archived')).toHaveLength(ways.length);
  expect(sent.filter(({ status }) => status === 'discarded')).toHaveLength(ways.length);
  expect(await loggedFaults(at.rig)).toEqual([]);
});
