import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../../../lab/rig.ts';
import { openCatalogue, openPostgresCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { systemClock } from '../../../src/core/clock.ts';

type Opened = { catalogue: Promise<Catalogue>; close: () => void; looks: number; closing: NodeJS.Timeout | undefined };

/** To open a catalogue takes some 7 ms of a processor: one that is polled stays open until it was not looked at for so long, ms. */
const idleMs = 200;
const opened = new Map<string, Opened>();

type Located = Pick<Rig, 'folder' | 'database'>;

const fileOf = ({ folder }: Located): string => join(folder, 'catalogue.db');
const placeOf = (rig: Located): string => rig.database ?? fileOf(rig);

/** Whether there may be one: where a file has it, a Préavis that never ran has none. */
export const hasCatalogue = (rig: Located): boolean => rig.database !== undefined || existsSync(fileOf(rig));

function open(rig: Located): Opened {
  const unused = { looks: 0, closing: undefined };
  const options = { mustExist: true };
  if (rig.database === undefined) {
    const catalogue = openCatalogue(fileOf(rig), systemClock, options);

    return { ...unused, catalogue: Promise.resolve(catalogue), close: catalogue.close };
  }
  const catalogue = openPostgresCatalogue({ url: rig.database, connections: 2 }, systemClock, options);
  const close = (): void => {
    void catalogue.then((made) => {
      made.close();
    });
  };

  return { ...unused, catalogue, close };
}

/** Looks into the catalogue of a rig, beside serve. */
export async function withCatalogue<T>(rig: Located, look: (catalogue: Catalogue) => Promise<T>): Promise<T> {
  const place = placeOf(rig);
  const used = opened.get(place) ?? open(rig);
  opened.set(place, used);
  clearTimeout(used.closing);
  used.looks += 1;
  try {
    // While its database is away there is none, and the next look opens it.
    const catalogue = await used.catalogue.catch((error: unknown) => {
      opened.delete(place);
      throw error;
    });

    return await look(catalogue);
  } finally {
    used.looks -= 1;
    if (used.looks === 0 && opened.get(place) === used) {
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
export function closePolled(rig: Located): void {
  const place = placeOf(rig);
  const known = opened.get(place);
  if (known === undefined || known.looks > 0) return;
  clearTimeout(known.closing);
  opened.delete(place);
  known.close();
}
