import type { CallFilter } from '../catalogue/calls/calls.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { parseDay } from './localTime.ts';

/** Options that choose some rows of a list, as they were typed. */
export type Chosen = { day?: string | undefined; line?: string | undefined; purpose?: string | undefined };

/**
 * What `--day`, `--line` and `--purpose` ask for. A line or purpose that neither the configuration nor any call has is a mistake in
 * writing, and no empty list. Throws usage, which repeats nothing of what was typed.
 */
export async function chosenCalls(
  { day, line, purpose }: Chosen,
  config: Config,
  catalogue: CataloguePart<{ calls: 'knowsLine' | 'knowsPurpose' }>,
  now: number,
): Promise<Pick<CallFilter, 'begun' | 'line' | 'purpose'>> {
  const begun = day === undefined ? undefined : parseDay(day, now);
  if (line !== undefined && !Object.hasOwn(config.lines, line) && !(await catalogue.calls.knowsLine(line))) {
    throw new PreavisError('usage', `--line is one of ${Object.keys(config.lines).join(', ')}, or that of a call`);
  }
  if (
    purpose !== undefined &&
    !Object.hasOwn(config.purposes, purpose) &&
    !(await catalogue.calls.knowsPurpose(purpose))
  ) {
    const known = Object.keys(config.purposes).join(', ');
    throw new PreavisError('usage', `--purpose is one of ${known}, or that of a call`);
  }

  return { begun, line, purpose };
}
