import * as z from 'zod';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { PersonRequestRow } from '../catalogue/retention/askedErasures.ts';
import type { NewCertificate } from '../catalogue/retention/certificates.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { asPreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { Logger } from '../core/log.ts';
import type { Lock } from '../store/objectLock.ts';
import { decidedGrounds } from './certificates/certificate.ts';
import { copyMissingCertificates, type CopyPorts } from './certificates/copies.ts';
import type { Decisions } from './decisions.ts';
import { eraseRecording, lockInArchive, type ErasureCause, type ErasurePorts } from './erasure.ts';

/**
 * What somebody has decided to erase. It is in the catalogue before anything is removed: whoever decided need not decide again where
 * the process is killed, and the retention pass does what is left. A hold that is set meanwhile, and a lock, put it off until they end.
 *
 * The decision ends all purposes of the recording in the same step, as a signed decision of the ledger. So whoever may use it by a purpose
 * finds it over like any other, a recording that stays counts as due from then on, and an older state of the catalogue that is put back
 * learns it from the ledger. Only what a hold allows goes on until the hold ends.
 */

/** In the audit trail of a recording that somebody has decided to erase before its end; the detail has the rule. */
const erasureDecided = 'erasure decided';

type AskedCause = Exclude<ErasureCause, { rule: 'due' }>;

const causeForm = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('subject'), operator: z.string() }),
  z.strictObject({
    rule: z.literal('decided'),
    operator: z.string(),
    ground: z.enum(decidedGrounds),
    reference: z.string().nullable(),
  }),
]);

/** As it stands in the catalogue. Throws what zod throws. */
export const causeOf = (text: string): AskedCause => causeForm.parse(JSON.parse(text));

/** How something is erased that somebody has decided to erase. */
export type Erasing = {
  /**
   * Writes the decision down, in one step with the end of all their purposes and with what a person has asked for. With such a request,
   * what a hold keeps is erased once that ends; without one, nothing is written where a hold keeps one of them: false. Throws
   * signing_key_unusable.
   */
  ask(recordings: readonly RecordingId[], request?: PersonRequestRow): Promise<boolean>;
  erase(row: RecordingRow): Promise<NewCertificate>;
  /** What the archive itself says of a recording. */
  lockInArchive(row: RecordingRow, signal: AbortSignal): Promise<Lock | undefined>;
  /** Nothing is erased without the ledger. Throws ledger_unusable. */
  checkLedger(): Promise<void>;
  /** Puts certificates and decisions where they are kept besides the catalogue. */
  copyCertificates(): Promise<void>;
};

type ErasingPorts = ErasurePorts &
  CopyPorts & {
    catalogue: CataloguePart<{ askedErasures: 'ask' }>;
    decisions: Pick<Decisions, 'signShortening'>;
  };

export function erasureBy(cause: AskedCause, ports: ErasingPorts): Erasing {
  const { catalogue, clock, ledger, decisions } = ports;
  const { operator, ...why } = cause;
  const basis = cause.rule === 'subject' ? 'person' : 'decided';

  return {
    ask: async (recordings, request) => {
      const note = { event: erasureDecided, actor: operator, detail: why };
      const at = clock.now();
      const ends = await endsOf(recordings, at, ports);
      const ending = await decisions.signShortening(ends, basis);
      const asked = { recordings, cause: JSON.stringify(cause), at, note, ending };
      const isAsked = await catalogue.askedErasures.ask(asked, request);
      failPoint?.('retention, asked');

      return isAsked;
    },
    erase: (row) => eraseRecording(row, cause, ports),
    lockInArchive: (row, signal) => lockInArchive(row, ports, signal),
    checkLedger: () => ledger.check(),
    copyCertificates: () => copyMissingCertificates(ports),
  };
}

/** Of their purposes that are not over, as they become. */
async function endsOf(
  recordings: readonly RecordingId[],
  at: number,
  { catalogue }: Pick<ErasingPorts, 'catalogue'>,
): Promise<Parameters<Decisions['shorten']>[0]> {
  const ends = [];
  for (const recording of recordings) {
    const inForce = (await catalogue.recordings.purposeEnds(recording)).filter(({ keepUntil }) => keepUntil > at);
    ends.push(...inForce.map(({ purpose }) => ({ recording, purpose, to: at })));
  }

  return ends;
}

const callIds = z.array(z.string().transform((id) => id as CallId));
const forgetForm = z.discriminatedUnion('kind', [
  /** Whose calls without a recording it was, and their language. `controller` as in `callsOfPerson`. */
  z.strictObject({ kind: z.literal('caller'), hash: z.string(), controller: z.string().nullable().optional() }),
  /** That their telephone was in these calls, and that their number was dialled in those. */
  z.strictObject({ kind: z.literal('employee'), calls: callIds, numbers: callIds }),
]);
/** What is forgotten of a person beside what is erased. */
export type Forgetting = z.output<typeof forgetForm>;

export const forgettingText = (what: Forgetting): string => JSON.stringify(what);

/** Each part is a signed decision. Done twice, it finds nothing the second time. */
export async function forgetPerson(what: Forgetting, decisions: Decisions): Promise<void> {
  if (what.kind === 'employee') {
    await decisions.forgetExtensions(what.calls);
    await decisions.forgetNumbers(what.numbers);

    return;
  }
  await decisions.forgetCaller(what.hash, what.controller);
  // It is remembered for all companies: none of them forgets it alone.
  if (what.controller === undefined) await decisions.forgetLanguages(what.hash);
}

const batch = 100;

/** What a process that was killed has left of what persons asked to have forgotten. One that cannot be forgotten keeps no other. */
export async function forgetTheRest({
  catalogue,
  decisions,
  log,
}: {
  catalogue: CataloguePart<{ askedErasures: 'unforgotten' | 'noteForgotten' }>;
  decisions: Decisions;
  log: Pick<Logger, 'error'>;
}): Promise<void> {
  for (let after = ''; ;) {
    const rows = await catalogue.askedErasures.unforgotten(after, batch);
    for (const { id, forget } of rows) {
      after = id;
      try {
        await forgetPerson(forgetForm.parse(JSON.parse(forget)), decisions);
        await catalogue.askedErasures.noteForgotten(id);
      } catch (thrown) {
        // Only the code: what JSON.parse throws has a piece of the row, which says who it was.
        log.error({ request: id, code: asPreavisError(thrown).code }, 'request of a person not done: not forgotten');
      }
    }
    if (rows.length < batch) return;
  }
}
