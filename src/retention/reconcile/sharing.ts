import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';

/** What one of several PBXs compares, where they share catalogue and archive. */

const archiveCompared = 'archive compared';
/** A day's comparison by one PBX is enough for all of them, ms. */
const againMs = 12 * 60 * 60_000;

/** Whether nobody has compared the archive within half a day of `now`, ms since 1970 UTC. */
export async function isArchiveDue({ passes }: CataloguePart<{ passes: 'last' }>, now: number): Promise<boolean> {
  const last = await passes.last(archiveCompared);

  return last === undefined || last > now || now - last >= againMs;
}

export async function noteArchiveCompared({ passes }: CataloguePart<{ passes: 'note' }>, now: number): Promise<void> {
  await passes.note(archiveCompared, now);
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
