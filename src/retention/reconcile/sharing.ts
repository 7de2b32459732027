import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';

/** What one of several PBXs compares, where they share catalogue and archive. */

const archiveCompared = 'archive compared';
/** A day's comparison by one PBX is enough for all of them, ms. */
const againMs = 12 * 60 * 60_000;

/**
 * Of one process: that it leaves the archive to another one which has compared it within half a day, and since this process has begun. What it
 * has compared itself it compares again: its metrics and its log are where the findings are.
 */
export class ArchiveSharing {
  readonly #since: number;
  #ownAt: number | undefined;

  /** @param since when this process has begun, ms since 1970 UTC: before that, the catalogue may have been put back */
  constructor(since: number) {
    this.#since = since;
  }

  /** @param now ms since 1970 UTC */
  async isDue({ passes }: CataloguePart<{ passes: 'last' }>, now: number): Promise<boolean> {
    const last = await passes.last(archiveCompared);
    if (last === undefined || last === this.#ownAt) return true;

    return last < this.#since || last > now || now - last >= againMs;
  }

  async noteCompared({ passes }: CataloguePart<{ passes: 'note' }>, now: number): Promise<void> {
    await passes.note(archiveCompared, now);
    this.#ownAt = now;
  }
}

type Comparing = { catalogue: CataloguePart<{ recordings: 'isHere' }>; pbx?: string | undefined };

/** What is not in the archive lies at its own PBX, and what is in it is compared with the archive. */
export async function isCompared(
  { id, status }: RecordingRow,
  withArchive: boolean,
  { catalogue, pbx }: Comparing,
): Promise<boolean> {
  if (status === 'archived' || status === 'erased') return withArchive;

  return pbx === undefined || (await catalogue.recordings.isHere(id));
}
