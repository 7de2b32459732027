import { openIdFinding } from '../../../../src/cli/check/openId.ts';
import type { CheckResult } from '../../../../src/cli/check/checklist.ts';
import { parseConfig } from '../../../../src/config/load.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { configTree } from '../../../support/call/calls.ts';
import { clientSecret, startProvider, type TestProvider } from '../../../support/web/provider.ts';

let provider: TestProvider;

beforeEach(async () => {
  provider = await startProvider({});
});
afterEach(() => provider.stop());

const rules = { coaches: { claim: 'groups', anyOf: ['coaches'], role: 'coach' } };

function found(
  more: Record<string, unknown> = {},
  web: Record<string, unknown> = {},
): Promise<CheckResult | undefined> {
  const openId = { issuer: provider.issuer, clientId: 'preavis', clientSecret, rules, ...more };

  return openIdFinding(parseConfig({ ...configTree(), access: { openId }, web }), systemClock);
}

test('check says which provider answers, and what is to be registered there', async () => {
  await provider.register('https://calls.example.com/api/v1/session/openid/callback');
  expect(await found({}, { listen: '127.0.0.1:8095', publicUrl: 'https://calls.example.com' })).toEqual({
    check: 'sign-in through the identity provider',
    ok: true,
    facts: {
      issuer: provider.issuer,
      'address to register there': 'https://calls.example.com/api/v1/session/openid/callback',
    },
  });
  expect(await found({}, { listen: '127.0.0.1:8095' })).toMatchObject({
    facts: { 'address to register there': 'http://127.0.0.1:8095/api/v1/session/openid/callback' },
  });
  expect(await found()).toMatchObject({ facts: { 'address to register there': 'none: web.listen is not set' } });
});

test('check warns of what lets in others than was meant, or nobody', async () => {
  await provider.register('https://calls.example.com/api/v1/session/openid/callback');
  const byName = { boss: { claim: 'preferred_username', anyOf: ['boss'], role: 'officer' } };
  expect(await found({ rules: { ...rules, ...byName }, accounts: { emailDomains: ['example.com'] } })).toMatchObject({
    warning: expect.stringMatching(/boss \(preferred_username\).*; accounts\.emailDomains needs an address/) as string,
  });
});

test('check says that the provider is away, or is another one, and nothing where none is configured', async () => {
  provider.fault = (_path, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"issuer":"https://evil.example"}');
    return true;
  };
  expect(await found()).toMatchObject({ ok: false, code: 'open_id_untrusted' });
  await provider.stop();
  expect(await found()).toMatchObject({ ok: false, code: 'open_id_unreachable' });
  expect(await openIdFinding(parseConfig(configTree()), systemClock)).toBeUndefined();
  await provider.start();
});
