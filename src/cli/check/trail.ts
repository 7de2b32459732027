import { dayMs, isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { asPreavisError, errorCodes } from '../../core/errors.ts';
import type { ArchiveServices } from '../../services/store.ts';
import { verifyHeads, type HeadsVerified, type TrailPorts } from '../../retention/certificates/verifyTrail.ts';
import { failed, type CheckResult } from './checklist.ts';

const check = 'audit trail';
/** Its head is signed once a day. */
const unsignedLimitMs = 2 * dayMs;
const mostNamed = 1_000;
const never = new AbortController().signal;

/** Whether the audit trail is the one whose heads were signed, and every erased recording has its certificate. Nothing is changed. */
export async function trailFindings(services: ArchiveServices): Promise<CheckResult[]> {
  const { catalogue, clock } = services;
  const since = clock.now() - services.certificatesKeptMs;
  try {
    // What lies under the name of a head is read by `certificates verify`.
    const heads = await headsWith({ ...services, since, archiveCopies: 'listed' });
    const uncertified = await catalogue.certificates.erasedWithoutCertificate(since, mostNamed);
    const problems = [
      ...heads.faults,
      ...(uncertified.length === 0
        ? []
        : [
            `${counted(uncertified.length, 'recording counts', 'recordings count')} as erased, and no certificate says so: preavis certificates verify names them`,
          ]),
    ];
    if (problems.length > 0) {
      const problem = problems.join('; ');

      return [{ check, ok: false, code: 'audit_trail_differs', problem, hint: hintOf(heads, uncertified.length) }];
    }
    const warnings = warningsOf(heads, clock.now());

    return [
      { check, ok: true, ...(warnings.length === 0 ? {} : { warning: warnings.join('; ') }), notes: notesOf(heads) },
    ];
  } catch (thrown) {
    return [failed(check, thrown)];
  }
}

/** What to do depends on what differs: saying that an older catalogue was put back mends nothing else. */
function hintOf({ isUnfit, lost }: HeadsVerified, uncertified: number): string {
  const hints = [
    ...(isUnfit ? [errorCodes.audit_trail_differs.remedy] : []),
    ...(lost.ledger.length + lost.archive.length === 0
      ? []
      : ['`preavis certificates replay` puts back what the ledger or the archive has lost; find out who removed it.']),
    ...(uncertified === 0 ? [] : ['Put what somebody has changed in the catalogue back from a backup.']),
  ];

  return hints.length === 0 ? 'See `preavis certificates verify`, and compare with a backup.' : hints.join(' ');
}

/** An archive that does not answer is told by its own finding. */
async function headsWith(ports: TrailPorts): Promise<HeadsVerified> {
  try {
    return await verifyHeads(ports, never);
  } catch (thrown) {
    if (!asPreavisError(thrown).code.startsWith('archive_')) throw thrown;

    return verifyHeads({ ...ports, store: undefined }, never);
  }
}

function warningsOf({ unsignedSince, waiting }: HeadsVerified, now: number): string[] {
  return [
    ...(unsignedSince === undefined || now - unsignedSince < unsignedLimitMs
      ? []
      : [
          `no head of it was signed since ${isoTime(unsignedSince)}: lines cut off its end would not show. The retention job signs one a day: ` +
            'see in the log why it did not',
        ]),
    ...(['ledger', 'archive'] as const)
      .filter((place) => waiting[place] > 0)
      .map(
        (place) =>
          `${waiting[place]} signed heads are not yet in the ${place}; it is tried again with each upload pass`,
      ),
  ];
}

function notesOf({ restored }: HeadsVerified): string[] {
  return restored.map(
    ({ signedAt, by, gone }) =>
      `an older catalogue was put back, says ${by} (${signedAt}); ${counted(gone, 'head before that does', 'heads before that do')} not fit any more`,
  );
}
