import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from '../../lab/machine/folders.mjs';
import type { LabRecord, ProcessIdentity } from '../../lab/machine/records.mjs';

/** What this process has started and made, as the lab has written it down. */
export function recordsOf({ pid }: Pick<ProcessIdentity, 'pid'>): LabRecord[] {
  const files = readdirSync(runFolder()).filter((name) => name.endsWith('.json'));
  return files.flatMap((name) => {
    try {
      const record = JSON.parse(readFileSync(join(runFolder(), name), 'utf8')) as LabRecord & {
        owner: ProcessIdentity;
      };
      return record.owner.pid === pid ? [record] : [];
    } catch {
      // Removed meanwhile: of another test.
      return [];
    }
  });
}
