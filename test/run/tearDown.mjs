/** After all tests: the watch ends and removes what it wrote. */
import { once } from 'node:events';

export default async function tearDown() {
  const watch = globalThis.preavisWatch;
  if (watch === undefined || watch.exitCode !== null || watch.signalCode !== null) return;
  const ended = once(watch, 'exit');
  watch.ref();
  watch.stdin.end();
  await ended;
}
