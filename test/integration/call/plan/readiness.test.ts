import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkSpool, proveSpool } from '../../../../src/call/plan/readiness.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { makeIds } from '../../../../src/core/ids.ts';
import { built } from '../../../support/built.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;
let folders = 0;
async function newFolder(): Promise<string> {
  const path = folder.path(`${(folders += 1)}`);
  await mkdir(path);

  return path;
}

/** An Asterisk that records into this folder, as far as this question goes; test/acceptance/serve/start.test.ts asks a real one. */
const recordingInto = (spool: string) => ({
  hasRecording: (name: string) => Promise.resolve(existsSync(join(spool, `${name}.wav`))),
});

describe('the proof that a folder is where Asterisk records', () => {
  test('is a file that Asterisk sees, and leaves nothing behind', async () => {
    const spool = await newFolder();
    await expect(proveSpool(spool, recordingInto(spool), makeIds(), systemClock)).resolves.toBeUndefined();
    expect(await readdir(spool)).toEqual([]);
  });

  test('removes what killed starts have left, and nothing else', async () => {
    const spool = await newFolder();
    const [old, fresh, full] = [makeIds().channel(), makeIds().channel(), makeIds().channel()];
    const probe = (id: string): string => join(spool, `${id}-probe.wav`);
    await writeFile(probe(old), '');
    await writeFile(probe(full), 'sound');
    await utimes(probe(old), 0, 0);
    await utimes(probe(full), 0, 0);
    await writeFile(probe(fresh), '');
    const others = ['preavis-x-probe.wav', `preavis-${'0'.repeat(26)}.wav`];
    for (const name of others) {
      await writeFile(join(spool, name), '');
      await utimes(join(spool, name), 0, 0);
    }
    await proveSpool(spool, recordingInto(spool), makeIds(), systemClock);
    expect((await readdir(spool)).sort()).toEqual([`${fresh}-probe.wav`, `${full}-probe.wav`, ...others].sort());
  });

  test('fails for any other folder, names it, and leaves nothing behind', async () => {
    const [spool, other] = [await newFolder(), await newFolder()];
    await expect(proveSpool(other, recordingInto(spool), makeIds(), systemClock)).rejects.toMatchObject({
      code: 'spool_unusable',
      message: `recording.spoolFolder ${other} is not where this Asterisk records`,
    });
    expect(await readdir(other)).toEqual([]);
  });

  test('fails with the error of an Asterisk that does not answer, and leaves nothing behind', async () => {
    const spool = await newFolder();
    const silent = { hasRecording: () => Promise.reject(new PreavisError('ari_unreachable', 'no answer in time')) };
    await expect(proveSpool(spool, silent, makeIds(), systemClock)).rejects.toMatchObject({ code: 'ari_unreachable' });
    expect(await readdir(spool)).toEqual([]);
  });

  test.each([
    ['is missing', () => Promise.resolve(folder.path('none')), 'ENOENT'],
    [
      'is a file',
      async () => {
        await writeFile(folder.path('file'), '');

        return folder.path('file');
      },
      'ENOTDIR',
    ],
  ])('fails for a folder that %s', async (_, make, errno) => {
    const wrong = await make();
    await expect(proveSpool(wrong, recordingInto(wrong), makeIds(), systemClock)).rejects.toMatchObject({
      code: 'spool_unusable',
      message: `recording.spoolFolder ${wrong}: ${errno}`,
    });
  });

  (isRoot ? test.skip : test)('fails for a folder that cannot be written', async () => {
    const spool = await newFolder();
    await chmod(spool, 0o500);
    await expect(proveSpool(spool, recordingInto(spool), makeIds(), systemClock)).rejects.toMatchObject({
      code: 'spool_unusable',
    });
    await chmod(spool, 0o700);
  });
});

test('a recording folder with less room than is wanted is full, and says how much there is', async () => {
  const spool = await newFolder();
  await expect(checkSpool(spool, 1)).resolves.toBeUndefined();
  await expect(checkSpool(spool, 1_000_000_000)).rejects.toMatchObject({
    code: 'spool_full',
    message: expect.stringMatching(/: \d+ MiB free, 1000000000 MiB wanted$/) as string,
  });
});

(isRoot ? describe : describe.skip)('a folder that another user may not use (needs root)', () => {
  const nobody = 65_534;

  /** In a process of that user: what the check says, by its code, text and hint. */
  function checkedAs(spool: string): { code: string; message: string; hint: string } | 'ok' {
    const script = `
      const { checkSpool } = await import('${built('call/plan/readiness.ts')}');
      const said = await checkSpool(${JSON.stringify(spool)}, 0).then(() => 'ok', ({ code, message, hint }) => ({ code, message, hint }));
      process.stdout.write(JSON.stringify(said));
    `;
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { uid: nobody, gid: nobody });

    return JSON.parse(out.toString()) as ReturnType<typeof checkedAs>;
  }

  test('says the command that gives it, and that command does', async () => {
    await chmod(folder.path(), 0o711);
    const spool = await newFolder();
    await chmod(spool, 0o700);
    await chown(spool, 0, nobody);
    const said = checkedAs(spool);
    expect(said).toMatchObject({ code: 'spool_unusable', message: `recording.spoolFolder ${spool}: EACCES` });
    const [, command = ''] = /^Run: (.*); then restart/.exec(said === 'ok' ? '' : said.hint) ?? [];
    expect(command).toBe(`sudo chmod g+rwxs ${spool} && sudo setfacl -d -m u::rwX,g::rwX,o::--- ${spool}`);
    // We are root already; and without ACLs the first step is enough for this question.
    execFileSync('sh', ['-c', `sudo() { "$@"; }; setfacl() { :; }; ${command}`]);
    expect(checkedAs(spool)).toBe('ok');
  });

  test('names the folder above it that is closed', async () => {
    const above = await newFolder();
    await mkdir(join(above, 'recording'), { mode: 0o777 });
    await chown(above, 0, nobody);
    await chmod(above, 0o700);
    expect(checkedAs(join(above, 'recording'))).toMatchObject({
      message: `recording.spoolFolder ${join(above, 'recording')}: EACCES, ${above} is closed to this user`,
      hint: `Run: sudo chmod g+x ${above}; then restart Préavis (sudo systemctl restart preavis).`,
    });
  });
});
