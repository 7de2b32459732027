/** A catalogue that Litestream replicates into a bucket, and restores on another machine (docs/operations/backup.md). */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { litestreamProgram } from '../../../lab/machine/folders.mjs';
import { spawnLive, type LiveProcess } from '../../../lab/machine/processes.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { replayLedger } from '../../../src/retention/certificates/copies.ts';
import { verifyCertificates } from '../../../src/retention/certificates/verify.ts';
import { replayHeads } from '../../../src/retention/heads/replayHeads.ts';
import { archiveStage } from '../../support/archive/archiving.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { eventually } from '../../support/poll.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const run = promisify(execFile);
const program = litestreamProgram();
const shipped = join(import.meta.dirname, '..', '..', '..', 'config', 'litestream.yml');
const folder = temporaryFolder();
const open = catalogues();
const bucket = 'preavis-backup';
const s3 = useS3Server({ [bucket]: {} });
const replica = z.looseObject({
  type: z.literal('s3'),
  bucket: z.literal(bucket),
  endpoint: z.string(),
  path: z.string(),
});
const shippedForm = z.object({
  dbs: z.tuple([z.object({ path: z.literal('/var/lib/preavis/catalogue.db'), replicas: z.tuple([replica]) })]),
});
let replicating: LiveProcess | undefined;

afterEach(async () => {
  await replicating?.stop({ graceMs: 20_000 });
});

/** A machine with a catalogue, and Litestream with the file that is shipped, but for the catalogue's path and the place of the store. */
async function machine(name: string) {
  const own = folder.path(name);
  await mkdir(own);
  const catalogue = `${own}/catalogue.db`;
  const {
    dbs: [{ replicas }],
  } = shippedForm.parse(parse(await readFile(shipped, 'utf8')));
  const endpoint = `http://${s3.server.endPoint}:${s3.server.port}`;
  const config = folder.path(`${name}.yml`);
  await writeFile(
    config,
    stringify({ dbs: [{ path: catalogue, replicas: [{ ...replicas[0], path: name, endpoint }] }] }),
  );
  const env = {
    PATH: process.env['PATH'],
    LITESTREAM_ACCESS_KEY_ID: s3.server.accessKey,
    LITESTREAM_SECRET_ACCESS_KEY: s3.server.secretKey,
  };
  let copies = 0;
  const restore = async (): Promise<string> => {
    const path = folder.path(`${name}-${(copies += 1)}.db`);
    await run(program, ['restore', '-config', config, '-o', path, catalogue], { env });

    return path;
  };

  return {
    set: await archiveStage(own, open),
    replicate: async () => {
      const logFile = folder.path(`${name}.log`);
      replicating = await spawnLive(program, ['replicate', '-config', config], { logFile, env });

      return replicating;
    },
    restore,
    /** What the bucket has is what a restoration makes of it. */
    untilBucketHas: (statuses: readonly string[]) =>
      eventually(
        async () => {
          const database = openSqlite(await restore());
          try {
            const found = database.prepare('SELECT status FROM recordings ORDER BY id').pluck().all();
            expect(found).toEqual(statuses);
          } finally {
            database.close();
          }
        },
        { everyMs: 500 },
      ),
  };
}

if (!existsSync(program)) process.stderr.write('litestream.test: not run: node lab/prepare.mjs --with litestream\n');

describe('a catalogue that Litestream replicates (needs node lab/prepare.mjs --with litestream)', () => {
  const needsLitestream = existsSync(program) ? test : test.skip;

  needsLitestream('is restored as it was, and what was erased since is erased again', async () => {
    const { set, replicate, restore, untilBucketHas } = await machine('lost');
    const litestream = await replicate();
    const calls = [await archivedCall(set), await archivedCall(set)];
    await untilBucketHas(['archived', 'archived']);
    await litestream.stop({ signal: 'SIGKILL', graceMs: 0 });
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ due: 2, erased: 2 });

    const now = { ...set, catalogue: open(await restore(), set.clock) };
    const statuses = () => Promise.all(calls.map(async ({ id }) => (await now.catalogue.recordings.find(id))?.status));
    expect(await statuses()).toEqual(['archived', 'archived']);
    expect(await replayLedger(now, { dryRun: false })).toMatchObject({ certificates: 2 });
    expect(await statuses()).toEqual(['erased', 'erased']);
    expect(await replayHeads({ ...now, since: 0 }, { dryRun: false, by: 'user tester' })).toBe('acknowledged');
    const { faults } = await verifyCertificates({ ...now, since: 0 }, { signal: new AbortController().signal });
    expect(faults).toEqual([]);
  });

  needsLitestream('keeps in its log what was erased, until Litestream is started anew', async () => {
    const { set, replicate, untilBucketHas } = await machine('log');
    await archivedCall(set);
    const litestream = await replicate();
    await untilBucketHas(['archived']);
    set.clock.at = due;
    expect(await erasePass(set)).toMatchObject({ erased: 1 });
    expect(await set.catalogue.file.emptyLog()).toBe('busy');
    await litestream.stop({ graceMs: 20_000 });
    await eventually(async () => {
      expect(await set.catalogue.file.emptyLog()).toBe('empty');
    });
    await archivedCall(set);
    await replicate();
    await untilBucketHas(['erased', 'archived']);
  });
});
