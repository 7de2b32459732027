import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse, stringify } from 'yaml';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { serveLease } from '../../../src/catalogue/jobs/leases.ts';
import { renewEveryMs } from '../../../src/serve/serveLease.ts';
import { elsewhere, onlyServe } from '../../support/catalogue/holders.ts';
import { eventually } from '../../support/poll.ts';
import { withCatalogue } from '../../support/rig/rigCatalogue.ts';
import { expectNobodyConnected, finishedRecording, useRig } from '../../support/rig/rigs.ts';

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1500, atOnce: 4 }),
  );
  return {
    extensions: { first: `${agent.dialString},20,line=first`, then: `${agent.dialString},20,line=then` },
    config: { lines: { first: line, then: line } },
  };
});

/** The running serve has noticed nothing: it is the same process, well, and records the next call. */
async function expectUndisturbed(pid: number | undefined, extension: string): Promise<void> {
  expect(at.rig.servePid()).toBe(pid);
  const health = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
  const { stdout } = await at.rig.preavis('--version');
  const told: unknown = await health.json();
  expect([health.status, told]).toMatchObject([
    200,
    { version: stdout.trim(), status: 'ok', asterisk: 'connected', calls: 0 },
  ]);
  // It has no name.
  expect(told).not.toHaveProperty('pbx');
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: extension, tone: await continuousTone(440) }),
  );
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  await finishedRecording(at.rig, extension);
  await expectNobodyConnected(at.rig);
}

it('compares recording folder, catalogue and archive at its start, and says what it cannot mend', async () => {
  const { rig } = at;
  const objects = join(rig.archiveFolder, 'recordings');
  mkdirSync(objects);
  writeFileSync(join(objects, 'foreign.wav'), 'x');
  await rig.stopServe();
  await rig.startServe();
  await eventually(() => {
    expect(rig.log()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        msg: 'spool, catalogue and archive inconsistent',
        left: { unknownObject: 1 },
      }),
    );
  });
  // Said by the serve before, too, perhaps.
  await eventually(async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${rig.healthPort}/metrics`)).text();
    expect(metrics).toContain('preavis_reconcile_left{kind="unknownObject"} 1');
  });
  rmSync(objects, { recursive: true });
});

it('refuses a second serve on the same catalogue, naming the first, which goes on', async () => {
  const pid = at.rig.servePid();
  // An upload knows from this that somebody sees to the calls that are on.
  const servedMs = (): Promise<number> =>
    withCatalogue(at.rig, async (all) => (await all.leases.notServedMs(onlyServe)) ?? NaN);
  await eventually(async () => {
    expect(await servedMs()).toBeLessThan(20_000);
  });
  const second = await at.rig.preavis('serve');
  expect([second.code, second.stdout.includes('"msg":"serving"')]).toEqual([1, false]);
  expect(second.stderr).toContain(
    `preavis: job_busy: two instances with one id: another process (${String(pid)} on ${hostname()}) serves the application preavis`,
  );
  await expectUndisturbed(pid, 'first');
});

it('refuses a recording folder that is not where this Asterisk records, before it takes any call', async () => {
  const pid = at.rig.servePid();
  const spoolFolder = join(at.rig.folder, 'elsewhere');
  mkdirSync(spoolFolder);
  const config = parse(readFileSync(join(at.rig.folder, 'preavis.yaml'), 'utf8')) as Record<string, object>;
  const wrong = {
    ...config,
    recording: { ...config['recording'], spoolFolder },
    catalogue: { file: join(at.rig.folder, 'other.db') },
    // The archive of the rig belongs to its own catalogue.
    archive: { ...config['archive'], store: 'directory', directory: { folder: join(at.rig.folder, 'other-archive') } },
  };
  const file = join(at.rig.folder, 'wrong.yaml');
  writeFileSync(file, stringify(wrong));
  const said = `recording.spoolFolder ${spoolFolder} is not where this Asterisk records`;

  const serve = await at.rig.preavis('--config', file, 'serve');
  expect(serve.code).toBe(1);
  expect(serve.stderr).toContain(`preavis: spool_unusable: ${said}`);
  const check = await at.rig.preavis('--config', file, 'check', '--json');
  expect(check.code).toBe(1);
  const { checks } = JSON.parse(check.stdout) as { checks: { check: string; ok: boolean }[] };
  expect(checks.filter(({ ok }) => !ok)).toEqual([
    expect.objectContaining({ check: 'spool of this asterisk', code: 'spool_unusable', problem: said }),
  ]);
  expect(readdirSync(spoolFolder)).toEqual([]);
  await expectUndisturbed(pid, 'then');
});

it('that stood still until another serve has had its calls ends in words, and one that is started serves again', async () => {
  const pid = at.rig.servePid() ?? 0;
  const notServedMs = (): Promise<number | undefined> =>
    withCatalogue(at.rig, ({ leases }) => leases.notServedMs(onlyServe));
  await eventually(async () => (await notServedMs()) !== undefined);
  process.kill(pid, 'SIGSTOP');
  try {
    // So it is time to note that calls are watched, and to look for the lease.
    await eventually(async () => {
      expect(await notServedMs()).toBeGreaterThan(renewEveryMs + 1_000);
    });
    const database = new Database(join(at.rig.folder, 'catalogue.db'));
    database.exec(`UPDATE leases SET until = 0, boot_until = 0 WHERE job = '${serveLease(onlyServe)}'`);
    database.close();
    await withCatalogue(at.rig, async ({ leases }) => {
      const taking = await leases.take(serveLease(onlyServe), elsewhere());
      if (taking.kind === 'taken') await leases.release(taking.turn);
    });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await eventually(() => {
    expect(at.rig.servePid()).toBeUndefined();
  });
  // Calls are watched by the other one, or by nobody.
  expect(await notServedMs()).toBeGreaterThan(renewEveryMs + 1_000);
  expect(readFileSync(at.rig.logFile, 'utf8')).toContain(
    'preavis: lease_lost: another process, which has ended since, has taken the application preavis, while this one stood still',
  );
  await at.rig.startServe();
  await expectUndisturbed(at.rig.servePid(), 'first');
});
