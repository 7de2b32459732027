import type { StagedCall } from './stagedCalls.ts';

/**
 * What the API answers whom, said once more: from docs/access.md and docs/api.md, without a line of src/access. A route that is added
 * needs its row here.
 */

export const allRoles = ['coach', 'legal', 'officer', 'operator', 'auditor', 'admin'] as const;
type Role = (typeof allRoles)[number];

export type Scope = {
  lines?: readonly string[];
  controllers?: readonly string[];
  extensions?: readonly string[];
  purposes?: readonly string[];
};

/** What the configuration of the test says: who hears a purpose, which are heard on approval, and whose lines are whose. */
export const hearers: Readonly<Record<string, readonly Role[]>> = {
  training: ['coach', 'officer', 'operator', 'auditor'],
  agreement: ['legal', 'officer'],
  silent: [],
  careful: ['coach', 'legal', 'officer', 'operator', 'auditor'],
};
export const onApproval: readonly string[] = ['careful'];
export const companyOf: Readonly<Record<string, string>> = { sales: 'acme', support: 'acme', orders: 'other' };

/** Of nothing, of everything at once, of one company, of the companies that they see, or of one call or recording. */
type Of = 'nothing' | 'everything' | 'company' | 'companies' | 'call' | 'recording';

type Row = {
  roles: readonly Role[];
  of: Of;
  /**
   * hearing: a purpose that names the role must be in force. asking: one that is heard on approval only, which nobody has given. keeping: there
   * must be something that is kept. finished: and it must not be in the making.
   */
  needs?: 'hearing' | 'asking' | 'keeping' | 'finished';
  body?: (staged: StagedCall) => unknown;
  query?: string;
  /** What becomes of it where they may: the status, and the code of a problem. */
  done: (staged: StagedCall) => string;
  /** It ends the session that asks: it is asked for last. */
  isLast?: true;
  /** No program may. */
  isOfPeople?: true;
  /** What it does changes the answers to others, or takes long: only who is refused asks for it here. */
  isRefusedOnly?: true;
};

const annotators: readonly Role[] = ['coach', 'legal', 'officer'];
const counters: readonly Role[] = ['officer', 'operator', 'auditor', 'admin'];
const keepsSystem: readonly Role[] = ['operator', 'admin'];
const seers: readonly Role[] = ['coach', 'legal', 'officer', 'operator', 'auditor'];
const keepers: readonly Role[] = ['legal', 'officer'];
const ok = () => '200';
const onLive = (done: Row['done']): Row => ({ roles: ['operator'], of: 'call', done });
const paused = onLive(({ status }) =>
  // Nothing answers where Asterisk is said to be.
  status === 'running' ? '503 ari_unreachable' : '409 pause_not_done',
);
/** No line of the test records on request, or of agreements alone. */
const coded = onLive(() => '409 code_not_done');

/** Of a sign-in through a provider, where none is configured. */
const noProvider: Row = { roles: allRoles, of: 'nothing', done: () => '404 address_unknown' };

const listed: Row = { roles: seers, of: 'nothing', done: ok };
const annotated = (body: unknown, done: string): Row => ({
  ...{ roles: annotators, of: 'recording', needs: 'keeping', done: () => done },
  ...(body === undefined ? {} : { body: () => body }),
});
/** Of this company all are asked that are of one. */
const askedCompany = 'acme';
const counted: Row = { roles: counters, of: 'company', query: `controller=${askedCompany}`, done: ok };
/** Nobody has called from there. */
const ofPerson: Row = {
  roles: ['officer'],
  of: 'company',
  body: () => ({ number: '+32475999999', controller: askedCompany }),
  done: ok,
};

/** A hold, a comment or a question of no id that one has: what is there is left as it was. */
const noHold = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

