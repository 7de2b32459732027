import { startOperator, type Operator } from '../support/operator.ts';
import { connected, lost, useFaultyRig } from '../support/faultyRig.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
} from '../support/rigs.ts';
import type { ConnectionKind, Way } from '../support/tcpProxy.ts';

/** Bytes between Préavis and Asterisk vanish, and both think that they are connected. All limits are the defaults. */

const promisedMs = 10_000;
const everything: readonly ConnectionKind[] = ['websocket', 'other'];

const holes: [string, readonly Way[], readonly ConnectionKind[]][] = [
  ['bothways', ['toServer', 'toClient'], everything],
  ['toasterisk', ['toServer'], everything],
  ['topreavis', ['toClient'], everything],
  ['events', ['toServer', 'toClient'], ['websocket']],
  ['pings', ['toServer'], ['websocket']],
];

const at = useFaultyRig({
  patient: holes.map(([line]) => line),
  brief: ['innotice', 'inhole', 'forgotten', 'after', 'heard'],
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

describe('a hole in the middle of a talk', () => {
  it.each(holes)(
    'is noticed within 10 s, and what ended in it is found out afterwards: %s',
    async (line, ways, kinds) => {
      const call = await at.call(line);
      const id = await at.records(line);
      const [losses, openings] = [at.said(lost), at.said(connected)];
      const tries = at.proxy.opened('websocket');

      // The worst moment: just behind an answer to a ping, which is all that Préavis sends there.
      const pings = at.proxy.carried('websocket', 'toServer');
      await eventually(() => at.proxy.carried('websocket', 'toServer') > pings);
      at.proxy.impair({ hole: ways }, kinds);
      await at.says(lost, losses, promisedMs);
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
      expect(await at.health()).toMatchObject({ status: 'ok', calls: 0 });
    },
  );
});

describe('a hole for pings alone', () => {
  it('is noticed although events come', async () => {
    const call = await at.call('heard');
    await operator.playing('heard', 'notice');
    const losses = at.said(lost);
    at.proxy.impair({ hole: ['toServer'] }, ['websocket']);
    await at.says(lost, losses, promisedMs);
    at.proxy.mend();
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    await expectNobodyConnected(at.rig);
  });
});

describe('a hole while the notice plays', () => {
  it('lets that caller, and one who comes in it, reach the destination unrecorded', async () => {
    const heard = await at.call('innotice');
    await operator.playing('innotice', 'notice');
    const losses = at.said(lost);
    at.proxy.impair({ hole: ['toServer', 'toClient'] });
    const late = await at.call('inhole');
    await eventually(() => operator.channelOf('inhole') !== '');
    await at.says(lost, losses, promisedMs);
    at.proxy.mend();

    expect(await heard.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await late.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const call = await endedCall(at.rig, 'innotice');
    expect(call).toMatchObject({ result: 'unrecorded', reason: 'interrupted' });
    expect((await catalogueRecordings(at.rig)).map(({ callId }) => callId)).not.toContain(call.id);
    await expectNobodyConnected(at.rig);
  });
});

describe('connections that the network has forgotten', () => {
  it('are replaced together, those of requests as well', async () => {
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
  });
});

describe('an Asterisk that ends each connection', () => {
  it('is tried ever later, and for ever', async () => {
    const [losses, openings] = [at.said(lost), at.said(connected)];
    at.proxy.leadTo('http://127.0.0.1:9');
    at.proxy.reset();
    await at.says(lost, losses);
    const began = performance.now();
    const tries = at.proxy.opened('other');
    await eventually(() => at.proxy.opened('other') >= tries + 12);
    expect(performance.now() - began).toBeGreaterThan(20_000);
    at.proxy.leadTo(at.rig.asterisk.ariUrl);
    await at.says(connected, openings);
  });
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
