import * as z from 'zod';
import { certificateSchema, type Certificate } from '../retention/certificates/certificate.ts';
import type { WebPorts } from './ports.ts';
import { named } from './schemas.ts';

/** Certificates of erasure, as the API shows them. */

export const certificateOut = named(
  'Certificate',
  z.object({
    content: certificateSchema,
    kid: z.string().describe('Of the key that signed it.'),
    trusted: z.boolean().describe('Whether that key is in use, or one of evidence.trustedKeys.'),
    jws: z.string().describe('As it was signed: for an authority, or the person concerned.'),
  }),
);

export async function shownCertificate(
  { content, kid }: { content: Certificate; kid: string },
  jws: string,
  { trusts }: Pick<WebPorts, 'trusts'>,
): Promise<z.input<typeof certificateOut>> {
  return { content, kid, trusted: await trusts(kid), jws };
}
