/** Where the `serve` of a rig has opened the API and the console. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from '../rig.ts';

const limitMs = 60_000;
const lookEachMs = 50;

/** Resolves when it listens: `serve` starts it once calls are served. Rejects where it does not within a minute. */
export async function servedConsole(rig: Rig): Promise<string> {
  const until = Date.now() + limitMs;
  for (;;) {
    const { url } = rig.log().find(({ msg }) => msg === 'listening') ?? {};
    if (typeof url === 'string') return url;
    if (Date.now() > until)
      throw new Error(`The console did not start within ${limitMs / 1_000} s. See ${rig.logFile}.`);
    await sleep(lookEachMs);
  }
}
