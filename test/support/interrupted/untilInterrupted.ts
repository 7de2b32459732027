import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Says that everything runs, by a file in the folder that interruption.test.ts names, and waits. */
export async function untilInterrupted(name: string): Promise<void> {
  writeFileSync(join(process.env['PREAVIS_TEST_READY'] ?? '', name), '');
  await sleep(170_000);
}
