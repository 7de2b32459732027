import type { Rating } from '../catalogue/annotation/annotations.ts';
import type { CommentRow } from '../catalogue/annotation/comments.ts';
import { isActive } from '../catalogue/retention/legalHolds.ts';
import type { AuditRow } from '../catalogue/rows.ts';
import type { Config } from '../config/schema.ts';
import { nameOfPurpose } from '../config/purposeRules.ts';
import { isoTime } from '../core/clock.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { StoredPolicy } from '../catalogue/rows.ts';
import type { Person, PersonCall, PersonRecording } from './findCalls.ts';
import type { SubjectLanguage } from './languages.ts';

/** Who asks what is kept of them. */
export type Asker = Person['kind'];

/** What was done with a recording; who did it is told by their role alone. */
type IndexAccess = {
  at: string;
  what: 'fetched' | 'bundled' | 'exported' | 'exportedToOther';
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
  /** Who asked: a caller or whom the company called, or an employee. */
  asker: Asker;
  /** Of a caller, as it is kept, encrypted; null where only its keyed hash is, or the key is another. */
  number: string | null;
  /** The telephone of an employee, by the name of its endpoint; null for a caller. */
  extension: string | null;
  /** The direct number of an employee, and when it was dialled, whoever answered; null where it was not asked for. */
  direct: { number: string; calls: { startedAt: string; line: string | null }[] } | null;
  /** The time of the employee's calls that were looked for; null: of all. */
  begun: { from: string; to: string } | null;
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

function accessOf({ event, at, detail }: AuditRow, asker: Asker): IndexAccess[] {
  const done = Object.hasOwn(accesses, event) ? accesses[event] : undefined;
  if (done === undefined) return [];
  const purpose = detail['purpose'];
  // Before employees were answered, it was the caller.
  const isOther = done === 'exported' && (detail['person'] ?? 'caller') !== asker;
  const what = isOther ? 'exportedToOther' : done;

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

/**
 * What people have written about a recording, and what is said in it: an opinion of somebody is personal data of theirs (CJEU C-434/16). Who
 * wrote it is not told. A rating tells of who answered, and is given to them alone; tags tell of the caller.
 */
export type IndexNotes = {
  tags: readonly string[];
  rating: Pick<Rating, 'criteria' | 'score' | 'at'> | null;
  comments: readonly Pick<CommentRow, 'atMs' | 'text' | 'writtenAt'>[];
};

/** It is told to an employee without the ground of a hold, which may be a request of the other person. */
export function recordingOf(
  { row, holds }: PersonRecording,
  file: IndexFile,
  { audit, notes }: { audit: readonly AuditRow[]; notes: IndexNotes },
  { at, asker, labelOf }: { at: number; asker: Asker; labelOf: (criterion: string) => string },
) {
  return {
    id: row.id,
    status: row.status,
    startedAt: isoTime(row.startedAt),
    durationMs: row.durationMs,
    file,
    holds: holds.map((hold) => ({
      ground: asker === 'caller' ? hold.ground : null,
      from: isoTime(hold.setAt),
      until: isoTime(hold.releasedAt ?? hold.expiresAt),
      inForce: isActive(hold, at),
    })),
    tags: notes.tags,
    rating: notes.rating && {
      at: isoTime(notes.rating.at),
      /** From 0 to 100. */
      score: notes.rating.score,
      criteria: notes.rating.criteria.map((each) => ({ ...each, label: labelOf(each.criterion) })),
    },
    comments: notes.comments.map(({ atMs, text, writtenAt }) => ({ atMs, text, writtenAt: isoTime(writtenAt) })),
    listened: audit.flatMap((each) => accessOf(each, asker)),
  };
}

/** What the other person heard and answered is told to them alone. */
export function callOf(
  { call, dialled }: PersonCall,
  asker: Asker,
  parts: {
    /** What the line is called in the person's language, or its id; null where the call has none. */
    lineName: string | null;
    /** Whether the whole notice of this call was heard. */
    told: boolean;
    purposes: IndexPurpose[];
    /** null where it could not be made, and for an employee: it is of what the other person heard. */
    receipt: string | null;
    recording: IndexRecording | null;
  },
) {
  const { mode, answer, at } = call.consent;
  const isCaller = asker === 'caller';

  return {
    id: call.id,
    startedAt: isoTime(call.startedAt),
    endedAt: isoTime(call.endedAt),
    line: call.line,
    /** The number of the company that was dialled; null where that is not kept. */
    dialled: dialled ?? null,
    languages: isCaller ? call.languages : [],
    result: call.result,
    reason: isCaller ? call.reason : null,
    consent: isCaller ? { mode, answer, at: isoTime(at) } : null,
    /** The call whose notice counts for this one, which said less, and when it ended there; null where this call said all. */
    earlierNotice:
      isCaller && call.earlier !== undefined ? { call: call.earlier.call, at: isoTime(call.earlier.toldAt) } : null,
    ...parts,
    told: isCaller ? parts.told : null,
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
