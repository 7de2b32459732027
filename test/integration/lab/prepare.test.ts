import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wantsOfSpace } from '../../../lab/machine/space.mjs';
import { canMount, mounts } from '../../support/rig/mounts.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const project = join(import.meta.dirname, '..', '..', '..');
const temporary = temporaryFolder();
const mount = mounts();
const itAsRoot = canMount ? it : it.skip;

/** A disk of its own, of a few MiB. */
async function disk(name: string, mebibytes: number): Promise<string> {
  const folder = temporary.path(name);
  mkdirSync(folder);
  await mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder);
  return folder;
}

/** Prepares what is there already. `within`: a command that runs it. */
function prepare(
  environment: NodeJS.ProcessEnv,
  within: readonly string[] = ['env'],
): { status: number; said: string } {
  const args = [...within.slice(1), process.execPath, 'lab/prepare.mjs'];
  const { status, stdout, stderr } = spawnSync(within[0] ?? '', args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  return { status: status ?? -1, said: `${stdout}${stderr}` };
}

/** In a network namespace of its own, whose loopback is down at first. */
const withoutNetwork = (before: string): string[] => ['unshare', '--net', 'sh', '-c', `${before} && exec "$@"`, 'sh'];

itAsRoot('says in one sentence which folder has too little room, how much it needs, and what to do', async () => {
  const folder = await disk('small', 20);
  const { status, said } = prepare({ TMPDIR: folder });
  expect(status).toBe(1);
  const [sentence] = said.split('\n').filter((line) => line.includes('MiB'));
  expect(sentence).toMatch(
    new RegExp(
      `^lab: Nothing was changed\\. (19|20) MiB are free and 960 MiB are needed: ${folder}/preavis-lab-0 for a run ` +
        '\\(960 MiB\\)\\. Make room, or choose another disk by TMPDIR\\.$',
    ),
  );
});

itAsRoot('adds up what is needed on one disk, in folders that are not there yet', async () => {
  const folder = await disk('shared', 10);
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / 1_048_576);
  const needs = (mib: number) => [
    { folder: join(folder, 'a', 'b'), mib, what: 'one', choose: 'ONE' },
    { folder: join(folder, 'c'), mib: 5, what: 'another', choose: 'OTHER' },
  ];
  expect(wantsOfSpace(needs(free - 5))).toEqual([]);
  expect(wantsOfSpace(needs(free))).toEqual([
    `${free} MiB are free and ${free + 5} MiB are needed: ${folder}/a/b for one (${free} MiB), ` +
      `${folder}/c for another (5 MiB). Make room, or choose another disk by ONE, OTHER.`,
  ]);
});

itAsRoot('needs no network when everything is there', () => {
  expect(prepare({}, withoutNetwork('ip link set lo up'))).toMatchObject({ status: 0 });
});

itAsRoot('says that it needs loopback, and how to bring it up', () => {
  expect(prepare({}, withoutNetwork('true'))).toEqual({
    status: 1,
    said: 'lab: The lab works on 127.0.0.1, which this machine does not have. Bring it up:  ip link set lo up\n',
  });
});

it.each(['/proc', '/nonexistent'])('says that nothing can be made in TMPDIR=%s, and what to do', (folder) => {
  expect(prepare({ TMPDIR: folder })).toEqual({
    status: 1,
    said: `lab: ${folder}/preavis-lab-${process.getuid?.() ?? ''} cannot be made. Set TMPDIR to a folder that is there.\n`,
  });
});

itAsRoot('says that it may not write in TMPDIR', async () => {
  const folder = temporary.path('readOnly');
  mkdirSync(folder);
  await (await mount('-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', folder)).remount('ro');
  expect(prepare({ TMPDIR: folder })).toEqual({
    status: 1,
    said: `lab: ${folder}/preavis-lab-0 cannot be written. The lab writes below PREAVIS_LAB_CACHE, TMPDIR and the checkout.\n`,
  });
});

itAsRoot('says that root may not chroot here, and what to allow', () => {
  const { status, said } = prepare({}, ['setpriv', '--bounding-set', '-sys_chroot', '--inh-caps', '-sys_chroot']);
  // A machine with an Asterisk of its own does without.
  if (status === 0) return;
  expect(said).toMatch(/^lab: The lab's Asterisk does not run: .*chroot.*\n.*CAP_SYS_CHROOT/m);
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'ends what it has begun when it is interrupted by %s, and the next run is not kept waiting',
  async (signal) => {
    const [checkout, cache, tools] = ['checkout', 'cache', 'tools'].map((name) => temporary.path(`${signal}-${name}`));
    if (checkout === undefined || cache === undefined || tools === undefined) throw new Error('three folders');
    for (const name of ['lab', 'package.json', 'package-lock.json']) {
      cpSync(join(project, name), join(checkout, name), { recursive: true });
    }
    mkdirSync(tools);
    // A package manager that takes long, and has others work for it.
    const pids = join(tools, 'pids');
    writeFileSync(
      join(tools, 'npm'),
      `#!/bin/sh\nsleep 600 &\necho $$ $! > ${pids}.new && mv ${pids}.new ${pids}\nwait\n`,
      {
        mode: 0o755,
      },
    );
    const child = spawn(process.execPath, ['lab/prepare.mjs', '--with', ''], {
      cwd: checkout,
      env: { ...process.env, PREAVIS_LAB_CACHE: cache, PATH: `${tools}:${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    await eventually(() => existsSync(pids));
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(said).toBe(`lab: interrupted by ${signal} during: npm ci.\n`);
    const begun = readFileSync(pids, 'utf8').trim().split(' ');
    expect(begun).toHaveLength(2);
    await eventually(() => begun.every((pid) => !existsSync(`/proc/${pid}`)));
    expect(readdirSync(cache).filter((name) => name.endsWith('.lock'))).toEqual([]);
  },
);
