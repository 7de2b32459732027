import * as z from 'zod';
import { cursor } from '../cursor.ts';
import { readCertificate } from '../../retention/certificates/certificate.ts';
import { certificateOut, shownCertificate } from '../certificate.ts';
import { route, type Route } from '../route.ts';
import { id, named } from '../schemas.ts';
import { allowed, knownRecording } from '../subjects.ts';

const ofRecording = named('Certificates', z.object({ certificates: z.array(certificateOut) }));
export const certificatePage = named(
  'CertificatePage',
  z.object({ certificates: z.array(certificateOut), next: z.string().nullable().describe('cursor of the next page.') }),
);

export const certificateRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/recordings/{id}/certificates',
    summary: 'Show the certificates that a recording was erased',
    description: 'Each signature was verified. There are several where an older catalogue was put back.',
    act: 'read',
    params: id,
    answer: { status: 200, schema: ofRecording, description: 'The certificates.' },
    handle: async ({ actor, params }, ports) => {
      const { recording } = await allowed(ports, actor, 'read', await knownRecording(ports, params.id));
      const rows = await ports.catalogue.certificates.of(recording.id);
      const certificates = await Promise.all(
        rows.map(async ({ jws }) => shownCertificate(await readCertificate(jws), jws, actor, ports)),
      );

      return { kind: 'json', body: { certificates } };
    },
  }),
  route({
    method: 'GET',
    path: '/certificates',
    summary: 'List the certificates of erasure, the newest first',
    act: 'readAudit',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).default(50).describe('At most this many.'),
      cursor: cursor.optional(),
    }),
    answer: { status: 200, schema: certificatePage, description: 'A page of certificates.' },
    handle: async ({ actor, pages, query: { limit } }, ports) => {
      const before = pages.begin(z.number()) ?? Number.MAX_SAFE_INTEGER;
      const rows = await ports.catalogue.certificates.before(before, limit);
      const certificates = await Promise.all(
        rows.map(async ({ jws }) => shownCertificate(await readCertificate(jws), jws, actor, ports)),
      );
      const last = rows.length < limit ? undefined : rows.at(-1)?.number;

      return { kind: 'json', body: { certificates, next: pages.next(last) } };
    },
  }),
];
