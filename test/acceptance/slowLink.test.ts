import { connected, lost, useFaultyRig } from '../support/faultyRig.ts';
import { startOperator, type Operator } from '../support/operator.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueCalls,
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
} from '../support/rigs.ts';
import type { TcpFaults } from '../support/tcpProxy.ts';

/** Everything between Préavis and Asterisk comes late. All limits are the defaults. */

const bearable: [string, string, TcpFaults][] = [
  ['100 ms', 'late', { delayMs: 100 }],
  ['1 s', 'later', { delayMs: 1_000 }],
  ['2 kB a second', 'slow', { bytesPerSecond: 2_000 }],
];

const at = useFaultyRig({
  patient: [...bearable.map(([, line]) => line), 'before'],
  brief: ['meanwhile', 'after'],
});
let operator: Operator;

beforeAll(async () => {
  await at.rig.startServe();
  operator = await at.keep(startOperator(at.rig));
});

afterEach(async () => {
  at.proxy.mend();
  await at.works();
});

/** When Asterisk says that the playbacks to this extension's caller began and ended, ms, as another application hears it. */
function playbackTimes(extension: string): number[][] {
  const channel = operator.channelOf(extension);
  const times = (type: string): number[] =>
    operator.seen
      .filter((event) => event.type === type && event.playback?.target_uri === `channel:${channel}`)
      .map(({ timestamp }) => Date.parse(timestamp.replace(/(\d\d)$/, ':$1')));
  const [begun, ended] = [times('PlaybackStarted'), times('PlaybackFinished')];

  return begun.map((at_, index) => [at_, ended[index] ?? NaN]);
}

describe.each(bearable)('with a network of %s', (_, line, faults) => {
  it("calls are announced and recorded, and proved by Asterisk's clock", async () => {
    const losses = at.said(lost);
    at.proxy.impair(faults);
    const call = await at.call(line);
    const id = await at.records(line);
    await call.hangUp();
    expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, line);
    await expectNobodyConnected(at.rig);
    const notices = await catalogueNotices(at.rig, line);
    expect(notices.map(({ startedAt, finishedAt }) => [startedAt, finishedAt])).toEqual(playbackTimes(line));
    expect((await showRecording(at.rig, id)).gapMs).toBeGreaterThanOrEqual(0);
    expect(at.said(lost)).toBe(losses);
  });
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
