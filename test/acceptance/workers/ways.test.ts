/** Callers who are told and followed, and who was called: where the worker that tells them is killed, the other one does. */
import { presentMs } from '../../support/audio/audio.ts';
import { noticeHz, useBriefNotice } from '../../support/call/briefNotice.ts';
import { startAgent } from '../../../lab/telephones/sip.ts';
import { burstTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import {
  callIn,
  callsOf,
  hearsAgent,
  place,
  recordingOf,
  workerOf,
  workersRig,
} from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
let called: RtpReceiver;
const at = useRig(async () => {
  const options = await workersRig(() => at, ['told', 'called'], notice);
  called = await at.keep(startRtpReceiver());
  const tone = await burstTone(1000);
  const outside = await at.keep(startAgent({ behaviour: 'answer', tone, receiver: called }));

  return {
    ...options,
    extensions: {},
    lines: [
      'exten => told,1,Gosub(preavis-tell,s,1(line=told))',
      ` same => n,Dial(${outside.dialString},20)`,
      ' same => n,Hangup()',
      `exten => called,1,Dial(${outside.dialString},20,U(preavis-told^line=called^to=+3242345678))`,
      ' same => n,Hangup()',
    ],
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await workers.startBoth();
});

it.each(['told', 'called'] as const)(
  'who is %s hears the whole notice from the other one, and is recorded',
  async (line) => {
    const placed = await place(at, line);
    const hears = line === 'told' ? placed.receiver : called;
    const made = await eventually(async () => (await callsOf(at, line))[0] ?? false);
    await eventually(() => presentMs(hears.latest(1_000), noticeHz, { share: 0.2 }) > 100, { everyMs: 50 });
    await workers.kill(workerOf(made));
    const again = await callIn(at, line, 'talking');
    expect(again.id).not.toBe(made.id);
    await hearsAgent(placed);
    await placed.call.hangUp();
    await eventually(async () => {
      expect((await callsOf(at, line)).map(({ result }) => result)).toEqual(['recorded', 'unrecorded']);
      expect(await recordingOf(at, again)).toMatchObject({ status: 'recorded' });
    });
    await expectNobodyConnected(at.rig);
    await workers.start(workerOf(made));
  },
);
