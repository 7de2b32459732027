import { describedRoutes } from '../../../docs/openapi.ts';
import { roles } from '../../../src/config/roles.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { faultsOf } from '../../support/web/description.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(): Promise<WebStage> {
  const here = await webStage(folder.path(`${Math.random()}`), open);
  stages.push(here);
  for (const role of roles) here.door.tokens.set(role, actorOf(role));

  return here;
}

const json = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const bodies: Readonly<Record<string, (id: string) => unknown>> = {
  '/calls/search': () => ({ number: '+32475123456', ground: 'person' }),
  '/recordings/{id}/heard': () => ({ parts: [[0, 500]] }),
  '/recordings/{id}/holds': () => ({ ground: 'authority', reason: 'asked for', until: '2026-12-31' }),
  '/recordings/{id}/tags': () => ({ tags: ['complaint'] }),
  '/recordings/{id}/rating': () => ({ criteria: [{ criterion: 'greeting', value: 4 }] }),
  '/recordings/{id}/comments': () => ({ atMs: 500, text: 'Well said' }),
  '/recordings/{id}/comments/{comment}': () => ({ atMs: 500, text: 'Well said' }),
  '/recordings/{id}/collections/{collection}': () => ({}),
  '/recordings/{id}/approvals': () => ({ purpose: 'training', reason: 'The caller complains' }),
  '/approvals/{id}/answer': () => ({ verdict: 'refused' }),
  '/recordings/{id}/evidence': () => ({}),
  '/recordings/{id}/erasure': () => ({ ground: 'unlawful' }),
  '/persons/find': () => ({ number: '+32475123456' }),
  '/persons/export': () => ({ number: '+32475123456' }),
  '/persons/erase': () => ({ number: '+32475123456' }),
  '/selections': (id) => ({ recordings: [id] }),
  '/session/code': () => ({ code: 'AAAA-AAAA-AAAA' }),
  '/session': () => ({ user: 'nobody', password: 'wrong' }),
};

/**
 * What each role is answered, in the order coach, legal, officer, operator, auditor, admin, nobody: of a recording for training, which
 * names all roles but legal and admin.
 */
