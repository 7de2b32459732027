import * as z from 'zod';
import { sql, value, type Step } from './sql/step.ts';

/** What tells this catalogue, and the processes that work on it one after another, from any other. */
export function makeIdentity() {
  const select = sql('SELECT id FROM identity');

  return {
    *identity(): Step<string> {
      return z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .parse(yield* value(select));
    },
  };
}
