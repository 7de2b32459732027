import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../../lab/rig.ts';
import { openCatalogue, type Catalogue } from '../../src/catalogue/catalogue.ts';
import { systemClock } from '../../src/core/clock.ts';

type Opened = { catalogue: Catalogue; inode: number; looks: number; closing: NodeJS.Timeout | undefined };

/** To open a catalogue takes some 7 ms of a processor: one that is polled stays open until it was not looked at for so long, ms. */
const idleMs = 200;
const opened = new Map<string, Opened>();

function close(file: string, { catalogue }: Opened): void {
  opened.delete(file);
  catalogue.close();
}

/** The file that is there now: it may have been restored meanwhile. */
function current(file: string): Opened {
  const inode = statSync(file, { throwIfNoEntry: false })?.ino;
  const known = opened.get(file);
  if (known !== undefined && known.inode === inode) return known;
  if (known?.looks === 0) close(file, known);
  const catalogue = openCatalogue(file, systemClock, { mustExist: true });
  const made: Opened = { catalogue, inode: statSync(file).ino, looks: 0, closing: undefined };
  opened.set(file, made);

  return made;
}

/** Looks into the catalogue of a rig, beside serve. */
export async function withCatalogue<T>(rig: Rig, look: (catalogue: Catalogue) => Promise<T>): Promise<T> {
  const file = join(rig.folder, 'catalogue.db');
  const used = current(file);
  clearTimeout(used.closing);
  used.looks += 1;
  try {
    return await look(used.catalogue);
  } finally {
    used.looks -= 1;
    if (used.looks === 0) {
      if (opened.get(file) !== used) used.catalogue.close();
      else {
        used.closing = setTimeout(() => {
          close(file, used);
        }, idleMs);
      }
    }
  }
}
