import { writeFile } from 'node:fs/promises';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const passwordHash = '$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BUS/jY3RXIlNUfVFibrXS1m+ZtyDS56ksoZ2SgSjUlQ';
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const anna = { role: 'coach', passwordHash };
const crm = { role: 'operator', sha256: 'a'.repeat(64), expires: '2027-06-30' };
const withAccess = (access: Record<string, unknown>) => ({ ...configTree(), access });

test('users and tokens are taken with their scopes, and nobody is one by default', () => {
  expect(parseConfig(configTree()).access).toMatchObject({ users: {}, tokens: {}, approvalFor: [] });
  const { users, tokens } = parseConfig(
    withAccess({
      users: { anna: { ...anna, lines: ['default'], extensions: ['101'], purposes: ['training'], totpSecret } },
      tokens: { crm },
    }),
  ).access;
  expect(users['anna']).toEqual({
    ...anna,
    lines: ['default'],
    extensions: ['101'],
    purposes: ['training'],
    totpSecret,
  });
  expect(tokens['crm']).toEqual(crm);
});

test.each([
  [
    'a user without a password',
    { users: { anna: { role: 'coach' } } },
    'access.users.anna.passwordHash: is missing, or passwordHashFile is',
  ],
  [
    'a role that is none',
    { users: { anna: { ...anna, role: 'lawyer' } } },
    /^access\.users\.anna\.role: must be one of coach, legal/,
  ],
  [
    'a scope that is empty',
    { users: { anna: { ...anna, lines: [] } } },
    /^access\.users\.anna\.lines: must have at least one entry/,
  ],
  [
    'an extension without quotes',
    { users: { anna: { ...anna, extensions: [101] } } },
    /must be in quotes, such as "101"/,
  ],
  [
    'a token that never expires',
    { tokens: { crm: { ...crm, expires: undefined } } },
    /^access\.tokens\.crm\.expires: /,
  ],
  ['a date that is none', { tokens: { crm: { ...crm, expires: '2027-02-30' } } }, /is not a date such as 2027-06-30/],
  ['a token twice', { tokens: { crm, other: crm } }, 'access.tokens.other.sha256: is that of crm'],
  [
    'an approval for what is no purpose',
    { approvalFor: ['trainning'] },
    /^access\.approvalFor: has trainning, which is not a purpose/,
  ],
  [
    'a session that is idle for longer than it lasts',
    { session: { idleMinutes: 61, hours: 1 } },
    /^access\.session\.idleMinutes: is more than session\.hours/,
  ],
] as [string, Record<string, unknown>, string | RegExp][])('%s is refused by its key', (_, access, message) => {
  expect(() => parseConfig(withAccess(access))).toThrow(
    expect.objectContaining({ code: 'config_invalid', message: expect.stringMatching(message) as unknown }) as Error,
  );
});

test.each([
  ['a password in the place of its hash', { anna: { ...anna, passwordHash: 'zebra-crossing-street' } }],
  ['a secret of codes that is none', { anna: { ...anna, totpSecret: 'zebra-crossing-street' } }],
])('%s is never shown', (_, users) => {
  expect(() => parseConfig(withAccess({ users }))).toThrow(
    expect.objectContaining({
      code: 'config_invalid',
      message: expect.not.stringContaining('zebra') as unknown,
    }) as Error,
  );
});

let files = 0;
async function file(text: string): Promise<string> {
  const path = folder.path(`${(files += 1)}`);
  await writeFile(path, text, { mode: 0o600 });

  return path;
}

test('the secrets of a user may stand in files, which must hold what their keys say', async () => {
  const configOf = async (hash: string, secret: string): Promise<string> =>
    file(
      JSON.stringify(
        withAccess({
          users: { anna: { role: 'coach', passwordHashFile: await file(hash), totpSecretFile: await file(secret) } },
        }),
      ),
    );
  const { access } = await loadConfig(await configOf(`${passwordHash}\n`, `${totpSecret}\n`), {});
  expect(access.users['anna']).toMatchObject({ passwordHash, totpSecret });
  await expect(loadConfig(await configOf('zebra', totpSecret), {})).rejects.toMatchObject({
    code: 'config_invalid',
    message: 'access.users.anna.passwordHashFile: its first line is not what `preavis users hash` prints',
  });
  await expect(loadConfig(await configOf(passwordHash, 'zebra'), {})).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(/^access\.users\.anna\.totpSecretFile: its first line is not/) as unknown,
  });
});
