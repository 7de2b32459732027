import { asPreavisError, type ErrorCode } from '../core/errors.ts';
import { copyDecisions } from './decisions.ts';

/**
 * Does something that goes into the ledger, and puts it there; why that failed, or undefined: the next retention run does it then.
 *
 * @throws PreavisError `ledger_unusable` before anything is done; and what the step throws.
 */
export async function intoLedger<T>(
  ports: Parameters<typeof copyDecisions>[0],
  step: () => Promise<T>,
): Promise<{ result: T; copyFailure: ErrorCode | undefined }> {
  await ports.ledger.check();
  const result = await step();
  const copyFailure = await copyDecisions(ports).then(
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
