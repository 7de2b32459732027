import * as z from 'zod';

/** Where a list that goes down by numbers goes on. */
export const everyBefore = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a cursor of this list')
  .transform(Number);
