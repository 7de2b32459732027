import { asPreavisError } from '../core/errors.ts';

/**
 * Asks the same of several things in Asterisk that are one to a call, at once. One that is gone is no failure while another is there.
 *
 * @throws PreavisError the first failure that is not `ari_not_found`; `ari_not_found` where all of them are gone
 */
export async function ofEach(names: readonly string[], ask: (name: string) => Promise<void>): Promise<void> {
  const asked = await Promise.allSettled(names.map(ask));
  const failures = asked.flatMap((each) => (each.status === 'rejected' ? [asPreavisError(each.reason)] : []));
  const failure = failures.find(({ code }) => code !== 'ari_not_found');
  if (failure !== undefined) throw failure;
  const [gone] = failures;
  if (gone !== undefined && failures.length === names.length) throw gone;
}