export const rows: Readonly<Record<string, Row>> = {
  'GET /calls': { roles: seers, of: 'nothing', done: ok },
  'POST /calls/search': {
    roles: keepers,
    of: 'nothing',
    body: () => ({ number: '+32475123456', ground: 'person', limit: 200 }),
    done: ok,
  },
  'GET /calls/{id}': { roles: seers, of: 'call', done: ok },
  'GET /recordings': { roles: seers, of: 'nothing', done: ok },
  'GET /recordings/{id}': { roles: seers, of: 'recording', done: ok },
  'GET /recordings/{id}/audio': { roles: seers, of: 'recording', needs: 'hearing', done: ok },
  'GET /recordings/{id}/audio?download=true': {
    roles: keepers,
    of: 'recording',
    needs: 'hearing',
    query: 'download=true',
    done: ok,
  },
  'GET /recordings/{id}/peaks': { roles: seers, of: 'recording', needs: 'hearing', done: ok },
  'GET /recordings/{id}/receipt': { roles: seers, of: 'recording', done: ok },
  'POST /recordings/{id}/heard': {
    roles: seers,
    of: 'recording',
    needs: 'hearing',
    body: () => ({ parts: [[0, 500]] }),
    done: () => '204',
  },
  'POST /recordings/{id}/holds': {
    roles: keepers,
    of: 'recording',
    needs: 'keeping',
    // A day that was: whoever may set a hold is told so, and nothing is held, which would put off the ends of others.
    body: () => ({ ground: 'authority', reason: 'asked for', until: '2020-01-01' }),
    done: () => '400 request_invalid',
  },
  'DELETE /recordings/{id}/holds/{hold}': { roles: keepers, of: 'recording', done: () => '404 hold_unknown' },
  'GET /annotation-form': { roles: allRoles, of: 'nothing', done: ok },
  'GET /recordings/{id}/annotation': { roles: seers, of: 'recording', done: ok },
  'PUT /recordings/{id}/tags': annotated({ tags: ['complaint'] }, '428 version_missing'),
  'PUT /recordings/{id}/rating': annotated({ criteria: [{ criterion: 'greeting', value: 4 }] }, '428 version_missing'),
  'DELETE /recordings/{id}/rating': annotated(undefined, '428 version_missing'),
  'POST /recordings/{id}/comments': annotated({ atMs: 500, text: 'Well said' }, '201'),
  'PUT /recordings/{id}/comments/{comment}': annotated({ atMs: 500, text: 'Well said' }, '404 comment_unknown'),
  'DELETE /recordings/{id}/comments/{comment}': annotated(undefined, '404 comment_unknown'),
  'PUT /recordings/{id}/collections/{collection}': annotated({}, '204'),
  'DELETE /recordings/{id}/collections/{collection}': annotated(undefined, '204'),
  'GET /collections/{collection}/recordings': listed,
  'POST /recordings/{id}/approvals': {
    roles: seers,
    of: 'recording',
    needs: 'asking',
    body: () => ({ purpose: 'careful', reason: 'The caller complains' }),
    done: () => '201',
  },
  'GET /approvals': { roles: keepers, of: 'nothing', done: ok },
  'GET /approvals/own': listed,
  'POST /approvals/{id}/answer': {
    roles: keepers,
    of: 'nothing',
    body: () => ({ verdict: 'refused' }),
    done: () => '404 address_unknown',
    isOfPeople: true,
  },
  'POST /recordings/{id}/evidence': {
    roles: keepers,
    of: 'recording',
    needs: 'hearing',
    body: () => ({}),
    done: ok,
    isRefusedOnly: true,
  },
  'GET /recordings/{id}/erasure': { roles: ['officer'], of: 'recording', needs: 'finished', done: ok },
  'POST /recordings/{id}/erasure': {
    roles: ['officer'],
    of: 'recording',
    needs: 'finished',
    body: () => ({ ground: 'unlawful' }),
    done: ok,
    isRefusedOnly: true,
  },
  'GET /recordings/{id}/certificates': { roles: seers, of: 'recording', done: ok },
  'GET /certificates': { roles: ['officer', 'auditor'], of: 'everything', done: ok },
  'GET /audit': { roles: ['officer', 'auditor'], of: 'everything', done: ok },
  'POST /persons/find': ofPerson,
  'POST /persons/export': ofPerson,
  'POST /persons/erase': ofPerson,
  'GET /persons/erasures': { roles: ['officer'], of: 'companies', done: ok },
  'GET /persons/erasures/{id}': { roles: ['officer'], of: 'companies', done: () => '404 address_unknown' },
  'GET /retention/due': listed,
  'GET /retention/overdue': listed,
  'GET /retention/upcoming': listed,
  'GET /retention/doubtful': listed,
  'GET /retention/held': listed,
  'POST /selections': {
    roles: keepers,
    of: 'recording',
    needs: 'hearing',
    body: ({ recording }) => ({ recordings: [recording] }),
    done: ok,
  },
  'GET /report': counted,
  'GET /reports/unrecorded': counted,
  'GET /figures/calls': counted,
  'GET /figures/storage': { roles: counters, of: 'everything', done: ok },
  'GET /figures/notices': { roles: counters, of: 'everything', done: ok },
  'GET /system': { roles: keepsSystem, of: 'everything', done: ok },
  'GET /system/checks': { roles: keepsSystem, of: 'everything', done: ok },
  'GET /system/prompts': { roles: keepsSystem, of: 'everything', done: ok },
  'GET /system/prompts/{language}/{prompt}/audio': {
    roles: keepsSystem,
    of: 'everything',
    done: () => '404 address_unknown',
  },
  'GET /live': { roles: ['coach', 'operator'], of: 'nothing', done: ok },
  'POST /live/{id}/pause': paused,
  'POST /live/{id}/resume': paused,
  'POST /live/{id}/record': coded,
  'POST /live/{id}/agreement': coded,
  'POST /session': {
    roles: allRoles,
    of: 'nothing',
    body: () => ({ user: 'nobody', password: 'wrong' }),
    done: () => '401 sign_in_refused',
  },
  'POST /session/code': {
    roles: allRoles,
    of: 'nothing',
    body: () => ({ code: 'AAAA-AAAA-AAAA' }),
    done: () => '401 sign_in_refused',
  },
  'DELETE /session': { roles: allRoles, of: 'nothing', done: () => '204', isLast: true },
  'GET /sessions': { roles: ['admin'], of: 'everything', done: ok },
  // Of nobody: who asks for other rows goes on.
  'DELETE /sessions/{name}': { roles: ['admin'], of: 'everything', done: ok },
  'GET /me': { roles: allRoles, of: 'nothing', done: ok },
  'GET /session/ways': { roles: allRoles, of: 'nothing', done: ok },
  'GET /session/openid': noProvider,
  'GET /session/openid/callback': noProvider,
  'GET /session/openid/end': noProvider,
  'GET /openapi.json': { roles: allRoles, of: 'nothing', done: ok },
};

