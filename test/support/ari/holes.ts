/** What a hole between Préavis and Asterisk does to a talk: bytes vanish, and both think that they are connected. */
import { connected, lost, type FaultyRig } from '../rig/faultyRig.ts';
import { eventually } from '../poll.ts';
import { endedCall, expectNobodyConnected, finishedRecording, showRecording } from '../rig/rigs.ts';
import type { ConnectionKind, Way } from './tcpProxy.ts';

export type Hole = [line: string, ways: readonly Way[], kinds: readonly ConnectionKind[]];

/** The line is one whose destination waits for the caller to hang up. */
export async function expectHoleNoticed(at: FaultyRig, [line, ways, kinds]: Hole, withinMs: number): Promise<void> {
  const call = await at.call(line);
  const id = await at.records(line);
  const [losses, openings] = [at.said(lost), at.said(connected)];
  const tries = at.proxy.opened('websocket');

  // The worst moment: just behind an answer to a ping, which is all that Préavis sends there.
  const pings = at.proxy.carried('websocket', 'toServer');
  await eventually(() => at.proxy.carried('websocket', 'toServer') > pings);
  at.proxy.impair({ hole: ways }, kinds);
  await at.says(lost, losses, withinMs);
  expect(await at.health()).toMatchObject({ status: 'degraded', asterisk: 'disconnected' });
  await call.hangUp();
  await call.ended;
  // Requests are answered, so sockets are tried, each of which leads nowhere too: no try may last for ever.
  if (!kinds.includes('other')) {
    await eventually(() => at.proxy.opened('websocket') >= tries + 2);
  }
  at.proxy.mend();

  await at.says(connected, openings);
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  await finishedRecording(at.rig, line);
  await expectNobodyConnected(at.rig);
  const shown = await showRecording(at.rig, id);
  expect(shown.notice.length).toBeGreaterThan(0);
  expect(shown.notice.map(({ verified }) => verified)).not.toContain(false);
  expect(shown.gapMs).toBeGreaterThanOrEqual(0);
  await eventually(async () => {
    expect(await at.health()).toMatchObject({ status: 'ok', calls: 0 });
  });
}
