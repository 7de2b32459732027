import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { logEmptied, logWaitMs } from '../../catalogue/sqlite/emptyLog.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import { holdGrounds } from '../../catalogue/holdGrounds.ts';
import { lockModes } from '../../config/objectLockModes.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { articleOf, type Exception } from '../../dataSubject/decideErasure.ts';
import { shownException } from '../../dataSubject/shownErasure.ts';
import { eraseOne, previewErasure } from '../../dataSubject/eraseOne.ts';
import { decidedGrounds, readCertificate, type DecidedGround } from '../../retention/certificates/certificate.ts';
import { erasureBy } from '../../retention/asked.ts';
import { lockInArchive } from '../../retention/erasure.ts';
import { certificateOut, shownCertificate } from '../certificate.ts';
import type { WebPorts } from '../ports.ts';
import { refusal } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { id, named, referenceGiven } from '../schemas.ts';
import { allowed, knownRecording } from '../subjects.ts';

/** So long another job that has the catalogue is waited for, and the archive when it is asked for locks, ms. */
const waitMs = 10_000;
const withinMs = 2 * 60_000;

export const exception = named(
  'ErasureException',
  z.object({
    ground: z.enum(['hold', 'lock', 'obligation', 'evidence', 'unknown']),
    hold: z.enum(holdGrounds).optional(),
    mode: z.enum(lockModes).optional(),
    purpose: z.string().optional(),
    until: z.iso.datetime().optional(),
    article: z.string().nullable().describe('Where the law has the exception; null: it does not know it.'),
  }),
);

const preview = named(
  'ErasurePreview',
  z.object({
    outcome: z.enum(['erase', 'keep', 'unfinished', 'lost', 'gone']),
    exceptions: z.array(exception).describe('What keeps it.'),
  }),
);

const order = z.strictObject({
  ground: z
    .enum(decidedGrounds)
    .describe('GDPR art. 17(1)(a) to (e): not needed, consent withdrawn, objection, unlawful, an obligation to erase.'),
  reference: referenceGiven.optional(),
  includeEvidence: z.boolean().default(false).describe('Also what is kept as evidence: you have weighed it.'),
});

const done = named(
  'Erased',
  z.object({
    certificate: certificateOut,
    copied: z.boolean().describe('false: the next retention run copies the certificate to ledger and archive.'),
    logEmptied: z
      .boolean()
      .describe('false: the log of the catalogue still holds something of it, as during a backup; serve removes it.'),
  }),
);

const rulesOf = ({ config }: WebPorts, includeEvidence: boolean) => ({
  includeEvidence,
  kindOf: (purpose: string) => purposeOf(config.purposes, purpose)?.kind,
});

function inWords(exceptions: readonly Exception[]): string {
  const each = exceptions.map((given) => {
    const { ground } = given;
    const article = articleOf(given);
    const what =
      ground === 'hold'
        ? `a hold (${given.hold})`
        : ground === 'lock'
          ? `a lock (${given.mode})`
          : `${ground} (${given.purpose})`;

    return `${what}${article === null ? '' : `, ${article}`}`;
  });

  return `it is kept by: ${each.join('; ')}`;
}

async function erase(
  actor: Actor,
  row: RecordingRow,
  why: { ground: DecidedGround; reference: string | null; includeEvidence: boolean },
  ports: WebPorts,
) {
  const { ground, reference, includeEvidence } = why;
  const cause = { rule: 'decided', operator: actor.name, ground, reference } as const;
  // Who has left may not stop it in the middle.
  const signal = timeLimit(withinMs);

  return eraseOne({ ...ports, ...erasureBy(cause, ports), operator: actor.name }, row.id, {
    ...rulesOf(ports, includeEvidence),
    waitMs,
    signal,
  });
}

export const erasureRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/recordings/{id}/erasure',
    summary: 'Tell what would become of a recording that is erased before its end',
    act: 'erase',
    params: id,
    query: z.strictObject({ includeEvidence: z.literal('true').optional() }),
    answer: { status: 200, schema: preview, description: 'Whether it would be erased, and what keeps it.' },
    handle: async ({ actor, params, query, signal }, ports) => {
      const { recording } = await allowed(ports, actor, 'erase', await knownRecording(ports, params.id));
      const asking = { ...ports, lockInArchive: (row: typeof recording) => lockInArchive(row, ports, signal) };
      const rules = rulesOf(ports, query.includeEvidence !== undefined);
      const decision = await previewErasure(asking, recording, rules, signal);
      const exceptions = decision.kind === 'keep' ? decision.exceptions.map(shownException) : [];

      return { kind: 'json', body: { outcome: decision.kind, exceptions } };
    },
  }),
  route({
    method: 'POST',
    path: '/recordings/{id}/erasure',
    summary: 'Erase a recording before its end, with the reason that the law has for it',
    description:
      'What a hold, a lock or a law keeps stays, and the answer is 409. Every version and copy is removed and looked for; then the certificate is signed. Whoever decided is in the audit trail, and the reference in the certificate.',
    act: 'erase',
    params: id,
    body: order,
    withinMs: withinMs + waitMs,
    answer: { status: 200, schema: done, description: 'It is erased; the certificate.' },
    handle: async ({ actor, params, body }, ports) => {
      const { recording } = await allowed(ports, actor, 'erase', await knownRecording(ports, params.id));
      const erased = await erase(actor, recording, { ...body, reference: body.reference ?? null }, ports);
      switch (erased.kind) {
        case 'keep':
          throw new PreavisError('erasure_refused', inWords(erased.exceptions));
        case 'unfinished':
          throw refusal('unfinished');
        case 'lost':
        case 'gone':
          throw refusal('gone');
        case 'erased': {
          const { jws } = erased.certificate;
          const certificate = await shownCertificate(await readCertificate(jws), jws, actor, ports);
          const isLogEmptied = await logEmptied(ports.catalogue, logWaitMs);

          return {
            kind: 'json',
            body: { certificate, copied: erased.copyFailure === undefined, logEmptied: isLogEmptied },
          };
        }
      }
    },
  }),
];
