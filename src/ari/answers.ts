import type { z } from 'zod';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import { RefusalAnswer } from './httpClient.ts';

/** An answer of Asterisk, checked. Throws ari_request_failed. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new PreavisError('ari_request_failed', 'Asterisk answered in a form that is not documented', {
    cause: result.error,
  });
}

/** `undefined` when Asterisk does not know what is asked for. */
export async function orUndefined<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof PreavisError && error.code === 'ari_not_found') return undefined;
    throw error;
  }
}

/** Whether Asterisk knows what the request is about. */
export async function isThere(request: Promise<unknown>): Promise<boolean> {
  return (await orUndefined(request.then(() => true))) ?? false;
}

/** Whether Asterisk itself says no, such as to a channel that it does not know or that is not in Stasis, and no proxy before it. */
export function isRefusedByAsterisk(thrown: unknown): boolean {
  const { cause } = asPreavisError(thrown);

  return cause instanceof RefusalAnswer && cause.isAsterisks;
}

/** Whether a question that Asterisk refuses has come to it: it says itself that it knows no such channel, or that it is not in Stasis. */
export async function reaches(question: Promise<unknown>): Promise<boolean> {
  try {
    await question;

    return true;
  } catch (thrown) {
    if (asPreavisError(thrown).code === 'ari_unreachable') throw thrown;

    return isRefusedByAsterisk(thrown);
  }
}
