/**
 * Several PBXs on one catalogue: a process that was started beside the Asterisk of another one is refused in words. It would take the calls of that
 * one, or end those of its own that are not in that Asterisk.
 */
import { eventually } from '../../support/poll.ts';
import { callsAt, endRecorded, useWorkersAnd } from '../../support/rig/workerCalls.ts';

const { workers, at } = useWorkersAnd(['here'], 'postgres');
const west = { PREAVIS_ARI_PBX: 'west' };
const refusal =
  /job_busy: ari\.url is the Asterisk of another PBX: another process \(\d+ on .+\) serves the application preavis-[ab] of the PBX lab there/;

it('a worker and a lone serve of another PBX are refused, and the calls and the dialplan of this one stay as they are', async () => {
  const placed = await callsAt(at, 'here', ['b']);
  await workers.kill('b');
  await workers.says('a', 'other worker away; its calls taken over', 0);
  await expect(workers.start('b', west)).rejects.toThrow(refusal);
  await expect(at.rig.startServe(west)).rejects.toThrow(refusal);
  const { stdout, code } = await at.rig.preavisWith(west, 'check', '--json');
  const { checks } = JSON.parse(stdout) as { checks: { check: string; code?: string; problem?: string }[] };
  const found = checks.find(({ check }) => check === 'asterisk of this pbx');
  expect(`${found?.code}: ${found?.problem}`).toMatch(refusal);
  expect(code).toBe(1);
  const own = await at.rig.preavisJson<{ checks: object[] }>('check');
  expect(own.checks).toContainEqual({ check: 'asterisk of this pbx', ok: true });
  expect(await at.rig.asterisk.cli('dialplan show globals')).toMatch(/PREAVIS_WORKERS=preavis-a&preavis-b/);
  await workers.start('b');
  await endRecorded(at, 'here', placed);
});

it('where nobody serves that PBX any more, its Asterisk may have another name', async () => {
  await Promise.all([workers.drain('a'), workers.drain('b')]);
  await workers.start('a', west);
  // Told once it is connected; it serves before.
  await eventually(async () => {
    expect(await at.rig.asterisk.cli('dialplan show globals')).toMatch(/PREAVIS_PBX=west/);
  });
});
