import { isWronglyAhead } from '../core/clock.ts';
import { ownCalls } from '../config/controllerSchema.ts';
import type { Role } from '../config/roles.ts';
import type { Act, Actor, Subject, SubjectPurpose } from './actor.ts';

/**
 * Why not. outOfScope: they must not learn that it exists. role: nobody of their role may. wholeScope: it tells of all calls, and they see
 * some. notNamed: no purpose of it names their role in `mayListen`. purposeOver: those that do have ended. approvalNeeded and
 * approvalNotNeeded: somebody else must approve first, or need not. unfinished, unusable, gone: of the recording.
 */
export type Refusal =
  | 'outOfScope'
  | 'role'
  | 'wholeScope'
  | 'notNamed'
  | 'purposeOver'
  | 'approvalNeeded'
  | 'approvalNotNeeded'
  | 'unfinished'
  | 'unusable'
  | 'gone';

/** `by`: the purposes by which it may be heard, with the end of each, ms since 1970 UTC; empty where nothing is heard. */
export type Decision =
  { allowed: true; by: readonly { purpose: string; until: number }[] } | { allowed: false; reason: Refusal };

type HearingAct = 'listen' | 'download' | 'makeEvidence' | 'askApproval';

const seeing = ['list', 'read', 'listen', 'askApproval'] as const;
const keeping = ['annotate', 'hold', 'release'] as const;
const proving = ['download', 'makeEvidence', 'searchByNumber', 'approve'] as const;

/** What a role may ask for at all. Whether it may be heard, `mayListen` of the purposes says as well. */
const grants: Readonly<Record<Role, readonly Act[]>> = {
  coach: [...seeing, 'annotate', 'seeLive'],
  legal: [...seeing, ...keeping, ...proving],
  officer: [...seeing, ...keeping, ...proving, 'erase', 'answerPersons', 'readAudit', 'readReport'],
  operator: [...seeing, 'readReport', 'readSystem', 'seeLive', 'actOnCall'],
  auditor: [...seeing, 'readAudit', 'readReport'],
  admin: ['readReport', 'readSystem', 'manageAccess'],
};

/** What they see ends with the purposes that name them. The others look after recordings of every purpose, and after what became of them. */
export const seesOwnPurposesOnly: readonly Role[] = ['coach', 'legal'];

/** Asked of everything; what is found is decided row by row. */
const atLarge: readonly Act[] = [
  'list',
  'searchByNumber',
  'answerPersons',
  'readAudit',
  'readReport',
  'readSystem',
  'seeLive',
  'approve',
  'manageAccess',
];
/** The answer cannot be taken apart by calls. */
const ofWholeScope: readonly Act[] = ['readAudit', 'readSystem', 'manageAccess'];
/** The answer can be taken apart by companies alone. */
const ofCompanies: readonly Act[] = ['answerPersons', 'readReport'];

/**
 * Whether somebody may do something, to everything (`subject` undefined) or to one call or recording; one that does not exist is undefined,
 * too. The same question has to be asked again for every part of a recording that is handed out: `now` may be beyond `until`.
 *
 * @param now ms since 1970 UTC
 */
export function decideAccess(actor: Actor, act: Act, subject: Subject | undefined, now: number): Decision {
  if (!grants[actor.role].includes(act)) return refused('role');
  if (subject === undefined) return decideAtLarge(actor, act);
  const seen = seenPurposes(actor, subject, now);
  if (!isInScope(actor, subject, seen)) return refused('outOfScope');

  switch (act) {
    case 'listen':
    case 'download':
    case 'makeEvidence':
    case 'askApproval':
      return decideHearing(actor.role, act, seen, subject, now);
    case 'annotate':
    case 'approve':
    case 'hold':
    case 'erase':
      return decideChange(act, subject.status);
    case 'list':
    case 'read':
    case 'release':
    case 'searchByNumber':
    case 'readAudit':
    case 'answerPersons':
    case 'readReport':
    case 'readSystem':
    case 'seeLive':
    case 'actOnCall':
    case 'manageAccess':
      return allowed;
  }
}

