/**
 * Starts the S3 server that the test files of a run share, and ends it when the run is gone or tells it to end (SIGTERM).
 * However this process ends, its clean-up process ends what is left.
 *
 *   node --import tsx lab/store/storeKeeper.ts FOLDER RUN_PID RUN_START_TIME
 */
import { setPriority } from 'node:os';
import { isAlive } from '../machine/records.mjs';
import { answer } from './sharedStore.mjs';
import { startStore } from './store.ts';

/** Not that of the worker that needs it first (test/run/environment.mjs): six wait for this one, and some for two seconds only. */
const nice = 0;
const lookEachMs = 200;
const [folder = '', pid = '', startTime = ''] = process.argv.slice(2);
const run = { pid: Number(pid), startTime };

const over = new Promise<undefined>((resolve) => {
  process.on('SIGTERM', () => {
    resolve(undefined);
  });
  setInterval(() => {
    if (!isAlive(run)) resolve(undefined);
  }, lookEachMs);
});

if (process.getuid?.() === 0) setPriority(nice);
try {
  const store = await Promise.race([startStore(), over]);
  // Over while it starts: the clean-up process ends what there is of it.
  if (store === undefined) process.exit(1);
  const { endPoint, port, region, accessKey, secretKey } = store;
  answer(folder, { store: { endPoint, port, region, accessKey, secretKey } });
  await over;
  await store.stop();
  process.exit(0);
} catch (error) {
  answer(folder, { error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
