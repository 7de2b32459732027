import { setImmediate as breathe } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { firstDue, type DueCursor } from '../catalogue/calls/recordings.ts';
import { pagesOf } from '../core/pages.ts';
import { erasureFailed } from './pass.ts';
import { isLockKnown } from './lockedDue.ts';

/** What is due and not erased, at one moment. Each is counted up to `mostCounted`. */
export type DueFigures = {
  /** Whose time is over, or which somebody has decided to erase, and which neither a hold, a doubt about clocks, nor a known lock keeps. */
  due: number;
  /** Of them, those that a daily pass has missed. */
  overdue: number;
  /** Of the due ones, those whose last erasure failed, by why they are erased. */
  failed: Record<'due' | 'subject' | 'decided', number>;
  /** The same, by the code of that failure. */
  codes: Record<string, number>;
  /** Due as well, and kept by a lock that is known. */
  locked: number;
};

/** One more than the longest day: a daily pass has missed what is due for longer, ms. */
export const overdueAfterMs = 25 * 3_600_000;

/** A catalogue with very many of them is not asked for each at every reading: calls go on beside it. */
const mostCounted = 10_000;
const batch = 500;

/** @param at now, ms since 1970 UTC */
export async function dueFigures(
  catalogue: CataloguePart<{ figures: 'dueAttempts'; auditTrail: 'of' }>,
  at: number,
): Promise<DueFigures> {
  const figures: DueFigures = {
    ...{ due: 0, overdue: 0, locked: 0, codes: {} },
    failed: { due: 0, subject: 0, decided: 0 },
  };
  const page = (after: DueCursor) => catalogue.figures.dueAttempts(at, erasureFailed, after, batch);
  for await (const rows of pagesOf(batch, firstDue, page, ({ keepUntil, id }) => ({ keepUntil, id }))) {
    for (const { id, keepUntil, rule, code } of rows) {
      if (code === 'archive_locked' && isLockKnown(await catalogue.auditTrail.of(id), at)) {
        figures.locked += 1;
        continue;
      }
      figures.due += 1;
      if (keepUntil <= at - overdueAfterMs) figures.overdue += 1;
      if (code === null) continue;
      figures.failed[rule ?? 'due'] += 1;
      figures.codes[code] = (figures.codes[code] ?? 0) + 1;
    }
    if (figures.due + figures.locked >= mostCounted) break;
    await breathe();
  }

  return figures;
}
