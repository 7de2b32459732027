import { PreavisError } from '../core/errors.ts';

/** Throws config_invalid for a key that has no default and is not there. */
export function required(value: string | undefined, key: string): string {
  if (value === undefined || value === '') throw new PreavisError('config_invalid', `${key}: is missing`);

  return value;
}