export const routeOf = (row: string): { method: string; path: string } => {
  const [method = '', path = ''] = row.split(' ');

  return { method, path: path.replace(/\?.*$/, '') };
};

/** Where it is asked for one call. */
export const addressOf = (row: string, { call, recording }: Pick<StagedCall, 'call' | 'recording'>): string => {
  const { path } = routeOf(row);
  const { query } = rows[row] ?? {};
  const id = path.startsWith('/recordings') ? recording : call;

  const full = path
    .replace('{id}', path.startsWith('/approvals') ? noHold : id)
    .replace(/\{(hold|comment)\}/, noHold)
    .replace('{collection}', 'exemplary')
    .replace('{name}', 'user:nobody')
    .replace('{language}/{prompt}', 'fr/none');

  return `${full}${query === undefined ? '' : `?${query}`}`;
};

/** Which telephone it was is not known any more once nothing is kept of the sound. */
const extensionOf = ({ status, extension }: StagedCall): string | null =>
  status === 'erased' || status === 'discarded' ? null : extension;

const isOver = ({ status }: StagedCall, over: boolean): boolean => {
  switch (status) {
    case 'running':
    case 'recording':
      return false;
    case 'none':
    case 'lost':
    case 'discarded':
      // Nothing is kept, for no purpose.
      return true;
    case 'recorded':
    case 'archived':
    case 'erased':
    case 'failed':
      return over;
  }
};

