/**
 * Where one of two workers does not reach Asterisk, the other one has its calls. Where nobody does, Asterisk ends the recorders in its time, and whoever
 * comes back first has the calls of both.
 */
import { workerNames } from '../../../src/config/workerNames.ts';
import { eventually } from '../../support/poll.ts';
import { startTcpProxy } from '../../support/ari/tcpProxy.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import {
  callsAt,
  callsOf,
  endRecorded,
  hearsAgent,
  outlastLeases,
  place,
  recorders,
  workersRig,
} from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const unwatchedSeconds = 25;
const slackMs = 4_000;

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const at = useRig(async () => {
  const options = await workersRig(() => at, ['cut', 'both', 'nobody', 'alone'], notice);

  return {
    ...options,
    // Whose turn it is is left to chance: of two that may claim, the one behind a proxy would be second each time.
    conf: { '+modules.conf': 'noload = app_stasis_broadcast.so\nnoload = res_stasis_broadcast.so\n' },
    config: { ...options.config, recording: { unwatchedSeconds } },
  };
});

beforeAll(() => notice.install(at.rig.asterisk.soundsFolder));

it('a worker that is cut off from Asterisk leaves its calls to the other one, and ends when it is back', async () => {
  const proxy = await at.keep(startTcpProxy());
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await workers.start('a', { PREAVIS_ARI_URL: `http://127.0.0.1:${proxy.port}` });
  await workers.start('b');
  const placed = await callsAt(at, 'cut', ['a']);
  const since = workers.log('b').length;
  proxy.impair({ hole: ['toServer', 'toClient'] });
  proxy.reset();
  await workers.says('b', 'earlier call resumed', since);
  proxy.mend();
  expect(await workers.ended('a')).toBe(1);
  expect(workers.log('a').at(-1)).toMatchObject({ code: 'lease_lost' });
  expect((await callsOf(at, 'cut')).every(({ phase }) => phase === 'talking')).toBe(true);
  await endRecorded(at, 'cut', placed);
  await workers.start('a');
});

it('where Asterisk was away for both until their leases had run out, each has its own calls again, and neither ends the other', async () => {
  await Promise.all(workerNames.filter((worker) => workers.isRunning(worker)).map((worker) => workers.kill(worker)));
  const proxy = await at.keep(startTcpProxy());
  proxy.leadTo(at.rig.asterisk.ariUrl);
  const through = { PREAVIS_ARI_URL: `http://127.0.0.1:${proxy.port}` };
  await Promise.all(workerNames.map((worker) => workers.start(worker, through)));
  const since = workerNames.map((worker) => workers.log(worker).length);
  await outlastLeases(at, workers, 'both', proxy, async () => {
    await Promise.all(workerNames.map((worker, index) => workers.says(worker, 'connected to Asterisk', since[index])));
  });
  proxy.close();
  await Promise.all(workerNames.map((worker) => workers.kill(worker)));
  await workers.startBoth();
});

it('without any worker callers are connected at once, and recorders end in time; the one that is back first takes up the calls of both', async () => {
  await at.onTime(['nobody', 'alone'], async () => {
    // An attempt that was late may have left one of them, or none.
    await Promise.all(
      workerNames.filter((worker) => !workers.isRunning(worker)).map((worker) => workers.start(worker)),
    );
    await expectNobodyConnected(at.rig);
    const placed = await callsAt(at, 'nobody', ['a', 'b']);
    // The catalogue has a talk before Asterisk is asked to record it.
    await eventually(async () => {
      expect(await recorders(at)).toBe(placed.length);
    });
    const from = performance.now();
    await Promise.all([workers.kill('a'), workers.kill('b')]);
    const unrecorded = await place(at, 'alone');
    await hearsAgent(unrecorded);
    expect(performance.now() - from).toBeLessThan(slackMs);
    await eventually(async () => (await recorders(at)) === 0);
    expect(performance.now() - from).toBeLessThan(unwatchedSeconds * 1_000 + slackMs);
    for (const each of placed) await hearsAgent(each);

    const since = workers.log('a').length;
    await workers.start('a');
    await workers.says('a', 'other worker away; its calls taken over', since);
    await unrecorded.call.hangUp();
    await endRecorded(at, 'nobody', placed);
  });
});
