import type { Config } from '../config/schema.ts';
import { asPreavisError } from '../core/errors.ts';
import { dialledNumberAsked, hashOfNumber } from '../dataSubject/callerNumber.ts';
import { RequestInvalid } from './problems.ts';

/** The keyed hash of the number in a body, by which its calls are found. Throws request_invalid. */
export async function hashOf(number: string, config: Config): Promise<string> {
  try {
    return await hashOfNumber(number, () => Promise.resolve(''), config);
  } catch (thrown) {
    // Its words are those of a command.
    if (asPreavisError(thrown).code !== 'usage') throw thrown;
    throw new RequestInvalid([{ where: 'body.number', message: 'is not a telephone number' }]);
  }
}

/**
 * The number of the company that calls are looked for by, as it is kept. Throws request_invalid.
 *
 * @param part of the request that it stands in
 */
export function dialledOf(number: string, part: 'query' | 'body', config: Config): string {
  const dialled = dialledNumberAsked(number, config);
  if (dialled !== undefined) return dialled;
  throw new RequestInvalid([{ where: `${part}.dialled`, message: 'is neither a telephone number nor an extension' }]);
}
