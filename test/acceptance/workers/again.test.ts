/**
 * A followed caller who comes to Préavis again begins a call of their own, and the one before is over, whichever of two workers has it: nobody is
 * followed, and recorded, by both.
 */
import { startAgent } from '../../../lab/telephones/sip.ts';
import { burstTone } from '../../../lab/telephones/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import { callIn, callsOf, hearsAgent, otherThan, place, workerOf, workersRig } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

/** So many callers, each with a worker by chance, that all of them come to the same one twice by chance once in 128 times. */
const callers = 7;

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const at = useRig(async () => {
  const options = await workersRig(() => at, ['first', 'second', 'third', 'fourth'], notice);
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(1000), atOnce: 2 * callers }));

  return {
    ...options,
    extensions: {},
    lines: [
      'exten => twice,1,Gosub(preavis-tell,s,1(line=first))',
      ' same => n,Gosub(preavis-tell,s,1(line=second))',
      ` same => n,Dial(${agent.dialString},20)`,
      ' same => n,Hangup()',
      'exten => lost,1,Gosub(preavis-tell,s,1(line=third))',
      // Until the worker that has them is gone, and the other one has taken up its calls.
      ' same => n,Wait(4)',
      ' same => n,Gosub(preavis-tell,s,1(line=fourth))',
      ' same => n,Wait(12)',
      ` same => n,Dial(${agent.dialString},20)`,
      ' same => n,Hangup()',
    ],
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await workers.startBoth();
});

it('who comes again is had by the worker that has them, which follows them in the later call alone', async () => {
  const placed = await Promise.all(Array.from({ length: callers }, () => place(at, 'twice')));
  const later = await eventually(async () => {
    const calls = (await callsOf(at, 'second')).filter(({ phase }) => phase === 'talking');

    return calls.length === callers && calls;
  });
  const earlier = await callsOf(at, 'first');
  expect(earlier.map(({ phase, result }) => ({ phase, result }))).toEqual(
    later.map(() => ({ phase: 'ended', result: 'notConnected' })),
  );
  expect(later.map(workerOf).sort()).toEqual(earlier.map(workerOf).sort());
  for (const { call } of placed) await call.hangUp();
  await expectNobodyConnected(at.rig);
  await eventually(async () => {
    const recorded = (await catalogueRecordings(at.rig)).map(({ callId }) => callId);
    expect(recorded.sort()).toEqual(later.map(({ id }) => id).sort());
  });
});

it('where that worker is gone the other one has them, and does not follow them in the call that it takes up', async () => {
  const placed = await place(at, 'lost');
  const before = await callIn(at, 'third', 'following');
  const since = workers.log(otherThan(workerOf(before))).length;
  await workers.kill(workerOf(before));
  await workers.says(otherThan(workerOf(before)), 'earlier call resumed', since);
  const after = await callIn(at, 'fourth', 'talking');
  await hearsAgent(placed);
  expect(await callsOf(at, 'third')).toMatchObject([{ phase: 'ended', result: 'notConnected' }]);
  await placed.call.hangUp();
  await expectNobodyConnected(at.rig);
  await eventually(async () => {
    const recorded = (await catalogueRecordings(at.rig)).filter(({ callId }) => [before.id, after.id].includes(callId));
    expect(recorded.map(({ callId }) => callId)).toEqual([after.id]);
  });
});
