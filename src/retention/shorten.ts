import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Clock } from '../core/clock.ts';

export type ShortenPorts = { catalogue: Pick<Catalogue, 'longerKept' | 'shorten'>; clock: Clock };

/** `keepMs` after its end a recording is no more to be kept for the purpose. */
export type ShortenOrder = { purpose: string; keepMs: number; apply: boolean; actor: string };

export type Shortened = {
  /** Recordings that were kept longer. */
  longer: number;
  /** Those of them whose use for this purpose so is over. */
  over: number;
};

const batch = 500;

/**
 * Puts the end of a purpose forward for recordings that were made under a longer policy; never back, since the caller was told
 * the time that held then. Interrupted, it is done again.
 */
export async function shortenPass(
  { catalogue, clock }: ShortenPorts,
  { purpose, keepMs, apply, actor }: ShortenOrder,
): Promise<Shortened> {
  const at = clock.now();
  const result: Shortened = { longer: 0, over: 0 };
  for (let after = ''; ;) {
    const ends = await catalogue.longerKept(purpose, keepMs, after, batch);
    result.longer += ends.length;
    result.over += ends.filter(({ to }) => to <= at).length;
    if (apply) await catalogue.shorten(purpose, ends, actor);
    const last = ends.at(-1);
    if (last === undefined || ends.length < batch) return result;
    after = last.id;
  }
}
