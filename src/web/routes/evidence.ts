import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { makeBundle } from '../../evidence/bundle/bundle.ts';
import { bundlePurpose } from '../../evidence/bundle/purpose.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { bundlePorts } from '../../services/evidence.ts';
import { handOut } from '../handOut.ts';
import type { WebPorts } from '../ports.ts';
import { refusal, RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { id, nameGiven } from '../schemas.ts';
import { allowed, decided, knownRecording, stillSignedIn, type KnownRecording } from '../subjects.ts';

/** The whole recording is copied, compared and signed, ms. */
const withinMs = 5 * 60_000;
/** Being made at a time. */
const mostBundles = 2;

const body = z.strictObject({
  purpose: nameGiven
    .optional()
    .describe('For which it is handed out. Default: the one that is kept as evidence, or the only one.'),
});

export function evidenceRoutes(): readonly Route[] {
  let underWay = 0;

  return [
    route({
      method: 'POST',
      path: '/recordings/{id}/evidence',
      summary:
        'Download the bundle of evidence of a recording: its sound with all that shows how its caller was told, signed',
      description:
        'A ZIP, as `preavis evidence bundle` makes it; docs/evidence.md says how anybody checks it. For who may not read the audit trail it has the history without who heard or took it. It is made whole before its first byte is sent. Remove the copy when its purpose ends.',
      act: 'makeEvidence',
      params: id,
      body,
      withinMs,
      answer: { status: 200, contentType: 'application/zip', description: 'The bundle.' },
      handle: async ({ actor, credentials, params, body: { purpose: named }, signal }, ports) => {
        const known = await allowed(ports, actor, 'makeEvidence', await knownRecording(ports, params.id));
        if (underWay >= mostBundles) throw new PreavisError('too_busy', 'too many bundles are being made');
        const open = known.by.map(({ purpose }) => purpose);
        const purpose = purposeFor(named, open, (each) => purposeOf(ports.config.purposes, each)?.kind);
        underWay += 1;
        try {
          const { version, config } = ports;
          const { timestampUrl } = config.evidence;
          const made = await bundlePorts({ ...ports, actor: actor.name }, { version, timestampUrl });
          const history = await historyFor(actor, known, ports);
          const { body, bytes } = await handOut(config, async (file) => {
            const target = { file, replace: false };
            const order = { purpose, history, target, progress: () => undefined, signal };
            await makeBundle(made, { ...order, id: known.recording.id });
          });
          // It took a while.
          try {
            await requireStill(await stillSignedIn(actor, credentials, ports), params.id, purpose, ports);
          } catch (thrown) {
            body.destroy();
            throw thrown;
          }

          return {
            kind: 'bytes',
            body,
            status: 200,
            headers: {
              'content-type': 'application/zip',
              'content-length': String(bytes),
              'content-disposition': `attachment; filename="evidence-${known.recording.id}.zip"`,
            },
          };
        } finally {
          underWay -= 1;
        }
      },
    }),
  ];
}

/** Throws purpose_over, and what `allowed` throws. */
async function requireStill(now: Actor, recording: string, purpose: string, ports: WebPorts): Promise<void> {
  const still = await allowed(ports, now, 'makeEvidence', await knownRecording(ports, recording));
  if (!still.by.some((each) => each.purpose === purpose)) throw refusal('purposeOver');
}

/** Who may not read the audit trail is not told in a bundle what others did with the recording. */
async function historyFor(actor: Actor, known: KnownRecording, ports: WebPorts): Promise<'whole' | 'own'> {
  return (await decided(ports, actor, 'readAudit', known)).allowed ? 'whole' : 'own';
}

/** Throws request_invalid. */
function purposeFor(
  named: string | undefined,
  open: readonly string[],
  kindOf: Parameters<typeof bundlePurpose>[1],
): string {
  const fault = (message: string): RequestInvalid => new RequestInvalid([{ where: 'body.purpose', message }]);
  if (named !== undefined) {
    if (open.includes(named)) return named;
    throw fault('is not a purpose by which you may hear it now');
  }
  try {
    return bundlePurpose({ all: open, open }, kindOf);
  } catch (thrown) {
    if (asPreavisError(thrown).code !== 'usage') throw thrown;
    throw fault(`is one of ${open.join(', ')}`);
  }
}
