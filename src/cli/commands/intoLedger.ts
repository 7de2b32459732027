import { asPreavisError, type ErrorCode } from '../../core/errors.ts';
import type { Services } from '../../services/services.ts';
import { copyDecisions } from '../../retention/decisions.ts';

/**
 * Does something that goes into the ledger, and puts it there; why that failed, or undefined: the next retention run does it then.
 *
 * @throws PreavisError `ledger_unusable` before anything is done; and what the step throws.
 */
export async function intoLedger<T>(
  { catalogue, ledger }: Pick<Services, 'catalogue' | 'ledger'>,
  step: () => Promise<T>,
): Promise<{ result: T; copyFailure: ErrorCode | undefined }> {
  await ledger.check();
  const result = await step();
  const copyFailure = await copyDecisions({ catalogue, ledger }).then(
    () => undefined,
    (thrown: unknown) => asPreavisError(thrown).code,
  );

  return { result, copyFailure };
}

/** For people. */
export function notCopied(copyFailure: ErrorCode | undefined): string[] {
  return copyFailure === undefined
    ? []
    : [`it could not be put into the ledger (${copyFailure}): the next retention run does it`];
}
