/** Before all tests: starts what watches whether the machine keeps the lab's time, and says where a shared S3 server may be. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runFolder } from '../../lab/machine/folders.mjs';
import { shareStore } from '../../lab/store/sharedStore.mjs';

const program = fileURLToPath(new URL('../../lab/machine/watch.mjs', import.meta.url));

/** What explains a failure is of no use a day later. */
const keptMs = 86_400_000;

function removeOldTraces() {
  const folder = join(runFolder(), 'failed');
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > keptMs) rmSync(path, { recursive: true, force: true });
  }
}

/** Packets from before the capture would count as on time, unseen. */
async function captureBegins(folder) {
  const [packets, late] = [join(folder, 'packets.pcap'), join(folder, 'late.txt')];
  const cannot = () => existsSync(late) && readFileSync(late, 'utf8').includes('noCapture');
  for (let tries = 0; tries < 1500 && !existsSync(packets) && !cannot(); tries += 1) await sleep(20);
}

export default async function setUp() {
  removeOldTraces();
  const folder = join(runFolder(), `watch-${process.pid}`);
  const watch = spawn(process.execPath, [program, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  watch.unref();
  watch.stdin.unref();
  // It has ended before us: then nothing is watched any more.
  watch.stdin.on('error', () => undefined);
  // The tests' processes inherit it.
  process.env['PREAVIS_LAB_WATCH'] = folder;
  // Below the folder that the watch removes, however the run ends.
  shareStore(join(folder, 'store'));
  globalThis.preavisWatch = watch;
  await captureBegins(folder);
}
