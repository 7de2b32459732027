import { createHash } from 'node:crypto';
import * as z from 'zod';

/** In hexadecimal; of a text as UTF-8. */
export const sha256Of = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** The form that `sha256Of` gives. */
export const sha256Form = z.string().regex(/^[0-9a-f]{64}$/);
