/**
 * One retention pass over very many rows of which some are due: `npm run bench:retention [-- --rows 1000000 --due 10000
 * --store directory|minio]`. Prints its time, the most memory that the process had beyond what it had before, and what a second pass,
 * with nothing due, takes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { startStore } from '../lab/store/store.ts';
import { makeDirectoryStore } from '../src/store/directory/store.ts';
import { makeMinioStore } from '../src/store/s3/store.ts';
import type { ObjectStore } from '../src/store/store.ts';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { makeLog } from '../src/core/log.ts';
import { openSigner } from '../src/core/crypto/signing.ts';
import { retentionPass } from '../src/retention/pass.ts';
import { makeLedger } from '../src/retention/certificates/ledger.ts';
import { decisionsIn } from '../test/support/call/decisions.ts';
import { measured } from './figures.ts';
import { isDue, keyOf, makeManyRows } from './manyRows.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    due: { type: 'string', default: '10000' },
    store: { type: 'string', default: 'directory' },
  },
});
const rows = Number(values.rows);
const due = Number(values.due);
const never = (): AbortSignal => AbortSignal.timeout(600_000);

async function openStore(folder: string): Promise<{ store: ObjectStore; stop: () => Promise<void> }> {
  if (values.store !== 'minio') {
    return { store: makeDirectoryStore({ folder: join(folder, 'archive') }), stop: () => Promise.resolve() };
  }
  const server = await startStore();
  await server.makeBucket('bench', { versioning: true });
  const store = makeMinioStore({ ...server, useTls: false, bucket: 'bench' });

  return { store, stop: () => server.stop() };
}

const folder = await mkdtemp(join(tmpdir(), 'preavis-bench-'));
const { store, stop } = await openStore(folder);
try {
  await store.check();
  const now = Date.now();
  const file = join(folder, 'catalogue.db');
  makeManyRows(file, { rows, due, now, archive: store.location });
  const limit = pLimit(16);
  const numbers = Array.from({ length: rows }, (_, index) => index + 1).filter((each) => isDue(each, { rows, due }));
  await Promise.all(
    numbers.map((number) =>
      limit(async () => {
        await store.putText(`${keyOf(number)}.wav`, 'x'.repeat(1_000), 'audio/wav', never());
        await store.putText(`${keyOf(number)}.json`, '{}', 'application/json', never());
      }),
    ),
  );
  const clock = { now: () => now };
  const catalogue = openCatalogue(file, clock);
  const ports = {
    catalogue,
    decisions: decisionsIn(folder, catalogue, clock),
    store,
    spoolFolder: folder,
    ledger: makeLedger(join(folder, 'erasures.jsonl')),
    signer: () => openSigner(join(folder, 'signing-key.pem')),
    trusts: () => Promise.resolve(true),
    clock,
    log: makeLog('silent', process.stderr),
    actor: 'command',
    atOnce: 4,
    certificatesKeptMs: 3_653 * 86_400_000,
    callersKeptMs: 90 * 86_400_000,
    dialledKeptMs: 0,
    tracesKeptMs: 395 * 86_400_000,
    headLock: undefined,
  };
  process.stdout.write(`${rows} recordings, ${numbers.length} due, archive: ${store.kind}\n`);
  for (const name of ['first pass', 'second pass']) {
    const { value, ms, before, most } = await measured(50, () =>
      retentionPass(ports, { dryRun: false, waitMs: 0, signal: never() }),
    );
    const { erased } = value;
    const each = erased === 0 ? '' : `, ${(ms / erased).toFixed(2)} ms a recording`;
    const memory = `memory ${before.toFixed(0)} MiB before, most ${most.toFixed(0)} MiB`;
    process.stdout.write(`${name}: ${erased} erased in ${(ms / 1_000).toFixed(1)} s${each}; ${memory}\n`);
  }
  catalogue.close();
} finally {
  await stop();
  await rm(folder, { recursive: true, force: true });
}