const expected: Readonly<Record<string, readonly number[]>> = {
  'GET /calls': [200, 200, 200, 200, 200, 403, 401],
  'POST /calls/search': [403, 200, 200, 403, 403, 403, 401],
  'GET /calls/{id}': [200, 404, 200, 200, 200, 403, 401],
  'GET /recordings': [200, 200, 200, 200, 200, 403, 401],
  'GET /recordings/{id}': [200, 404, 200, 200, 200, 403, 401],
  'GET /recordings/{id}/audio': [200, 404, 200, 200, 200, 403, 401],
  'GET /recordings/{id}/peaks': [200, 404, 200, 200, 200, 403, 401],
  'GET /recordings/{id}/receipt': [200, 404, 200, 200, 200, 403, 401],
  'POST /recordings/{id}/heard': [204, 404, 204, 204, 204, 403, 401],
  'GET /annotation-form': [200, 200, 200, 200, 200, 200, 401],
  'GET /recordings/{id}/annotation': [200, 404, 200, 200, 200, 403, 401],
  'PUT /recordings/{id}/tags': [428, 404, 428, 403, 403, 403, 401],
  'PUT /recordings/{id}/rating': [428, 404, 428, 403, 403, 403, 401],
  'DELETE /recordings/{id}/rating': [428, 404, 428, 403, 403, 403, 401],
  'POST /recordings/{id}/comments': [201, 404, 201, 403, 403, 403, 401],
  'PUT /recordings/{id}/comments/{comment}': [404, 404, 404, 403, 403, 403, 401],
  'DELETE /recordings/{id}/comments/{comment}': [404, 404, 404, 403, 403, 403, 401],
  'PUT /recordings/{id}/collections/{collection}': [204, 404, 204, 403, 403, 403, 401],
  'DELETE /recordings/{id}/collections/{collection}': [204, 404, 204, 403, 403, 403, 401],
  'GET /collections/{collection}/recordings': [200, 200, 200, 200, 200, 403, 401],
  'POST /recordings/{id}/approvals': [403, 404, 403, 403, 403, 403, 401],
  'GET /approvals': [403, 200, 200, 403, 403, 403, 401],
  'GET /approvals/own': [200, 200, 200, 200, 200, 403, 401],
  'POST /approvals/{id}/answer': [403, 404, 404, 403, 403, 403, 401],
  'POST /recordings/{id}/holds': [403, 404, 201, 403, 403, 403, 401],
  'DELETE /recordings/{id}/holds/{hold}': [403, 404, 404, 403, 403, 403, 401],
  'POST /selections': [403, 404, 200, 403, 403, 403, 401],
  'POST /recordings/{id}/evidence': [403, 404, 200, 403, 403, 403, 401],
  'GET /recordings/{id}/erasure': [403, 403, 200, 403, 403, 403, 401],
  'POST /recordings/{id}/erasure': [403, 403, 200, 403, 403, 403, 401],
  'GET /recordings/{id}/certificates': [200, 404, 200, 200, 200, 403, 401],
  'GET /certificates': [403, 403, 200, 403, 200, 403, 401],
  'GET /audit': [403, 403, 200, 403, 200, 403, 401],
  'POST /persons/find': [403, 403, 200, 403, 403, 403, 401],
  'POST /persons/export': [403, 403, 200, 403, 403, 403, 401],
  'POST /persons/erase': [403, 403, 200, 403, 403, 403, 401],
  'GET /persons/erasures': [403, 403, 200, 403, 403, 403, 401],
  'GET /persons/erasures/{id}': [403, 403, 404, 403, 403, 403, 401],
  'GET /retention/due': [200, 200, 200, 200, 200, 403, 401],
  'GET /retention/overdue': [200, 200, 200, 200, 200, 403, 401],
  'GET /retention/upcoming': [200, 200, 200, 200, 200, 403, 401],
  'GET /retention/doubtful': [200, 200, 200, 200, 200, 403, 401],
  'GET /retention/held': [200, 200, 200, 200, 200, 403, 401],
  'GET /report': [403, 403, 200, 200, 200, 200, 401],
  'GET /reports/unrecorded': [403, 403, 200, 200, 200, 200, 401],
  'GET /figures/calls': [403, 403, 200, 200, 200, 200, 401],
  'GET /figures/storage': [403, 403, 200, 200, 200, 200, 401],
  'GET /figures/notices': [403, 403, 200, 200, 200, 200, 401],
  'GET /system': [403, 403, 403, 200, 403, 200, 401],
  'GET /system/checks': [403, 403, 403, 200, 403, 200, 401],
  'GET /system/prompts': [403, 403, 403, 200, 403, 200, 401],
  'GET /system/prompts/{language}/{prompt}/audio': [403, 403, 403, 404, 403, 404, 401],
  'GET /live': [200, 403, 403, 200, 403, 403, 401],
  'POST /live/{id}/pause': [403, 403, 403, 409, 403, 403, 401],
  'POST /live/{id}/resume': [403, 403, 403, 409, 403, 403, 401],
  'POST /live/{id}/record': [403, 403, 403, 409, 403, 403, 401],
  'POST /live/{id}/agreement': [403, 403, 403, 409, 403, 403, 401],
  'POST /session': [401, 401, 401, 401, 401, 401, 403],
  'POST /session/code': [401, 401, 401, 401, 401, 401, 401],
  'DELETE /session': [204, 204, 204, 204, 204, 204, 401],
  'GET /me': [200, 200, 200, 200, 200, 200, 401],
  'GET /sessions': [403, 403, 403, 403, 403, 200, 401],
  'DELETE /sessions/{name}': [403, 403, 403, 403, 403, 200, 401],
  'GET /session/ways': [200, 200, 200, 200, 200, 200, 200],
  // Where no provider is configured.
  'GET /session/openid': [404, 404, 404, 404, 404, 404, 404],
  'GET /session/openid/callback': [404, 404, 404, 404, 404, 404, 404],
  'GET /session/openid/end': [404, 404, 404, 404, 404, 404, 404],
  'GET /openapi.json': [200, 200, 200, 200, 200, 200, 200],
};

test('every route has its line here', () => {
  expect(Object.keys(expected)).toEqual(describedRoutes.map(({ method, path }) => `${method} ${path}`));
});

test.each(describedRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s answers each role as its rights say, and as it is described',
  async (name, { method, path }) => {
    const here = await stage();
    const { id, call } = await here.archived();
    const own = path.startsWith('/recordings') ? id : call;
    const url = path
      .replace('{id}', own)
      .replace(/\{(hold|comment)\}/, own)
      .replace('{name}', 'user:nobody')
      .replace('{collection}', 'exemplary')
      .replace('{language}/{prompt}', 'fr/none');
    const body = bodies[path]?.(id);
    const answers: number[] = [];
    for (const who of [...roles, undefined]) {
      // A stranger is no program: their requests are those of a page.
      const headers =
        who === undefined && !(method === 'POST' && path === '/session') ? { 'x-preavis-request': '1' } : {};
      const asked = body === undefined || method === 'GET' || method === 'DELETE' ? { headers: {} } : json(body);
      const answer = await here.ask(url, who, { method, ...asked, headers: { ...asked.headers, ...headers } });
      answers.push(answer.status);
      expect(await faultsOf(answer, method, path)).toBe('');
    }
    expect({ [name]: answers }).toEqual({ [name]: expected[name] });
  },
);
