import { connected, lost, useFaultyRig, useOperator } from '../../support/rig/faultyRig.ts';
import { expectHoleNoticed } from '../../support/ari/holes.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, endedCall, expectNobodyConnected, finishedRecording } from '../../support/rig/rigs.ts';

/**
 * Bytes between Préavis and Asterisk vanish, and both think that they are connected. All limits are the defaults;
 * halfOpen.ways.test.ts tries further holes with shorter ones.
 */

const promisedMs = 10_000;

const at = useFaultyRig({
  patient: ['bothways'],
  brief: ['innotice', 'inhole', 'forgotten', 'after'],
  // A hole is noticed, and left, before a sentence of this length counts as stuck: the first request after it may be lost in it, with its five seconds.
  noticeMs: 11_000,
});
const operator = useOperator(at);

describe('a hole in the middle of a talk', () => {
  it('is noticed within 10 s, and what ended in it is found out afterwards: bothways', () =>
    at.onTime('bothways', () =>
      expectHoleNoticed(at, ['bothways', ['toServer', 'toClient'], ['websocket', 'other']], promisedMs),
    ));
});

/** Channels of calls, without the dead-man channel. */
async function parties(): Promise<unknown[]> {
  const channels = (await operator().request('GET', '/channels')) as { name: string }[];

  return channels.filter(({ name }) => !name.includes('@preavis-deadman-'));
}

describe('a hole while the notice plays', () => {
  it('lets that caller, and one who comes in it, reach the destination unrecorded', () =>
    at.onTime(['innotice', 'inhole'], async () => {
      const heard = await at.call('innotice');
      await operator().playing('innotice', 'notice');
      // The bridge and the destination's channel are made while the notice plays: what is missed after that is its end.
      await eventually(async () => (await parties()).length === 2);
      await eventually(async () => ((await operator().request('GET', '/bridges')) as unknown[]).length === 1);
      const losses = at.said(lost);
      at.proxy.impair({ hole: ['toServer', 'toClient'] });
      const late = await at.call('inhole');
      await eventually(() => operator().channelOf('inhole') !== '');
      await at.says(lost, losses, promisedMs);
      at.proxy.mend();

      expect(await heard.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      expect(await late.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      const call = await endedCall(at.rig, 'innotice');
      expect(call).toMatchObject({ result: 'unrecorded', reason: 'interrupted' });
      expect((await catalogueRecordings(at.rig)).map(({ callId }) => callId)).not.toContain(call.id);
      await expectNobodyConnected(at.rig);
    }));
});

describe('connections that the network has forgotten', () => {
  it('are replaced together, those of requests as well', () =>
    at.onTime(['forgotten', 'after'], async () => {
      const call = await at.call('forgotten');
      await at.records('forgotten');
      const [losses, openings] = [at.said(lost), at.said(connected)];
      at.proxy.forget();
      await at.says(lost, losses, promisedMs);
      // Less than the time limit of one request, which would pass with each connection that leads nowhere.
      await at.says(connected, openings, 4_000);
      await call.ended;
      await finishedRecording(at.rig, 'forgotten');

      await (
        await at.call('after')
      ).ended;
      await finishedRecording(at.rig, 'after');
      await expectNobodyConnected(at.rig);
    }));
});

describe('a Préavis that stood still itself', () => {
  it('does not take that for a silent Asterisk: nothing was missed', async () => {
    const losses = at.said(lost);
    const pid = at.rig.servePid();
    if (pid === undefined) throw new Error('serve runs');
    process.kill(pid, 'SIGSTOP');
    const until = performance.now() + 11_000;
    try {
      await eventually(() => performance.now() > until, { withinMs: 12_000 });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const pings = at.proxy.carried('websocket', 'toServer');
    await eventually(() => at.proxy.carried('websocket', 'toServer') > pings);
    await at.works();
    expect(at.said(lost)).toBe(losses);
  });
});
