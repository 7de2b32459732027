import type { RecordingStatus } from '../catalogue/statuses.ts';
import type { Role } from '../config/roles.ts';

/** Whoever asks: a user with a session, or a token. */
export type Actor = {
  /** As the audit trail names them: `user:anna`, `token:crm`, `openid:` and who it is at the identity provider. */
  name: string;
  role: Role;
  /** Lines they may see; undefined: all. */
  lines: readonly string[] | undefined;
  /** Companies whose calls they see, by their names in `controllers`, or `own`; undefined: all. */
  controllers?: readonly string[] | undefined;
  /** Only calls of these extensions (own calls or a team); undefined: all. */
  extensions: readonly string[] | undefined;
  /** Purposes they may see; undefined: all that their role sees. What they hear, `mayListen` says as well. */
  purposes: readonly string[] | undefined;
};

/**
 * What can be asked. Of everything, without a subject: `list`, `searchByNumber`, `answerPersons`, `readAudit`, `readReport`, `readSystem`,
 * `seeLive`, `approve` and `manageAccess`; what they find is decided again, row by row. The others are asked of one call or recording.
 */
export const acts = [
  'list',
  'read',
  'listen',
  'download',
  /** A bundle of evidence, which has the sound in it. */
  'makeEvidence',
  'searchByNumber',
  'annotate',
  'hold',
  'release',
  'erase',
  /** Find, export and erase what is kept of somebody by their number. */
  'answerPersons',
  'readAudit',
  'readReport',
  /** Jobs, alarms, prompts, and what they have at hand: no calls. */
  'readSystem',
  'seeLive',
  /** Pause, resume, record and agreement of a call that goes on. */
  'actOnCall',
  /** To hear a recording of a purpose that is replayed on approval only. */
  'askApproval',
  'approve',
  /** Sessions of others, and who is locked out. */
  'manageAccess',
] as const;
export type Act = (typeof acts)[number];

/** Those that are asked of one recording. */
export const actsOfRecordings = [
  'list',
  'read',
  'listen',
  'download',
  'makeEvidence',
  'annotate',
  'hold',
  'release',
  'erase',
  'readAudit',
  'askApproval',
  'approve',
] as const satisfies readonly Act[];

export type SubjectPurpose = {
  name: string;
  /** ms since 1970 UTC, holds taken into account; Infinity while the recording is not finished. */
  keepUntil: number;
  mayListen: readonly string[];
  /** Whether it is heard only after somebody else has approved it. */
  needsApproval: boolean;
};

/** A call, with its recording if it has one. */
export type Subject = {
  line: string | null;
  /** As the catalogue has it: null is the company itself. undefined: not known, so that whoever sees some companies sees it not. */
  controller?: string | null | undefined;
  extension: string | null;
  purposes: readonly SubjectPurpose[];
  /** none: the call has no recording. */
  status: RecordingStatus | 'none';
  /** Those that this actor has for this recording: for which purpose, since and until when, ms since 1970 UTC. */
  approvals: readonly { purpose: string; since: number; until: number }[];
};