/** Purposes that are for this role, in their scope. */
function ofRole(role: Role, { purposes: scope }: Scope, staged: StagedCall): { name: string; isOver: boolean }[] {
  return staged.purposes
    .filter(({ name }) => scope === undefined || scope.includes(name))
    .filter(({ name }) => (hearers[name] ?? []).includes(role))
    .map(({ name, over }) => ({ name, isOver: isOver(staged, over) }));
}

/** Whether a call is there for them at all. */
export function sees(role: Role, scope: Scope, staged: StagedCall): boolean {
  const { lines, controllers, extensions, purposes } = scope;
  const extension = extensionOf(staged);
  if (lines !== undefined && !lines.includes(staged.line)) return false;
  if (controllers !== undefined && !controllers.includes(companyOf[staged.line] ?? 'own')) return false;
  if (extensions !== undefined && (extension === null || !extensions.includes(extension))) return false;
  // Who teaches and who proves see what is kept for them; the others see what is kept for anybody.
  if (role === 'coach' || role === 'legal') return ofRole(role, scope, staged).some((purpose) => !purpose.isOver);

  return purposes === undefined || staged.purposes.some(({ name }) => purposes.includes(name));
}

/** Why it cannot be heard; undefined where it can. */
function deaf(role: Role, scope: Scope, staged: StagedCall, isApproved: boolean): string | undefined {
  const naming = ofRole(role, scope, staged);
  if (naming.length === 0) return '403 access_refused';
  const inForce = naming.filter((purpose) => !purpose.isOver);
  if (inForce.length === 0) return '403 purpose_over';
  switch (staged.status) {
    case 'running':
    case 'recording':
      return '409 recording_unfinished';
    case 'failed':
      return '409 recording_unusable';
    case 'recorded':
    case 'archived':
      return isApproved || inForce.some(({ name }) => !onApproval.includes(name)) ? undefined : '403 access_refused';
    case 'none':
    case 'erased':
    case 'lost':
    case 'discarded':
      return '410 recording_gone';
  }
}

/** The answer is of all calls of companies, and of no part of them. */
const seesCompanies = ({ lines, extensions, purposes }: Scope): boolean =>
  [lines, extensions, purposes].every((part) => part === undefined);

const seesCompany = ({ controllers, ...parts }: Scope): boolean =>
  seesCompanies(parts) && (controllers === undefined || controllers.includes(askedCompany));

/**
 * What this route answers somebody who is known.
 *
 * @param isApproved whether somebody else has approved that they hear it
 * @param isProgram whether they ask with a token
 */
export function expected(
  row: string,
  { role, scope, isProgram }: { role: Role; scope: Scope; isProgram: boolean },
  staged: StagedCall,
  isApproved: boolean,
): string {
  const rights = rows[row];
  if (rights === undefined) throw new Error(`the route ${row} has no row in test/support/web/rights.ts`);
  const { roles, of, needs, done, isOfPeople } = rights;
  if (!roles.includes(role) || (isOfPeople === true && isProgram)) return '403 access_refused';
  if (of === 'nothing') return done(staged);
  if (of === 'company') return seesCompany(scope) ? done(staged) : '403 access_refused';
  if (of === 'companies') return seesCompanies(scope) ? done(staged) : '403 access_refused';
  if (of === 'everything') return Object.keys(scope).length > 0 ? '403 access_refused' : done(staged);
  if (!sees(role, scope, staged) || (of === 'recording' && staged.status === 'none')) return '404 address_unknown';
  const isGone = ['erased', 'discarded', 'lost'].includes(staged.status);
  if ((needs === 'keeping' || needs === 'finished') && isGone) return '410 recording_gone';
  if (needs === 'finished' && ['running', 'recording'].includes(staged.status)) return '409 recording_unfinished';
  if (needs === 'asking') {
    const isHeard = deaf(role, scope, staged, isApproved) === undefined;

    return deaf(role, scope, staged, true) ?? (isHeard ? '403 access_refused' : done(staged));
  }
  const silence = needs === 'hearing' ? deaf(role, scope, staged, isApproved) : undefined;

  return silence ?? done(staged);
}
