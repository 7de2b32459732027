import { writeFile } from 'node:fs/promises';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const rules = { coaches: { claim: 'groups', anyOf: ['coaches'], role: 'coach' } };
const openId = { issuer: 'https://login.example.com', clientId: 'preavis', clientSecret: 'zebra-crossing', rules };
const withOpenId = (more: Record<string, unknown>, access: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...configTree(),
  access: { openId: { ...openId, ...more }, ...access },
});

test('nobody signs in through a provider unless one is named, and passwords count', () => {
  const { access } = parseConfig(configTree());
  expect([access.openId, access.passwordSignIn]).toEqual([undefined, true]);
  expect(parseConfig(withOpenId({})).access.openId).toEqual({
    ...openId,
    scopes: [],
    subjectClaim: 'sub',
    accounts: {},
  });
});

test.each(['http://127.0.0.1:8080/realms/house', 'http://localhost', 'http://[::1]:8080'])(
  'a provider on this machine, such as %s, needs no TLS',
  (issuer) => {
    expect(parseConfig(withOpenId({ issuer })).access.openId?.issuer).toBe(issuer);
  },
);

test.each([
  ['a provider over http', { issuer: 'http://login.example.com' }, 'issuer: must be https'],
  ['a host that only begins like this machine', { issuer: 'http://127.0.0.1.evil.example' }, 'issuer: must be https'],
  ['another protocol', { issuer: 'ftp://login.example.com' }, 'issuer: is not an address'],
  ['an issuer with a query', { issuer: 'https://login.example.com/?a=1' }, 'issuer: must have no query'],
  ['every tenant', { issuer: 'https://login.microsoftonline.com/common/v2.0' }, 'issuer: stands for every company'],
  ['every tenant', { issuer: 'https://login.microsoftonline.com/organizations' }, 'issuer: stands for every company'],
  ['no secret', { clientSecret: undefined }, 'clientSecret: is missing, or clientSecretFile is'],
  ['no rule', { rules: {} }, 'rules: has none'],
  ['a claim alone', { rules: { all: { claim: 'groups', role: 'coach' } } }, 'rules.all.anyOf: is missing'],
  ['values alone', { rules: { all: { anyOf: ['a'], role: 'coach' } } }, 'rules.all.claim: is missing'],
  ['a rule for everybody', { rules: { all: { role: 'coach' } } }, 'rules.all.claim: is missing: without accounts'],
  ['a role that is none', { rules: { all: { ...rules.coaches, role: 'boss' } } }, 'rules.all.role: must be one of'],
  ['a claim of its own choice', { subjectClaim: 'email' }, 'subjectClaim: must be one of sub, oid'],
  ['a domain with an @', { accounts: { emailDomains: ['@example.com'] } }, 'is not a domain in lower case'],
  ['a scope of two words', { scopes: ['email profile'] }, 'is not a scope such as email'],
])('%s is refused by its key', (_, more, message) => {
  expect(() => parseConfig(withOpenId(more))).toThrow(
    expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(message) as string }) as Error,
  );
});

test('a rule may hold for all accounts that are named', () => {
  const more = { accounts: { emailDomains: ['example.com'] }, rules: { all: { role: 'coach' } } };
  expect(parseConfig(withOpenId(more)).access.openId?.rules).toEqual({ all: { role: 'coach' } });
});

test('users need no password where none counts, and a way to come in', () => {
  const users = { anna: { role: 'coach' } };
  expect(parseConfig(withOpenId({}, { passwordSignIn: false, users })).access.users).toEqual(users);
  expect(() => parseConfig({ ...configTree(), access: { passwordSignIn: false, users } })).toThrow(
    'access.passwordSignIn: is false, and there is no openId: no user could sign in',
  );
});

test('the secret is in a file, or in the environment, and never shown', async () => {
  const secret = folder.path('secret');
  await writeFile(secret, 'zebra-crossing\nmore\n', { mode: 0o600 });
  const config = folder.path('config');
  const file = withOpenId({ clientSecret: undefined, clientSecretFile: secret });
  await writeFile(config, JSON.stringify(file), { mode: 0o600 });
  expect((await loadConfig(config, {})).access.openId?.clientSecret).toBe('zebra-crossing');
  const environment = { PREAVIS_ACCESS_OPEN_ID_CLIENT_SECRET: 'from the environment' };
  expect((await loadConfig(config, environment)).access.openId?.clientSecret).toBe('from the environment');
  await writeFile(secret, '\n', { mode: 0o600 });
  await expect(loadConfig(config, {})).rejects.toMatchObject({
    message: 'access.openId.clientSecretFile: its first line is empty',
  });
  expect(() => parseConfig(withOpenId({ clientSecret: ['zebra-crossing'] }))).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('zebra') as string }) as Error,
  );
});
