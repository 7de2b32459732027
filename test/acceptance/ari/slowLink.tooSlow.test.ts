import { connected, lost, useFaultyRig } from '../../support/rig/faultyRig.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
} from '../../support/rig/rigs.ts';

/** Everything between Préavis and Asterisk comes too late. All limits are the defaults. */

const at = useFaultyRig({ patient: ['before'], brief: ['meanwhile', 'after'] });

beforeAll(() => at.rig.startServe());

afterEach(async () => {
  at.proxy.mend();
  await at.works();
});

describe('with a network of 10 s, more than a request or the heartbeat may take', () => {
  it('callers are served by the dialplan, without a storm of tries, and all is well when it is over', async () => {
    const before = await at.call('before');
    await at.records('before');
    const [losses, openings] = [at.said(lost), at.said(connected)];
    const [sockets, requests] = [at.proxy.opened('websocket'), at.proxy.opened('other')];
    at.proxy.impair({ delayMs: 10_000 });
    const impairedAt = performance.now();
    await at.says(lost, losses);
    await before.hangUp();
    // Asterisk learns of the end of our socket after the delay; from then on Stasis() returns at once.
    await eventually(() => at.proxy.serverHas('websocket') === 0);
    const meanwhile = await at.call('meanwhile');
    expect(await meanwhile.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect((await catalogueCalls(at.rig)).map((each) => each.line)).not.toContain('meanwhile');
    expect(at.said(connected)).toBe(openings);
    // No socket is tried while requests take too long: with one, callers would come to us.
    expect(at.proxy.opened('websocket')).toBe(sockets);
    const seconds = (performance.now() - impairedAt) / 1_000;
    expect(at.proxy.opened('other') - requests).toBeLessThan(seconds + 16);

    at.proxy.mend();
    await at.says(connected, openings);
    expect(await endedCall(at.rig, 'before')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'before');
    await (
      await at.call('after')
    ).ended;
    await finishedRecording(at.rig, 'after');
    await expectNobodyConnected(at.rig);
    expect((await catalogueRecordings(at.rig)).map(({ status }) => status)).not.toContain('failed');
  });
});
