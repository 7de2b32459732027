import { newToken } from '../../../src/access/secrets.ts';
import { actorOfToken, actorOfUser } from '../../../src/access/users.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';

const passwordHash = `$scrypt$ln=15,r=8,p=3$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const { secret, sha256 } = newToken();
const { access } = parseConfig({
  ...configTree(),
  access: {
    users: { anna: { role: 'coach', purposes: ['training'], passwordHash } },
    tokens: {
      crm: {
        role: 'operator',
        lines: ['default'],
        controllers: ['own'],
        extensions: ['101'],
        sha256,
        expires: '2027-06-30',
      },
    },
  },
});
const midnight = Date.UTC(2027, 5, 30);

test('a program is known by its token until its last day is over', () => {
  const crm = {
    name: 'token:crm',
    role: 'operator',
    lines: ['default'],
    controllers: ['own'],
    extensions: ['101'],
    purposes: undefined,
  };
  expect(actorOfToken(access, secret, midnight - 1)).toEqual(crm);
  expect(actorOfToken(access, secret, midnight)).toBeUndefined();
});

test.each(['', sha256, `${secret}x`, secret.toLowerCase(), secret.slice(4)])('%s is no token', (presented) => {
  expect(actorOfToken(access, presented, 0)).toBeUndefined();
});

test('a user is known by their name alone', () => {
  expect(actorOfUser(access, 'anna')).toEqual({
    name: 'user:anna',
    role: 'coach',
    lines: undefined,
    extensions: undefined,
    purposes: ['training'],
  });
  for (const name of ['crm', 'Anna', '', 'constructor', '__proto__']) expect(actorOfUser(access, name)).toBeUndefined();
});