const allowed: Decision = { allowed: true, by: [] };

function refused(reason: Refusal): Decision {
  return { allowed: false, reason };
}

function decideAtLarge({ lines, controllers, extensions, purposes }: Actor, act: Act): Decision {
  if (!atLarge.includes(act)) return refused('outOfScope');
  const seesAll = (scopes: readonly (readonly string[] | undefined)[]): boolean =>
    scopes.every((scope) => scope === undefined);
  // Of one company they are asked by its name: whoever asks names one that they see.
  if (ofCompanies.includes(act)) return seesAll([lines, extensions, purposes]) ? allowed : refused('wholeScope');

  return ofWholeScope.includes(act) && !seesAll([lines, controllers, extensions, purposes])
    ? refused('wholeScope')
    : allowed;
}

function seenPurposes({ role, purposes }: Actor, subject: Subject, now: number): SubjectPurpose[] {
  const inScope = subject.purposes.filter(({ name }) => purposes === undefined || purposes.includes(name));

  return seesOwnPurposesOnly.includes(role)
    ? inScope.filter(({ mayListen, keepUntil }) => mayListen.includes(role) && keepUntil > now)
    : inScope;
}

function isInScope(actor: Actor, { line, controller, extension }: Subject, seen: readonly SubjectPurpose[]): boolean {
  const has = (scope: readonly string[] | undefined, value: string | null): boolean =>
    scope === undefined || (value !== null && scope.includes(value));
  const needsPurpose = actor.purposes !== undefined || seesOwnPurposesOnly.includes(actor.role);

  const company = controller === undefined ? null : (controller ?? ownCalls);

  return (
    has(actor.lines, line) &&
    has(actor.controllers, company) &&
    has(actor.extensions, extension) &&
    (!needsPurpose || seen.length > 0)
  );
}

function decideHearing(
  role: Role,
  act: HearingAct,
  seen: readonly SubjectPurpose[],
  { status, approvals }: Subject,
  now: number,
): Decision {
  const naming = seen.filter(({ mayListen }) => mayListen.includes(role));
  if (naming.length === 0) return refused('notNamed');
  // A decision to erase it has ended its purposes, too: that it is gone says more.
  if (status === 'erased') return refused('gone');
  const inForce = naming.filter(({ keepUntil }) => keepUntil > now);
  if (inForce.length === 0) return refused('purposeOver');
  const fault = soundFault(status);
  if (fault !== undefined) return refused(fault);

  const by = inForce.flatMap(({ name, keepUntil, needsApproval }) => {
    if (!needsApproval) return [{ purpose: name, until: keepUntil }];
    const given = approvals.filter(({ purpose, since }) => purpose === name && !isWronglyAhead(since, now));
    const until = Math.max(...given.map((each) => each.until));
    return until > now ? [{ purpose: name, until: Math.min(until, keepUntil) }] : [];
  });
  if (act === 'askApproval') return by.length === 0 ? allowed : refused('approvalNotNeeded');

  return by.length === 0 ? refused('approvalNeeded') : { allowed: true, by };
}

/** Why there is nothing to be heard. */
function soundFault(status: Subject['status']): 'unfinished' | 'unusable' | 'gone' | undefined {
  switch (status) {
    case 'recorded':
    case 'archived':
      return undefined;
    case 'recording':
      return 'unfinished';
    case 'failed':
      return 'unusable';
    case 'erased':
    case 'discarded':
    case 'lost':
    case 'none':
      return 'gone';
  }
}

/** What is written about a recording, or done with it, while it is there. */
function decideChange(act: 'annotate' | 'approve' | 'hold' | 'erase', status: Subject['status']): Decision {
  const fault = soundFault(status);
  if (fault === 'gone') return refused('gone');
  // A recording that runs is erased by who acts on its call.
  return fault === 'unfinished' && act === 'erase' ? refused('unfinished') : allowed;
}
