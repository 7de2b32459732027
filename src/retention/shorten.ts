import { lockNoted } from '../archive/lockUploads.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { isActive } from '../catalogue/retention/legalHolds.ts';
import type { Clock } from '../core/clock.ts';
import type { Decisions } from './decisions.ts';
import type { RecordingId } from '../core/ids.ts';
import { pagesOf } from '../core/pages.ts';

export type ShortenPorts = {
  catalogue: CataloguePart<{ recordings: 'longerKept' | 'purposeEnds'; legalHolds: 'of'; auditTrail: 'of' }>;
  decisions: Pick<Decisions, 'shorten'>;
  clock: Clock;
};

/** `keepMs` after its end a recording is no more to be kept for the purpose. */
export type ShortenOrder = {
  purpose: string;
  keepMs: number;
  apply: boolean;
  /** Ends it between two batches; its reason is thrown. */
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
};

export type Shortened = {
  /** Recordings that were kept longer. */
  longer: number;
  /** Those of them whose use for this purpose so is over. */
  over: number;
  /** Those of these that stay for a hold. */
  held: number;
  /** Those of these that another purpose keeps. */
  otherPurpose: number;
  /** Those of these that an Object Lock keeps in the archive, held or not. */
  locked: number;
  /** When the last of these locks ends, ms since 1970 UTC. */
  lockedUntil: number | undefined;
};

const batch = 500;

/**
 * Puts the end of a purpose forward for recordings that were made under a longer policy; never back, since the caller was told
 * the time that held then. Interrupted, it is done again.
 */
export async function shortenPass(
  { catalogue, decisions, clock }: ShortenPorts,
  { purpose, keepMs, apply, signal, progress }: ShortenOrder,
): Promise<Shortened> {
  const at = clock.now();
  const result: Shortened = { longer: 0, over: 0, held: 0, otherPurpose: 0, locked: 0, lockedUntil: undefined };
  const page = (after: string) => catalogue.recordings.longerKept(purpose, keepMs, after, batch);
  for await (const ends of pagesOf(batch, '', page, ({ id }) => id)) {
    signal?.throwIfAborted();
    result.longer += ends.length;
    for (const { id } of ends.filter(({ to }) => to <= at)) await countOver({ id, purpose }, result, catalogue, at);
    const shorter = ends.map(({ id, to }) => ({ recording: id, purpose, to }));
    if (apply) await decisions.shorten(shorter, 'storageTime');
    // How many there are in all is known at the end only.
    progress?.(result.longer, result.longer + (ends.length < batch ? 0 : batch));
  }

  return result;
}

async function countOver(
  { id, purpose }: { id: RecordingId; purpose: string },
  result: Shortened,
  catalogue: CataloguePart<{ legalHolds: 'of'; recordings: 'purposeEnds'; auditTrail: 'of' }>,
  at: number,
): Promise<void> {
  result.over += 1;
  if ((await catalogue.legalHolds.of(id)).some((hold) => isActive(hold, at))) result.held += 1;
  const ends = await catalogue.recordings.purposeEnds(id);
  if (ends.some((end) => end.purpose !== purpose && end.keepUntil > at)) result.otherPurpose += 1;
  const lock = lockNoted(await catalogue.auditTrail.of(id));
  if (lock === undefined || lock.until <= at) return;
  result.locked += 1;
  result.lockedUntil = Math.max(result.lockedUntil ?? 0, lock.until);
}
