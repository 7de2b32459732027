import type { ConsentMode } from '../config/consent.ts';
import type { Jurisdiction } from '../config/law.ts';
import type { PurposeLock } from '../config/objectLockModes.ts';
import type { PurposeKind } from '../config/purposeKinds.ts';
import { maximumDays, purposeOf as configuredPurpose } from '../config/purposeRules.ts';
import type { PurposeConfig } from '../config/purposeSchema.ts';
import type { Config } from '../config/schema.ts';
import type { LocalText } from '../core/text/inLanguage.ts';
import { shortenedModes } from './earlierNotice.ts';

/** What register and papers say of the processing, as the configuration has it. They differ in words alone. */

/** Who is responsible, for which purposes and lines: another controller is another subject. */
export type ProcessingSubject = Pick<Config, 'controller' | 'purposes' | 'lines'>;

/** What all controllers of an installation share. */
export type ProcessingSetting = Pick<Config, 'privacy' | 'notice' | 'archive' | 'evidence' | 'processor'>;

/** What of the number of a caller, or of who was called, is kept; days. */
type KeptOfCallers = { kind: 'nothing' } | { kind: 'hash' | 'number'; callerDays: number; preferenceDays: number };

export type ProcessingPurpose = {
  id: string;
  names: Readonly<Record<string, string>>;
  kind: PurposeKind;
  justification: LocalText;
  legalBasis: LocalText;
  jurisdiction: Jurisdiction;
  consent: ConsentMode;
  optInForCountries: readonly string[];
  /** After the call. */
  keepDays: number;
  maximumDays: number | null;
  holdsAllowed: boolean;
  lock: PurposeLock;
  mayListen: readonly string[];
  recordPercent: number;
  turnsAway: boolean;
  source: string | null;
  checkedByCounsel: boolean;
  lines: readonly string[];
};

export type ProcessingFacts = {
  controller: {
    name: string | null;
    contact: string | null;
    dataProtectionOfficer: string | null;
    /** Outside the company; for one of `controllers` who runs the installation as well (GDPR art. 4(9), 13(1)(e)). */
    recipients: readonly string[];
    transfers: LocalText | null;
  };
  purposes: readonly ProcessingPurpose[];
  callers: KeptOfCallers;
  /** Whether it is kept which telephone of the house was in a call. */
  keepsExtensions: boolean;
  /** How long it is kept which number of the company was dialled; 0: not at all. */
  dialledDays: number;
  /** How long the trace of a call without a recording is kept; that of a recorded one has no end. */
  traceDays: number;
  /** Within how many days after a whole notice a caller hears a shorter one; 0: never, or on none of these lines. */
  shorterWithinDays: number;
  archive: {
    place: 'bucket' | 'folder';
    /** Whether the way to it is encrypted. */
    tls: boolean;
    encryption: Config['archive']['encryption']['mode'];
    /** How many earlier archives may still hold recordings. */
    former: number;
  };
  certificateDays: number;
  /** Keys that a complete register needs and that are not set. */
  missing: readonly string[];
};

function callersOf({ hashKey, hashKeyFile, numberKey, numberKeyFile, ...days }: Config['privacy']): KeptOfCallers {
  if ((hashKey ?? hashKeyFile) === undefined) return { kind: 'nothing' };
  const { callerDays, preferenceDays } = days;

  return { kind: (numberKey ?? numberKeyFile) === undefined ? 'hash' : 'number', callerDays, preferenceDays };
}

function purposeOf(id: string, purpose: PurposeConfig, lines: Config['lines']): ProcessingPurpose {
  const { names, kind, justification, legalBasis, jurisdiction, consent, optInForCountries, keepDays } = purpose;
  const { holdsAllowed, lock, mayListen, recordPercent, whenUnrecordable, source, checkedByCounsel } = purpose;

  return {
    ...{ id, names, kind, justification, legalBasis, jurisdiction, consent, optInForCountries, keepDays },
    maximumDays: maximumDays(purpose) ?? null,
    ...{ holdsAllowed, lock, mayListen, recordPercent },
    turnsAway: whenUnrecordable === 'turnAway',
    source: source ?? null,
    checkedByCounsel,
    lines: Object.entries(lines).flatMap(([line, { purposes }]) => (purposes.includes(id) ? [line] : [])),
  };
}

/** Whether callers of some line may hear the shorter notice, where there is one. */
const isShortened = (lines: Config['lines'], purposes: Config['purposes']): boolean =>
  Object.values(lines).some((line) => {
    const named = line.purposes.flatMap((id) => {
      const purpose = configuredPurpose(purposes, id);

      return purpose === undefined ? [] : [{ id, ...purpose }];
    });

    return shortenedModes(line, named).length > 0;
  });

/** Those who run the installation, for a company that they run it for. */
function operatorsOf({ name, subprocessors }: Config['processor'], at: string): string[] {
  return at === 'controller' ? [] : [...(name === undefined ? [] : [name]), ...subprocessors];
}

/** @param at the key of the configuration below which the controller stands */
export function processingFacts(
  { controller, purposes, lines }: ProcessingSubject,
  { privacy, notice, archive, evidence, processor }: ProcessingSetting,
  at = 'controller',
): ProcessingFacts {
  const { name, contact, dataProtectionOfficer, recipients, transfers } = controller;

  return {
    controller: {
      name: name ?? null,
      contact: contact ?? null,
      dataProtectionOfficer: dataProtectionOfficer ?? null,
      recipients: [...new Set([...recipients, ...operatorsOf(processor, at)])],
      transfers: transfers ?? null,
    },
    purposes: Object.entries(purposes).map(([id, purpose]) => purposeOf(id, purpose, lines)),
    callers: callersOf(privacy),
    keepsExtensions: privacy.keepExtensions,
    dialledDays: privacy.dialledDays,
    traceDays: privacy.traceDays,
    shorterWithinDays: isShortened(lines, purposes) ? notice.shorterWithinDays : 0,
    archive: {
      place: archive.store === 'minio' ? 'bucket' : 'folder',
      tls: archive.store === 'minio' && archive.minio.useTls,
      encryption: archive.encryption.mode,
      former: archive.former.length,
    },
    certificateDays: evidence.certificateDays,
    missing: [
      ...Object.entries({ name, contact, transfers }).flatMap(([key, value]) =>
        value === undefined ? [`${at}.${key}`] : [],
      ),
      ...(at === 'controller' || processor.name !== undefined ? [] : ['processor.name']),
      // Art. 30(1)(d): somebody receives them, within the company or outside of it.
      ...Object.entries(purposes).flatMap(([id, { mayListen }]) =>
        mayListen.length === 0 && recipients.length === 0 ? [`purposes.${id}.mayListen`] : [],
      ),
    ],
  };
}
