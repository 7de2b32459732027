/**
 * An Asterisk without StasisBroadcast() (before 20.20, 22.10 and 23.4): the dialplan asks one worker after the other. Whoever is tried first and
 * does not answer costs the caller four seconds, and nobody their notice.
 */
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import { callsOf, place, recordingOf, workerOf, workersRig } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

/** docs/operations/workers.md: until a caller whom the first worker does not answer is with the other one, ms. */
const waitMs = 4_000;
/** For all else that a call takes on a busy machine: less than another wait, which would show. */
const slackMs = waitMs - 500;

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const at = useRig(async () => {
  const options = await workersRig(() => at, ['killed', 'frozen'], notice);

  return {
    ...options,
    conf: { '+modules.conf': 'noload = app_stasis_broadcast.so\nnoload = res_stasis_broadcast.so\n' },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await workers.startBoth();
  expect(await at.rig.asterisk.cli('core show application StasisBroadcast')).not.toContain('Synopsis');
});

/** So many callers, one after the other; how long the slowest of them took to be recorded, ms. */
async function slowest(line: string, count: number): Promise<number> {
  let longest = 0;
  for (let made = 1; made <= count; made += 1) {
    const from = performance.now();
    const { call } = await place(at, line);
    await eventually(async () => {
      expect((await callsOf(at, line)).filter(({ phase }) => phase === 'talking')).toHaveLength(1);
    });
    longest = Math.max(longest, performance.now() - from);
    await call.hangUp();
    await eventually(async () => {
      const recorded = (await callsOf(at, line)).filter(
        ({ phase, result }) => phase === 'ended' && result === 'recorded',
      );
      expect(recorded).toHaveLength(made);
      for (const each of recorded) expect(await recordingOf(at, each)).toMatchObject({ status: 'recorded' });
    });
  }

  return longest;
}

it('callers of a worker that was killed are with the other one at once', async () => {
  await workers.kill('a');
  // Before and after the other one has its application.
  expect(await slowest('killed', 4)).toBeLessThan(2_000 + slackMs);
  await workers.start('a');
});

it('callers of a worker that stands still are with the other one after four seconds', async () => {
  const since = workers.log('b').length;
  await workers.freeze('a');
  try {
    expect(await slowest('frozen', 4)).toBeLessThan(2_000 + waitMs + slackMs);
    expect((await callsOf(at, 'frozen')).filter(({ result }) => result === 'recorded').map(workerOf)).toContain('b');
    // One that goes on sooner has its calls still.
    await workers.says('b', 'other worker away; its calls taken over', since);
  } finally {
    workers.thaw('a');
  }
  await workers.ended('a');
  await expectNobodyConnected(at.rig);
});
