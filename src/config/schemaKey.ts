import { z } from 'zod';

/** What keys of the configuration are made of. */

type KeyMeta = { unit?: string; secret?: true };

export const key = <T extends z.ZodType>(schema: T, sentence: string, meta: KeyMeta = {}): T =>
  schema.meta({ description: sentence, ...meta });

export const seconds = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);
export const port = z.int().min(1).max(65_535);
