/**
 * An upload pass of many recordings against `mc mirror` of the same files to the same real S3 server, in turn:
 * `npm run bench:upload [-- --files 500 --mib 1 --rounds 3]`. A pass reads every object back before it counts, and stores a receipt
 * beside it, which the mirror does not: a second figure is what that takes by the same tools, the receipts mirrored, all mirrored
 * back and hashed. Prints MiB/s of each round and the most memory of this process.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startStore, type LabStore } from '../lab/store/store.ts';
import { makeMinioStore } from '../src/store/s3/store.ts';
import { spoolFile } from '../src/archive/finish/spool.ts';
import { uploadPass } from '../src/archive/uploadPass.ts';
import { textDigest } from '../src/store/digest.ts';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { openSqlite } from '../src/catalogue/sqlite/sqlite.ts';
import { systemClock } from '../src/core/clock.ts';
import { makeLog } from '../src/core/log.ts';
import { measured } from './figures.ts';
import { idOf, makeManyRows } from './manyRows.ts';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '500' },
    mib: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    'at-once': { type: 'string', default: '4' },
  },
});
const files = Number(values.files);
const bytes = Number(values.mib) * 1024 * 1024;
const run = promisify(execFile);

async function measure(name: string, step: () => Promise<unknown>): Promise<void> {
  const { ms, before, most } = await measured(20, step);
  const seconds = ms / 1_000;
  const rate = (files * bytes) / 1024 / 1024 / seconds;
  const memory = `memory ${before.toFixed(0)} MiB before, most ${most.toFixed(0)} MiB`;
  process.stdout.write(`${name}: ${seconds.toFixed(1)} s, ${rate.toFixed(0)} MiB/s; ${memory}\n`);
}

const receiptOf = (id: string): string => `{"receipt":"${id}"}\n`;

async function round(folder: string, server: LabStore, number: number): Promise<void> {
  const bucket = `bench-${number}`;
  await server.makeBucket(bucket, { versioning: true });
  await server.makeBucket(`${bucket}-mc`, { versioning: true });
  const spoolFolder = join(folder, `spool-${number}`);
  await mkdir(spoolFolder);
  const store = makeMinioStore({ ...server, useTls: false, bucket });
  const file = join(folder, `${number}.db`);
  makeManyRows(file, { rows: files, due: 0, now: Date.now(), archive: store.location });
  const database = openSqlite(file);
  const recorded = database.prepare(`
    UPDATE recordings SET status = 'recorded', bytes = ?, sha256 = ?, archive = NULL, object_key = NULL, receipt_key = NULL
    WHERE id = ?`);
  for (let each = 1; each <= files; each += 1) {
    const wav = randomBytes(bytes / 2).toString('hex');
    await writeFile(spoolFile(spoolFolder, idOf(each)), wav);
    recorded.run(bytes, textDigest(wav).sha256, idOf(each));
  }
  database.close();
  const mc = ['--config-dir', join(folder, 'mc')];
  const address = `http://${server.endPoint}:${server.port}`;
  await run('minio-client', [...mc, 'alias', 'set', 'lab', address, server.accessKey, server.secretKey]);
  await measure(`round ${number}, mc mirror`, () =>
    run('minio-client', [...mc, 'mirror', '--quiet', spoolFolder, `lab/${bucket}-mc`], { maxBuffer: 2 ** 26 }),
  );
  await measure(`round ${number}, mc mirror of receipts, and back, and sha256sum`, async () => {
    const [receipts, back] = [join(folder, `receipts-${number}`), join(folder, `back-${number}`)];
    await mkdir(receipts);
    for (let each = 1; each <= files; each += 1) await writeFile(join(receipts, `${each}.json`), receiptOf(idOf(each)));
    await run('minio-client', [...mc, 'mirror', '--quiet', receipts, `lab/${bucket}-mc`], { maxBuffer: 2 ** 26 });
    await run('minio-client', [...mc, 'mirror', '--quiet', `lab/${bucket}-mc`, back], { maxBuffer: 2 ** 26 });
    await run('sh', ['-c', 'find "$1" -type f -exec sha256sum {} +', 'sh', back], { maxBuffer: 2 ** 26 });
    await rm(back, { recursive: true });
  });
  const catalogue = openCatalogue(file, systemClock);
  const ports = {
    catalogue,
    store,
    spoolFolder,
    receiptOf: (id: string) => Promise.resolve(receiptOf(id)),
    clock: systemClock,
    random: Math.random,
    log: makeLog('silent', process.stderr),
    actor: 'command',
    atOnce: Number(values['at-once']),
    attemptMs: 60_000,
    alreadyLogged: new Set<string>(),
    isRemovalProved: () => Promise.resolve(false),
    locks: new Map(),
  };
  const cpuBefore = process.cpuUsage();
  await measure(`round ${number}, preavis upload`, async () => {
    const { sent } = await uploadPass(ports, { waitMs: 0, signal: new AbortController().signal });
    if (sent !== files) throw new Error(`only ${sent} were sent`);
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  process.stdout.write(`round ${number}, CPU of preavis upload: ${((user + system) / 1e6).toFixed(1)} s\n`);
  catalogue.close();
  await rm(spoolFolder, { recursive: true });
}

const folder = await mkdtemp(join(tmpdir(), 'preavis-bench-'));
const server = await startStore({ medium: 'disk' });
try {
  process.stdout.write(`${files} files of ${bytes / 2 ** 20} MiB, ${values['at-once']} uploads at once\n`);
  for (let number = 1; number <= Number(values.rounds); number += 1) await round(folder, server, number);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
