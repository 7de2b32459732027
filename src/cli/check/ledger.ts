import type { DecisionKind } from '../../catalogue/retention/decisions.ts';
import { dayMs, isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { errorCodes, PreavisError, type ErrorCode } from '../../core/errors.ts';
import type { Services } from '../../services/services.ts';
import { readCertificate } from '../../retention/certificates/certificate.ts';
import { readHead } from '../../retention/heads/chainHead.ts';
import { decisionsInWords, waitAfterRestoration } from '../../retention/certificates/copies.ts';
import { lostDecisions, strayDecisions } from '../../retention/decisions.ts';
import { lostLines, mostStrayLines, strayLines, type StrayLine } from '../../retention/certificates/compareLedger.ts';
import { failed, type CheckResult } from './checklist.ts';

const check = 'erasure ledger';

function fault(code: ErrorCode, problem: string, hint: string = errorCodes[code].remedy): CheckResult {
  return { check, ok: false, code, problem, hint };
}

/**
 * Whether the ledger can be used, and whether it and the catalogue have the same certificates. Nothing is changed or made.
 *
 * @param services the ledger alone where there is no catalogue: then only the file is looked at
 */
export async function ledgerFindings(services: Services | Pick<Services, 'ledger'>): Promise<CheckResult[]> {
  const { ledger } = services;
  try {
    await ledger.check();
    if (!('catalogue' in services)) return [{ check, ok: true }];
    const { catalogue, clock } = services;
    const ports = { ...services, since: clock.now() - services.certificatesKeptMs };
    const counts: Counts = { lost: 0, unknown: 0, untrusted: 0, invalid: 0, decisionsLost: 0, decisions: none() };
    for (const lost = lostLines(ports); (await lost.next()).done !== true;) counts.lost += 1;
    for await (const { kind } of strayLines(ports)) counts[kind] += 1;
    for (const lost = lostDecisions(services); (await lost.next()).done !== true;) counts.decisionsLost += 1;
    for await (const found of strayDecisions({ ...services, actor: check })) {
      if (found.state === 'unknown') counts.decisions[found.kind] += 1;
      else counts[found.state] += 1;
    }
    const wait = await waitAfterRestoration(catalogue, clock.now());
    const replayed = none();
    if (wait !== undefined) {
      for (const { kind, count } of await catalogue.decisions.replayed(wait.since - dayMs)) replayed[kind] = count;
    }

    return inWords(ledger.file, counts, wait && { until: wait.until, replayed: decisionsInWords(replayed) });
  } catch (thrown) {
    return [failed(check, thrown)];
  }
}

/**
 * What was signed last must be vouched for: a key that is gone, or another one in its place, is seen before the next erasure.
 *
 * @throws PreavisError `signing_key_unusable`
 */
export async function requireSigningKey({ catalogue, trusts }: Services): Promise<void> {
  const [certificate] = await catalogue.certificates.newest(1);
  const head = await catalogue.chainHeads.last();
  const require = async (what: string, kid: string): Promise<void> => {
    if (await trusts(kid)) return;
    throw new PreavisError(
      'signing_key_unusable',
      `the newest ${what} was signed by ${kid}: that key is not in its file any more, and not in evidence.trustedKeys`,
    );
  };
  if (certificate !== undefined) await require('certificate', (await readCertificate(certificate.jws)).kid);
  if (head !== undefined) await require('head of the audit trail', (await readHead(head.jws)).kid);
}

type Decisions = Record<DecisionKind, number>;
type Counts = Record<'lost' | 'decisionsLost' | StrayLine['kind'], number> & { decisions: Decisions };
const none = (): Decisions => ({
  callersForgotten: 0,
  extensionsForgotten: 0,
  numbersForgotten: 0,
  languagesForgotten: 0,
  purposesShortened: 0,
});

/** Until when retention waits after an older catalogue was put back, and what was decided after its backup. */
type Waiting = { until: number; replayed: string } | undefined;

function inWords(file: string, counts: Counts, waiting: Waiting): CheckResult[] {
  const faults = faultsOf(file, counts);
  const warnings = warningsOf(file, counts, waiting);
  if (warnings.length === 0) return faults.length === 0 ? [{ check, ok: true }] : faults;
  const warning = warnings.join('; ');

  return [...faults, { check, ok: true, warning }];
}

function faultsOf(file: string, { lost, decisionsLost, unknown, decisions }: Counts): CheckResult[] {
  const decided = decisionsInWords(decisions);

  return [
    ...(decisionsLost === 0
      ? []
      : [
          fault(
            'ledger_incomplete',
            `${counted(decisionsLost, `decision that was put into ${file} is`, `decisions that were put into ${file} are`)} not there`,
          ),
        ]),
    ...(decided === ''
      ? []
      : [
          fault(
            'catalogue_restored',
            `the catalogue does not have decisions of the ledger: ${decided}`,
            'Run preavis certificates replay: it takes them up, and does again what they say.',
          ),
        ]),
    ...(lost === 0
      ? []
      : [
          fault(
            'ledger_incomplete',
            `${counted(lost, `certificate that was put into ${file} is`, `certificates that were put into ${file} are`)} not there`,
          ),
        ]),
    ...(unknown === 0
      ? []
      : [
          fault(
            'catalogue_restored',
            `the catalogue does not have ${counted(unknown, 'certificate of the ledger: what it says', 'certificates of the ledger: what they say')} was erased may be back`,
            'Run preavis certificates replay: it takes them up, and erases again what they say was erased.',
          ),
        ]),
  ];
}

function warningsOf(file: string, { unknown, untrusted, invalid }: Counts, waiting: Waiting): string[] {
  const isCutShort = unknown + untrusted + invalid >= mostStrayLines;

  return [
    ...(isCutShort
      ? [`after ${mostStrayLines} lines that are not in the catalogue the rest of ${file} was not read`]
      : []),
    ...(waiting === undefined
      ? []
      : [
          `an older catalogue was put back${waiting.replayed === '' ? '' : ` (decisions carried out again: ${waiting.replayed})`}: ` +
            `set the holds again that came after its backup; retention erases nothing until ${isoTime(waiting.until)}`,
        ]),
    ...(untrusted === 0
      ? []
      : [
          `${counted(untrusted, 'certificate or decision was signed by a key that is not trusted, and nothing is erased again on its word', 'certificates or decisions were signed by keys that are not trusted, and nothing is erased again on their word')}: preavis ` +
            'certificates verify names the keys; if one was yours, name it in evidence.trustedKeys and run preavis certificates replay',
        ]),
    ...(invalid === 0
      ? []
      : [
          `${counted(invalid, 'line is no certificate or decision', 'lines are no certificates or decisions')}: preavis certificates verify names them`,
        ]),
  ];
}
