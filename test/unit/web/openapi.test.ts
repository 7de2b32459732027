import { readFileSync } from 'node:fs';
import { apiDescription, describedRoutes } from '../../../docs/openapi.ts';
import { openApi } from '../../../src/web/openapi.ts';

type Operation = { operationId: string; security?: unknown[]; responses: Record<string, unknown> };
const paths = Object.entries(openApi(describedRoutes)['paths'] as Record<string, Record<string, Operation>>);
const operations = paths.flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
);

test('docs/openapi.json is what `npm run docs` makes of the routes', () => {
  const committed = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
  expect(committed).toBe(apiDescription());
});

test('each operation has a name of its own, and says what goes wrong as RFC 9457 does', () => {
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { responses } of operations) expect(JSON.stringify(responses['default'])).toContain('problem+json');
});

test('nobody but a stranger who signs in, and who reads the description, is let in without a token or a session', () => {
  expect(operations.flatMap(({ name, security }) => (security?.length === 0 ? [name] : []))).toEqual([
    'post /session',
    'post /session/code',
    'get /session/ways',
    'get /session/openid',
    'get /session/openid/callback',
    'get /session/openid/end',
    'get /openapi.json',
  ]);
});

test('no request has a telephone number in its address, which is in logs', () => {
  expect(JSON.stringify(paths.map(([path]) => path))).not.toMatch(/number|caller/);
  const queries = describedRoutes.filter(({ query }) => query !== undefined).map(({ path }) => path);
  expect(queries).toEqual([
    '/calls',
    '/recordings',
    '/recordings/{id}/audio',
    '/collections/{collection}/recordings',
    '/approvals',
    '/approvals/own',
    '/recordings/{id}/erasure',
    '/certificates',
    '/audit',
    '/retention/due',
    '/retention/overdue',
    '/retention/upcoming',
    '/retention/doubtful',
    '/retention/held',
    '/report',
    '/reports/unrecorded',
    '/figures/calls',
    '/system/checks',
    '/live',
    '/session',
    '/session/openid',
    '/session/openid/callback',
  ]);
});
