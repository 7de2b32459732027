import type { z } from 'zod';
import { PreavisError } from '../core/errors.ts';

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
