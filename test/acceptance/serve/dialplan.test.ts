import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rigDialplan } from '../../../lab/rig.ts';
import { refusesByRelease } from '../../../src/dialplan/source/refusal.ts';
import { useRig } from '../../support/rig/rigs.ts';

/** The dialplan that a real Asterisk shows, as lint and check see it. */

const at = useRig(() => ({ extensions: { 100: 'PJSIP/agent@127.0.0.1,30' }, idle: true }));

type Fault = { file: string; line: number | null; severity: string; code: string };
type Linted = { source: string; errors: number; faults: Fault[]; lines: number };
type Check = { check: string; ok: boolean; warning?: string; notes?: string[] };

/** A PATH with a program `asterisk` that does this. */
function pathWith(name: string, does: string): { PATH: string } {
  const folder = join(at.rig.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'asterisk'), `#!/bin/sh\n${does}\n`);
  chmodSync(join(folder, 'asterisk'), 0o755);

  return { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
}

/** The program `asterisk` of this machine is not the lab's: in this PATH it is. */
function path(): { PATH: string } {
  const program = at.rig.asterisk.console.slice(0, -1).map((word) => `'${word}'`);

  return pathWith('bin', `cd / && exec ${program.join(' ')} "$@"`);
}

async function live(): Promise<Linted & { code: number }> {
  const { code, stdout } = await at.rig.preavisWith(path(), 'dialplan', 'lint', '--live', '--json');

  return { code, ...(JSON.parse(stdout) as Linted) };
}

async function checked(environment: Record<string, string>): Promise<Check | undefined> {
  const { stdout } = await at.rig.preavisWith(environment, 'check', '--json');

  return (JSON.parse(stdout) as { checks: Check[] }).checks.find(({ check }) => check === 'dialplan');
}

test("nothing is found in the lab's own dialplan, by lint or by check", async () => {
  expect(await live()).toMatchObject({ code: 0, source: 'live', faults: [] });
  expect(await checked(path())).toEqual({ check: 'dialplan', ok: true });
});

test('a recorder that untold callers reach is found with file and line, and check warns of it', async () => {
  const planted = ['exten => 200,1,NoOp(planted)', ' same => n,Goto(planted,${EXTEN},1)'];
  const dialplan = `${rigDialplan({ 100: 'PJSIP/agent@127.0.0.1,30' }, planted)}
[planted]
exten => _2XX,1,MixMonitor(planted.wav)
 same => n,Hangup()
`;
  await at.rig.asterisk.setDialplan(dialplan);
  const line = dialplan.split('\n').findIndex((each) => each.includes('MixMonitor(planted.wav)')) + 1;
  const { code, errors, faults } = await live();
  expect([code, errors]).toEqual([3, 1]);
  expect(faults).toMatchObject([{ file: 'extensions.conf', line, severity: 'error', code: 'recorder-without-notice' }]);
  expect(await checked(path())).toMatchObject({
    ok: true,
    warning: '1 error and 0 warnings (preavis dialplan lint --live)',
  });
});

test('a function that this Asterisk refuses behind the notice is named, and one that refuses none is not blamed', async () => {
  const told = ['exten => 201,1,Gosub(preavis-tell,s,1)', ' same => n,Dial(PJSIP/${DB(lab/201)}@127.0.0.1,30)'];
  const dialplan = rigDialplan({ 100: 'PJSIP/agent@127.0.0.1,30' }, told);
  await at.rig.asterisk.setDialplan(dialplan);
  const line = dialplan.split('\n').findIndex((each) => each.includes('DB(lab/201)')) + 1;
  const { faults } = await live();
  const refuses = refusesByRelease(await at.rig.asterisk.cli('core show version'));
  expect(faults).toMatchObject(
    refuses ? [{ file: 'extensions.conf', line, severity: 'warning', code: 'function-refused' }] : [],
  );
});

test('a dialplan that Asterisk does not show is not looked at, and check does not fail for it', async () => {
  const found = await checked(pathWith('other', 'exit 1'));
  expect(found).toMatchObject({ check: 'dialplan', ok: true });
  expect(found?.notes?.join()).toMatch(/^not looked at: /);
});
