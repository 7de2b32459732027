import { timeOf } from '../../support/call/operator.ts';
import { lost, useFaultyRig, useOperator } from '../../support/rig/faultyRig.ts';
import {
  catalogueNotices,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
} from '../../support/rig/rigs.ts';
import type { TcpFaults } from '../../support/ari/tcpProxy.ts';

/** Everything between Préavis and Asterisk comes late, yet soon enough. All limits are the defaults. */

/** Less than notice and question that are shipped: so many events come in so much time, which is what a slow network has to carry. */
const noticeMs = 6_500;

const bearable: [string, string, TcpFaults][] = [
  ['100 ms', 'late', { delayMs: 100 }],
  ['1 s', 'later', { delayMs: 1_000 }],
  ['2 kB a second', 'slow', { bytesPerSecond: 2_000 }],
];

const at = useFaultyRig({
  patient: bearable.map(([, line]) => line),
  noticeMs,
});
const operator = useOperator(at);

/** When Asterisk says that the playbacks to this extension's caller began and ended, ms, as another application hears it. */
function playbackTimes(extension: string): number[][] {
  const channel = operator().channelOf(extension);
  const times = (type: string): number[] =>
    operator()
      .seen.filter((event) => event.type === type && event.playback?.target_uri === `channel:${channel}`)
      .map(({ timestamp }) => timeOf(timestamp));
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
