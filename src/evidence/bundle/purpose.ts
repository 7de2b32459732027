import type { PurposeKind } from '../../config/purposeKinds.ts';
import { PreavisError } from '../../core/errors.ts';

/**
 * The purpose that a bundle is handed out for when nobody names one: who hands out evidence means the one that is kept as
 * evidence. Pure.
 *
 * @param purposes all of the recording, and those that it may be fetched for now
 * @throws PreavisError `usage` with their names where it is not plain which is meant
 */
export function bundlePurpose(
  { all, open }: { all: readonly string[]; open: readonly string[] },
  kindOf: (purpose: string) => PurposeKind | undefined,
): string {
  const evidence = all.filter((purpose) => kindOf(purpose) === 'evidence');
  const wanted = evidence.length > 0 ? evidence : all;
  const inForce = wanted.filter((purpose) => open.includes(purpose));
  // Where all are over, what follows tells when the one that is meant ended.
  const meant = inForce.length > 0 ? inForce : wanted;
  const [only, ...others] = meant;
  if (only === undefined || others.length > 0) {
    throw new PreavisError('usage', `--purpose is one of ${meant.join(', ')}`);
  }

  return only;
}
