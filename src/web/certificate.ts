import * as z from 'zod';
import type { Actor } from '../access/actor.ts';
import { erasureBegun } from '../catalogue/retention/auditTrail.ts';
import { certificateSchema, type Certificate } from '../retention/certificates/certificate.ts';
import type { WebPorts } from './ports.ts';
import { named } from './schemas.ts';
import { decided, knownRecording } from './subjects.ts';

/** Certificates of erasure, as the API shows them. */

export const certificateOut = named(
  'Certificate',
  z.object({
    content: certificateSchema,
    kid: z.string().describe('Of the key that signed it.'),
    trusted: z.boolean().describe('Whether that key is in use, or one of evidence.trustedKeys.'),
    by: z
      .string()
      .describe(
        'Who had it erased, as its audit trail has it, for who may read that; else the part of Préavis that erased it, as it was signed.',
      ),
    jws: z.string().describe('As it was signed: for an authority, or the person concerned.'),
  }),
);

/** @param actor who asks */
export async function shownCertificate(
  { content, kid }: { content: Certificate; kid: string },
  jws: string,
  actor: Actor,
  ports: WebPorts,
): Promise<z.input<typeof certificateOut>> {
  const known = await knownRecording(ports, content.recording);
  const isTrailSeen = known !== undefined && (await decided(ports, actor, 'readAudit', known)).allowed;
  const steps = isTrailSeen ? await ports.catalogue.auditTrail.of(known.recording.id) : [];
  const begun = steps.findLast(({ event, at }) => event === erasureBegun && at <= Date.parse(content.verifiedAt));

  return { content, kid, trusted: await ports.trusts(kid), by: begun?.actor ?? content.actor, jws };
}
