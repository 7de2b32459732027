import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uploadPass } from '../../../../src/archive/uploadPass.ts';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { beside } from '../../../support/catalogue/holders.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { commandFile } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const folder = temporaryFolder();
const open = catalogues();

type Run = { code: number; stdout: string; stderr: string };

/** Processes of their own, as cron and an operator start them. */
function preavis(...args: string[]): Promise<Run> {
  const command = [commandFile, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: root, env: { PATH: process.env['PATH'] } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

let places = 0;
async function place(): Promise<{ config: string; set: ArchiveStage }> {
  const at = folder.path(`${(places += 1)}`);
  const set = await archiveStage(at, open);
  const config = join(at, 'preavis.yaml');
  const tree = {
    ...configTree(),
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: join(at, 'catalogue.db') },
    archive: { directory: { folder: join(at, 'archive') } },
  };
  await writeFile(config, JSON.stringify(tree));

  return { config, set };
}

const jobs = [
  ['upload', ['upload']],
  ['retention', ['retention', 'run']],
  ['reconcile', ['recordings', 'reconcile']],
] as const;

describe('passes of several processes at once', () => {
  test('send each recording once', async () => {
    const { config, set } = await place();
    for (let count = 0; count < 20; count += 1) await set.finished();
    const runs = await Promise.all(Array.from({ length: 3 }, () => preavis('upload', '--json', '--config', config)));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const sent = runs.map(({ stdout }) => (JSON.parse(stdout) as { sent: number }).sent);
    expect(sent.reduce((sum, each) => sum + each, 0)).toBe(20);
    expect((await set.objects()).size).toBe(40);
    expect(await set.spooled()).toEqual([]);
  });

  test('erase each recording once, while others compare', async () => {
    const { config, set } = await place();
    const calls = [];
    for (let count = 0; count < 20; count += 1) calls.push(await set.finished(undefined, { keepDays: 0 }));
    await uploadPass(set, { waitMs: 0, signal: new AbortController().signal });
    const run = (...args: string[]) => preavis(...args, '--json', '--config', config);
    const runs = await Promise.all([
      run('retention', 'run'),
      run('recordings', 'reconcile', '--verify'),
      run('retention', 'run'),
      run('recordings', 'reconcile'),
    ]);
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']));
    const erased = [runs[0], runs[2]].map(({ stdout }) => (JSON.parse(stdout) as { erased: number }).erased);
    expect(erased.toSorted((a, b) => a - b)).toEqual([0, 20]);
    for (const { id } of calls) {
      const steps = (await set.catalogue.auditTrail.of(id)).filter(({ event }) => event === 'erased and checked');
      expect(steps).toHaveLength(1);
    }
    expect((await set.objects()).size).toBe(0);
  });

  test('that find another one at work wait, and then say who it is', async () => {
    const { config, set } = await place();
    await set.finished();
    const other = spawn('sleep', ['120']);
    try {
      await once(other, 'spawn');
      // A lease of now, and not of the time of the stage.
      const catalogue = openCatalogue(join(set.spoolFolder, '../catalogue.db'), systemClock);
      for (const [job] of jobs) await catalogue.leases.take(job, beside(other.pid ?? 0));
      catalogue.close();
      // Thirty seconds each.
      const runs = await Promise.all(jobs.map(([, args]) => preavis(...args, '--config', config)));
      for (const [index, [job]] of jobs.entries()) {
        expect(runs[index]).toMatchObject({ code: 1, stdout: '' });
        expect(runs[index]?.stderr).toMatch(
          new RegExp(`^preavis: job_busy: ${job} is being run by process ${String(other.pid)} on .+\\n {2}.+\\n$`),
        );
      }
      expect(await set.spooled()).toHaveLength(1);
    } finally {
      other.kill();
    }
    expect(await preavis('upload', '--config', config)).toMatchObject({ code: 0 });
  });
});
