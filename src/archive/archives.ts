import type { CataloguePart } from '../catalogue/catalogue.ts';
import { PreavisError } from '../core/errors.ts';
import type { ObjectStore } from '../store/store.ts';

/** The archive that is configured, and those of before it (archive.former), which may still have something. */
export type Archives = { store: ObjectStore; former?: readonly ObjectStore[] | undefined };

export function everyArchive({ store, former = [] }: Archives): ObjectStore[] {
  return [store, ...former];
}

/** @throws PreavisError `archive_changed` for an archive that is not configured. */
export function archiveAt(location: string | null, archives: Archives): ObjectStore {
  const found = everyArchive(archives).find((store) => store.location === location);
  if (found !== undefined) return found;
  const where = location ?? 'an archive that is not known';
  throw new PreavisError('archive_changed', `it lies in ${where}, configured is ${archives.store.location}`);
}

/** What lies in one archive beside the configured one. */
export type Elsewhere = {
  archive: string;
  /** Whether it is one of archive.former: what lies there is fetched and erased there. */
  isConfigured: boolean;
  recordings: number;
  newest: string | undefined;
  /** Of recordings that lie in another one. */
  copies: number;
  /** A lock keeps some of them as long, ms since 1970 UTC. */
  lockedUntil: number | null;
};

/** What the catalogue knows to lie in other archives than the configured one. */
export async function whatLiesElsewhere(
  archives: Archives,
  catalogue: CataloguePart<{ archiveCopies: 'archiveUse' | 'left' }>,
): Promise<Elsewhere[]> {
  const use = await catalogue.archiveCopies.archiveUse();
  const left = await catalogue.archiveCopies.left();
  const names = new Set([...use, ...left].map(({ archive }) => archive));
  names.delete(archives.store.location);

  return [...names].map((archive) => {
    const { recordings = 0, newest } = use.find((each) => each.archive === archive) ?? {};
    const { copies = 0, lockedUntil = null } = left.find((each) => each.archive === archive) ?? {};
    const isConfigured = everyArchive(archives).some(({ location }) => location === archive);

    return { archive, isConfigured, recordings, newest, copies, lockedUntil };
  });
}
