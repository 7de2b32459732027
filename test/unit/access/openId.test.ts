import { actorOfOpenId, credentialOfRule, isOpenIdName, letIn, openIdName } from '../../../src/access/openId.ts';
import type { OpenIdConfig } from '../../../src/config/openIdSchema.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';

const subject = '6f1f3a52-0d6a-4c39-9a5b-3f1f4f2f7a11';
const issuer = 'https://login.example.com/realms/house';
const rules = {
  coaches: { claim: 'groups', anyOf: ['coaches', 'teachers'], role: 'coach', lines: ['default'] },
  admins: { claim: 'realm_access.roles', anyOf: ['admins'], role: 'admin' },
};

function openIdOf(more: Record<string, unknown> = {}): OpenIdConfig {
  const openId = { issuer, clientId: 'preavis', clientSecret: 'secret', rules, ...more };
  const { access } = parseConfig({ ...configTree(), access: { openId } });
  if (access.openId === undefined) throw new Error('there is none');

  return access.openId;
}

const ruleOf = (claims: Record<string, unknown>, more?: Record<string, unknown>): string => {
  try {
    return letIn(openIdOf(more), { sub: subject, ...claims }).rule;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

test.each([
  ['a list that has one of the values', { groups: ['staff', 'teachers'] }, 'coaches'],
  ['a text that is one', { groups: 'coaches' }, 'coaches'],
  ['a claim within a claim', { realm_access: { roles: ['admins'] } }, 'admins'],
  ['a claim whose name has dots', { 'realm_access.roles': 'admins' }, 'admins'],
  ['the first of two rules', { groups: ['coaches'], realm_access: { roles: ['admins'] } }, 'coaches'],
  ['another case', { groups: ['Coaches'] }, 'sign_in_not_granted'],
  ['a part of it', { groups: 'my coaches' }, 'sign_in_not_granted'],
  ['a list within a list', { groups: [['coaches']] }, 'sign_in_not_granted'],
  ['an object', { groups: { coaches: true } }, 'sign_in_not_granted'],
  ['a list on the way', { realm_access: [{ roles: ['admins'] }] }, 'sign_in_not_granted'],
  ['none', {}, 'sign_in_not_granted'],
])('of the claims, %s decides', (_, claims, expected) => {
  expect(ruleOf(claims)).toBe(expected);
});

test.each(['constructor', '__proto__', 'toString.name'])('what every object has, such as %s, is no claim', (claim) => {
  expect(ruleOf({}, { rules: { all: { claim, anyOf: ['Object', 'toString'], role: 'admin' } } })).toBe(
    'sign_in_not_granted',
  );
});

test.each([
  ['anna@example.com', true, 'coaches'],
  ['Anna@EXAMPLE.com', true, 'coaches'],
  ['anna@example.com', false, 'sign_in_not_granted'],
  ['anna@example.com', 'true', 'sign_in_not_granted'],
  ['anna@example.com', undefined, 'sign_in_not_granted'],
  ['anna@sub.example.com', true, 'sign_in_not_granted'],
  ['anna@notexample.com', true, 'sign_in_not_granted'],
  ['anna@evil.example@example.com', true, 'sign_in_not_granted'],
  ['example.com', true, 'sign_in_not_granted'],
  [['anna@example.com'], true, 'sign_in_not_granted'],
])('the address %s, verified: %s, comes in by its domain: %s', (email, verified, expected) => {
  const claims = { groups: 'coaches', email, ...(verified === undefined ? {} : { email_verified: verified }) };
  expect(ruleOf(claims, { accounts: { emailDomains: ['example.com'] } })).toBe(expected);
});

test.each([[undefined], [''], [12], ['x'.repeat(256)], [['a']]])('a subject that is %p is nobody', (sub) => {
  expect(ruleOf({ sub, groups: 'coaches' })).toBe('open_id_untrusted');
});

test('somebody is called by a UUID of the provider, and by a hash of any other subject', () => {
  expect(openIdName(issuer, subject)).toBe(`openid:${subject}`);
  // printf '%s %s' "$ISSUER" anna@example.com | sha256sum | cut -c 1-32
  expect(openIdName(issuer, 'anna@example.com')).toBe('openid:59ade69ab843702a1f4a01faf9e979f1');
  expect(openIdName('https://other.example', 'anna@example.com')).not.toBe(openIdName(issuer, 'anna@example.com'));
  for (const name of [openIdName(issuer, subject), openIdName(issuer, 'anna')]) expect(isOpenIdName(name)).toBe(true);
  for (const name of ['anna', 'openid:', 'openid:anna', `openid:${subject}x`, `user:${subject}`]) {
    expect(isOpenIdName(name)).toBe(false);
  }
});

describe('a session', () => {
  const name = openIdName(issuer, subject);
  const openId = openIdOf();
  const credential = credentialOfRule(openId, 'coaches');

  test('has the role and the scope that its rule has now', () => {
    expect(actorOfOpenId({ openId }, { name, credential })).toEqual({
      name,
      role: 'coach',
      lines: ['default'],
      controllers: undefined,
      extensions: undefined,
      purposes: undefined,
    });
    const promoted = openIdOf({ rules: { ...rules, coaches: { ...rules.coaches, role: 'legal' } }, scopes: ['email'] });
    expect(actorOfOpenId({ openId: promoted }, { name, credential })?.role).toBe('legal');
  });

  test.each([
    ['issuer', { issuer: 'https://other.example' }],
    ['client', { clientId: 'other' }],
    ['subject', { subjectClaim: 'oid' }],
    ['accounts', { accounts: { subjects: ['x'] } }],
    ['factor', { requireAmr: ['mfa'] }],
    ['claim', { rules: { ...rules, coaches: { ...rules.coaches, claim: 'roles' } } }],
    ['values', { rules: { ...rules, coaches: { ...rules.coaches, anyOf: ['coaches'] } } }],
    ['name of the rule', { rules: { teachers: rules.coaches } }],
  ])('ends with another %s', (_, more) => {
    expect(actorOfOpenId({ openId: openIdOf(more) }, { name, credential })).toBeUndefined();
    expect(actorOfOpenId({}, { name, credential })).toBeUndefined();
  });
});
