import { connected, lost, useFaultyRig, useOperator } from '../../support/rig/faultyRig.ts';
import { expectHoleNoticed, type Hole } from '../../support/ari/holes.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected } from '../../support/rig/rigs.ts';

/** As halfOpen.test.ts, for each way on which bytes can vanish. The limits are shorter than the defaults, so that less is waited for. */

const heartbeatMs = 1_500;
/** Two and a half heartbeats, as 10 s are of the default, and one more for what a busy machine takes. */
const promisedMs = 3.5 * heartbeatMs;

const holes: readonly Hole[] = [
  ['toasterisk', ['toServer'], ['websocket', 'other']],
  ['topreavis', ['toClient'], ['websocket', 'other']],
  ['events', ['toServer', 'toClient'], ['websocket']],
  ['pings', ['toServer'], ['websocket']],
];

const at = useFaultyRig({
  patient: holes.map(([line]) => line),
  brief: ['heard'],
  config: { ari: { heartbeatMs, requestTimeoutMs: 2_000 } },
});
const operator = useOperator(at);

describe('a hole in the middle of a talk', () => {
  it.each(holes)(
    'is noticed within three and a half heartbeats, and what ended in it is found out afterwards: %s',
    (...hole) => at.onTime(hole[0], () => expectHoleNoticed(at, hole, promisedMs)),
  );
});

describe('a hole for pings alone', () => {
  it('is noticed although events come', () =>
    at.onTime('heard', async () => {
      const call = await at.call('heard');
      await operator().playing('heard', 'notice');
      const losses = at.said(lost);
      at.proxy.impair({ hole: ['toServer'] }, ['websocket']);
      await at.says(lost, losses, promisedMs);
      at.proxy.mend();
      expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      await expectNobodyConnected(at.rig);
    }));
});

describe('an Asterisk that ends each connection', () => {
  it('is tried ever later, and for ever', () =>
    at.onTime([], async () => {
      const [losses, openings] = [at.said(lost), at.said(connected)];
      at.proxy.leadTo('http://127.0.0.1:9');
      at.proxy.reset();
      await at.says(lost, losses);
      const began = performance.now();
      const tries = at.proxy.opened('other');
      await eventually(() => at.proxy.opened('other') >= tries + 10);
      expect(performance.now() - began).toBeGreaterThan(20_000);
      at.proxy.leadTo(at.rig.asterisk.ariUrl);
      await at.says(connected, openings);
    }));
});
