/** Files as Asterisk's account makes them, looked at by another one. */
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { built } from '../../../support/built.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const [asterisk, ours] = [65_533, 65_534];
let made = 0;

/** What it says, as this account; `undefined` for nothing. */
function said(spool: string): string {
  const script = `const { spoolFilesNote } = await import('${built('call/plan/spoolFiles.ts')}');
    console.log(await spoolFilesNote('${spool}').then(String, ({ code, hint }) => code + ': ' + hint));`;
  const account = { uid: ours, gid: ours, cwd: '/', encoding: 'utf8' } as const;

  return spawnSync(process.execPath, ['--input-type=module', '-e', script], account).stdout.trim();
}

/** As docs/install.md makes it; our account is in the group. */
async function spoolOf({ hasAcl }: { hasAcl: boolean }): Promise<string> {
  const spool = folder.path(`spool-${(made += 1)}`);
  await chmod(folder.path('.'), 0o755);
  await mkdir(spool);
  await chown(spool, asterisk, ours);
  await chmod(spool, 0o2770);
  if (hasAcl) expect(spawnSync('setfacl', ['-d', '-m', 'u::rwX,g::rwX,o::---', spool]).status).toBe(0);

  return spool;
}

async function record(spool: string, mode: number): Promise<string> {
  const file = `${spool}/preavis-01ARZ3NDEKTSV4RRFFQ69G5FAV.wav`;
  await writeFile(file, 'x');
  await chown(file, asterisk, ours);
  await chmod(file, mode);

  return file;
}

const hasAcls = spawnSync('setfacl', ['--version']).status === 0;
(process.getuid?.() === 0 ? describe : describe.skip)('what Asterisk records in a folder that is ours to use', () => {
  (hasAcls ? test : test.skip)('is ours by a default ACL, whatever the umask', async () => {
    const spool = await spoolOf({ hasAcl: true });
    expect(said(spool)).toBe('undefined');
    expect(await readdir(spool)).toEqual([]);
  });

  test('may not be, which is told with the command before anything was recorded', async () => {
    const spool = await spoolOf({ hasAcl: false });
    expect(said(spool)).toContain(`sudo setfacl -d -m u::rwX,g::rwX,o::--- ${spool}, or UMask=0007`);
    expect(await readdir(spool)).toEqual([]);
  });

  test('counts once it is there: as the group may change it, it is well, and else an error', async () => {
    const spool = await spoolOf({ hasAcl: false });
    const file = await record(spool, 0o660);
    expect(said(spool)).toBe('undefined');
    await rm(file);
    await record(spool, 0o644);
    expect(said(spool)).toMatch(/^spool_unusable: .*sudo chmod g\+rw /);
  });
});
