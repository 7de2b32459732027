/**
 * By a small object in the archive a catalogue is known to be the one of it. So an empty catalogue, which is made where the folder of the real one is not
 * mounted, does not begin beside recordings that it knows nothing of.
 */
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { objectPrefix } from './objectKeys.ts';
import type { ObjectStore } from './store.ts';
import { within } from './stoppable.ts';

export const catalogueMarkerPrefix = 'catalogues/';
export const markerKey = (identity: string): string => `${catalogueMarkerPrefix}${identity}.mark`;

export type MarkerPorts = {
  /** undefined before there is one: then nothing is written. */
  catalogue: CataloguePart<{ file: 'identity'; recordings: 'knownObject'; passes: 'last' | 'note' }> | undefined;
  store: Pick<ObjectStore, 'location' | 'list' | 'stat' | 'putText'>;
};

/**
 * Sees whether this archive may be the one of this catalogue, and marks it as such.
 *
 * @param isMeant somebody has said that a new catalogue is meant to begin here
 * @throws PreavisError `catalogue_new`: the archive is another catalogue's, and this one knows of nothing in it; and what the archive throws
 */
export async function markCatalogue(
  { catalogue, store }: MarkerPorts,
  { isMeant, signal }: { isMeant: boolean; signal: AbortSignal },
): Promise<void> {
  return within(signal, async () => {
    const key = catalogue === undefined ? undefined : markerKey(await catalogue.file.identity());
    if (key !== undefined && (await store.stat(key)) !== undefined) return;
    const isNew = catalogue === undefined || (await catalogue.recordings.knownObject(store.location)) === 'never';
    if (isNew && !isMeant && !(await wasMeant({ catalogue, store })) && (await isOfAnother(store, key))) {
      throw new PreavisError(
        'catalogue_new',
        `the archive ${store.location} belongs to another catalogue, and the configured one is new and has none of its recordings`,
      );
    }
    if (key !== undefined) await store.putText(key, '{"catalogue":1}\n', 'application/json', signal);
  });
}

/** In the catalogue: it was said once, and the archive may not have answered then. */
const meantBeside = ({ location }: Pick<ObjectStore, 'location'>): string => `new catalogue beside ${location}`;

async function wasMeant({ catalogue, store }: MarkerPorts): Promise<boolean> {
  return (await catalogue?.passes.last(meantBeside(store))) !== undefined;
}

/** @param own the mark of this catalogue, which another process of it may have stored since it was looked for */
async function isOfAnother(store: Pick<ObjectStore, 'list'>, own: string | undefined): Promise<boolean> {
  for (const prefix of [catalogueMarkerPrefix, objectPrefix]) {
    // One is enough.
    for await (const { key } of store.list(prefix)) if (key !== own) return true;
  }

  return false;
}

/** How long a start waits for the archive to say whose it is, ms. */
const startLimitMs = 10_000;

/** For a start: an archive that does not answer keeps nobody from calling, and what is meant is remembered. Throws catalogue_new. */
export async function markAtStart(
  ports: MarkerPorts,
  { isMeant, clock, log }: { isMeant: boolean; clock: Clock; log: Logger },
): Promise<void> {
  if (isMeant) await ports.catalogue?.passes.note(meantBeside(ports.store), clock.now());
  try {
    await markCatalogue(ports, { isMeant, signal: timeLimit(startLimitMs) });
  } catch (thrown) {
    const { code } = asPreavisError(thrown);
    if (code === 'catalogue_new') throw thrown;
    log.debug({ code }, 'archive owner unknown; will check before the first upload');
  }
}

/**
 * Before each upload pass, until it was seen once that the archive is the one of this catalogue. One that does not answer is told by the
 * pass. Throws catalogue_new: then nothing may be stored there.
 */
export function makeMarking(ports: MarkerPorts): () => Promise<void> {
  let isMarked = false;

  return async () => {
    if (isMarked) return;
    try {
      await markCatalogue(ports, { isMeant: false, signal: timeLimit(startLimitMs) });
      isMarked = true;
    } catch (thrown) {
      if (asPreavisError(thrown).code === 'catalogue_new') throw thrown;
    }
  };
}
