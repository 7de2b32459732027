import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { Config } from '../../config/schema.ts';
import { asPreavisError, type ErrorCode } from '../../core/errors.ts';
import { ledgerOf } from '../../services/signing.ts';
import { copyDecisions } from '../../retention/decisions.ts';

/**
 * Does something that goes into the ledger, and puts it there; why that failed, or undefined: the next retention run does it then.
 *
 * @throws PreavisError `ledger_unusable` before anything is done; and what the step throws.
 */
export async function intoLedger<T>(
  config: Config,
  catalogue: Catalogue,
  step: () => Promise<T>,
): Promise<{ result: T; copyFailure: ErrorCode | undefined }> {
  const ledger = ledgerOf(config);
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
