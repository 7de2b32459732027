import { join } from 'node:path';
import type { Rig } from '../../../lab/rig.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../src/core/clock.ts';

type Opened = { catalogue: Catalogue; looks: number; closing: NodeJS.Timeout | undefined };

/** To open a catalogue takes some 7 ms of a processor: one that is polled stays open until it was not looked at for so long, ms. */
const idleMs = 200;
const opened = new Map<string, Opened>();

const fileOf = (rig: Rig): string => join(rig.folder, 'catalogue.db');

function open(file: string): Opened {
  const catalogue = openCatalogue(file, systemClock, { mustExist: true });
  const made: Opened = { catalogue, looks: 0, closing: undefined };
  opened.set(file, made);

  return made;
}

/** Looks into the catalogue of a rig, beside serve. */
export async function withCatalogue<T>(rig: Rig, look: (catalogue: Catalogue) => Promise<T>): Promise<T> {
  const file = fileOf(rig);
  const used = opened.get(file) ?? open(file);
  clearTimeout(used.closing);
  used.looks += 1;
  try {
    return await look(used.catalogue);
  } finally {
    used.looks -= 1;
    if (used.looks === 0) {
      used.closing = setTimeout(() => {
        closePolled(rig);
      }, idleMs);
    }
  }
}

/**
 * Closes it now, unless somebody is looking. Who closes a catalogue last writes its WAL into it: where serve is killed meanwhile, the
 * next one would not find what the dead one has left. Beside a serve that runs, nobody is the last.
 */
export function closePolled(rig: Rig): void {
  const file = fileOf(rig);
  const known = opened.get(file);
  if (known === undefined || known.looks > 0) return;
  clearTimeout(known.closing);
  opened.delete(file);
  known.catalogue.close();
}
