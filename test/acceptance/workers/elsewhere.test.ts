/**
 * Two workers share one Asterisk. One that was started beside another Asterisk, with the name of the same PBX, is refused in words: it would take up calls
 * that its Asterisk does not have.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRig, type Rig } from '../../../lab/rig.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { useRig } from '../../support/rig/rigs.ts';
import { callsAt, endRecorded, workersRig } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const refusal = /job_busy: another process \(\d+ on .+\) serves the application preavis-a beside another Asterisk/;

let other: Rig | undefined;
// Before the first rig, which looks whether anything is left.
afterAll(() => other?.stop());

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const at = useRig(async () => {
  other = await startRig({ idle: true });

  return workersRig(() => at, ['here'], notice);
});

beforeAll(async () => {
  for (const rig of [at.rig, other]) if (rig !== undefined) await notice.install(rig.asterisk.soundsFolder);
});

/** In the environment of a worker: that it stands beside the other Asterisk. */
function elsewhere(): Record<string, string> {
  if (other === undefined) throw new Error('the other Asterisk is not there');
  const { asterisk } = other;

  return {
    PREAVIS_ARI_URL: asterisk.ariUrl,
    PREAVIS_ARI_USERNAME: asterisk.ariUsername,
    PREAVIS_ARI_PASSWORD: asterisk.ariPassword,
    PREAVIS_RECORDING_SPOOL_FOLDER: asterisk.spoolFolder,
  };
}

it('a worker is refused beside another Asterisk than that of the other one, which keeps the calls of both', async () => {
  await workers.startBoth();
  const placed = await callsAt(at, 'here', ['b']);
  await workers.kill('b');
  await workers.says('a', 'other worker away; its calls taken over', 0);
  const since = workers.log('a').length;
  await expect(workers.start('b', elsewhere())).rejects.toThrow(refusal);
  const said = workers
    .log('a')
    .slice(since)
    .map(({ msg }) => msg);
  expect(said).not.toContain('giving calls back to the other worker');
  expect(await workers.health('a')).toMatchObject({ status: 'ok' });
  await workers.start('b');
  expect(await workers.health('b')).toMatchObject({ status: 'ok' });
  await endRecorded(at, 'here', placed);
});

it('where both start at the same time the second one ends soon, and the first one serves on', async () => {
  await Promise.all([workers.kill('a'), workers.kill('b')]);
  const before = readFileSync(at.rig.workers.b.logFile, 'utf8').length;
  const trail = join(at.rig.folder, 'trail');
  // It has looked for the other one before that is there.
  const starting = workers.start('b', {
    ...elsewhere(),
    PREAVIS_TEST_STOP_AT: 'other worker looked for',
    PREAVIS_TEST_TRAIL: trail,
  });
  await Promise.race([eventually(() => existsSync(trail)), starting]);
  await workers.start('a');
  workers.thaw('b');
  await starting;
  expect(await workers.ended('b')).toBe(1);
  expect(readFileSync(at.rig.workers.b.logFile, 'utf8').slice(before)).toMatch(refusal);
  expect(workers.isRunning('a')).toBe(true);
  await eventually(async () => {
    expect(await workers.health('a')).toMatchObject({ status: 'ok' });
  });
});
