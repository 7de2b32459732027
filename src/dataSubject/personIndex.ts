import { isActive } from '../catalogue/retention/legalHolds.ts';
import type { AuditRow } from '../catalogue/rows.ts';
import type { Config } from '../config/schema.ts';
import { nameOfPurpose } from '../config/purposeRules.ts';
import { isoTime } from '../core/clock.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { StoredPolicy } from '../catalogue/rows.ts';
import type { PersonCall, PersonRecording } from './findCalls.ts';
import type { SubjectLanguage } from './languages.ts';

/** What was done with a recording; who did it is told by their role alone. */
type IndexAccess = {
  at: string;
  what: 'fetched' | 'bundled' | 'exported';
  purpose: string | null;
  by: 'operator';
};

export type IndexFile =
  | { kind: 'included'; file: string; bytes: number; sha256: string }
  /** Why it is not in the export: its status, or what went wrong. */
  | { kind: 'absent'; why: AbsentWhy };
export type AbsentWhy =
  | { reason: 'erased'; at: string | null; certificate: number | null }
  | { reason: 'unfinished' | 'lost' | 'discarded' | 'unusable' }
  | { reason: 'unreadable'; code: ErrorCode };

export type IndexPurpose = ReturnType<typeof purposesOf>[number];
export type IndexRecording = ReturnType<typeof recordingOf>;
export type IndexCall = ReturnType<typeof callOf>;

/**
 * What a person is told of what is kept of them (GDPR art. 15(1)): index.json in an export, and what index.html is made of. Times are
 * ISO 8601 in UTC.
 */
export type PersonIndex = {
  index: 1;
  madeAt: string;
  language: SubjectLanguage;
  /** Of the times in index.html. */
  timezone: string;
  controller: ReturnType<typeof controllerOf>;
  /** As it is kept, encrypted; null where only its keyed hash is, or the key is another. */
  number: string | null;
  rememberedLanguage: string | null;
  calls: IndexCall[];
  /** Ids of calls whose rows cannot be read. */
  unreadableCalls: string[];
};

/** In the audit trail of a recording that was given to the person it is of. */
export const exportedEvent = 'exported for the person';

/** Each handing out of a recording, by its event in the audit trail. */
const accesses: Readonly<Record<string, IndexAccess['what']>> = {
  fetched: 'fetched',
  'evidence bundled': 'bundled',
  [exportedEvent]: 'exported',
};

function accessOf({ event, at, detail }: AuditRow): IndexAccess[] {
  const what = Object.hasOwn(accesses, event) ? accesses[event] : undefined;
  if (what === undefined) return [];
  const purpose = detail['purpose'];

  return [{ at: isoTime(at), what, purpose: typeof purpose === 'string' ? purpose : null, by: 'operator' }];
}

export function purposesOf(
  { call, recording }: PersonCall,
  policy: StoredPolicy | undefined,
  configured: Config['purposes'],
  language: SubjectLanguage,
) {
  return call.purposes.map((id) => {
    const stored = policy?.purposes[id];
    const end = recording?.ends.find(({ purpose }) => purpose === id);

    return {
      id,
      /** In the person's language, or the id where it has none. */
      name: nameOfPurpose(configured, id, language) ?? id,
      /** As the policy of the call had them, in the person's language; null where that is not known. */
      justification: stored === undefined ? null : inLanguage(stored.justification, language),
      legalBasis: stored === undefined ? null : inLanguage(stored.legalBasis, language),
      keepUntil: isoTime(end?.keepUntil ?? null),
    };
  });
}

export function recordingOf({ row, holds }: PersonRecording, file: IndexFile, audit: readonly AuditRow[], at: number) {
  return {
    id: row.id,
    status: row.status,
    startedAt: isoTime(row.startedAt),
    durationMs: row.durationMs,
    file,
    holds: holds.map((hold) => ({
      ground: hold.ground,
      from: isoTime(hold.setAt),
      until: isoTime(hold.releasedAt ?? hold.expiresAt),
      inForce: isActive(hold, at),
    })),
    listened: audit.flatMap(accessOf),
  };
}

export function callOf(
  { call }: PersonCall,
  parts: {
    /** What the line is called in the person's language, or its id; null where the call has none. */
    lineName: string | null;
    purposes: IndexPurpose[];
    /** null where it could not be made. */
    receipt: string | null;
    recording: IndexRecording | null;
  },
) {
  const { mode, answer, at } = call.consent;

  return {
    id: call.id,
    startedAt: isoTime(call.startedAt),
    endedAt: isoTime(call.endedAt),
    line: call.line,
    languages: call.languages,
    result: call.result,
    reason: call.reason,
    consent: { mode, answer, at: isoTime(at) },
    ...parts,
  };
}

export function controllerOf({ controller }: Pick<Config, 'controller'>, language: SubjectLanguage) {
  const { name, contact, dataProtectionOfficer, recipients, transfers } = controller;

  return {
    name: name ?? null,
    contact: contact ?? null,
    dataProtectionOfficer: dataProtectionOfficer ?? null,
    /** Outside the company. */
    recipients,
    transfers: transfers === undefined ? null : inLanguage(transfers, language),
  };
}
