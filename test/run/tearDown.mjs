/** After all tests: the shared S3 server ends, then the watch, which removes what both wrote. */
import { once } from 'node:events';
import { endSharedStore } from '../../lab/store/sharedStore.mjs';

export default async function tearDown() {
  await endSharedStore();
  const watch = globalThis.preavisWatch;
  if (watch === undefined || watch.exitCode !== null || watch.signalCode !== null) return;
  const ended = once(watch, 'exit');
  watch.ref();
  watch.stdin.end();
  await ended;
}
