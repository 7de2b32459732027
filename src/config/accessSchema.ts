import * as z from 'zod';
import { isTotpSecret, passwordHashFault, passwordHashOf, totpSecretFault } from './credentials.ts';
import { key, name, section } from './field.ts';
import { openId, openIdFaults } from './openIdSchema.ts';
import type { Fault } from './purposeRules.ts';
import { whatTheySee } from './scopeKeys.ts';

/** Who may see and hear what: the section `access`. */

const user = z.strictObject({
  ...whatTheySee,
  passwordHash: key(
    z
      .string()
      .refine((text) => passwordHashOf(text) !== undefined, passwordHashFault)
      .optional(),
    'What is kept of their password, as `preavis users hash` prints it; better given by a file.',
    { secret: true },
  ),
  passwordHashFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
  totpSecret: key(
    z.string().refine(isTotpSecret, totpSecretFault).optional(),
    'The secret of the one-time codes (TOTP) that they type besides, as `preavis users totp` prints it; better given by a file. Without it the password will do.',
    { secret: true },
  ),
  totpSecretFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
});
export type UserConfig = z.output<typeof user>;

const token = z.strictObject({
  ...whatTheySee,
  sha256: key(
    z.string().regex(/^[0-9a-f]{64}$/, 'is not what `preavis users token` prints'),
    'SHA-256 of the token, as `preavis users token` prints it. The token itself is nowhere.',
  ),
  expires: key(
    z.iso.date('is not a date such as 2027-06-30'),
    'The first day on which it does not count any more, in UTC.',
  ),
});

/** The part `access` of the configuration. */
export const access = section({
  users: key(z.record(name, user).default({}), 'Who may sign in, by name.'),
  tokens: key(z.record(name, token).default({}), 'Which programs may ask, by name.'),
  passwordSignIn: key(
    z.boolean().default(true),
    'Whether users sign in with their passwords. false where everybody comes through openId: codes of `preavis users code` still count.',
  ),
  openId: openId.optional(),
  session: section({
    idleMinutes: key(z.int().min(1).max(1_440).default(30), 'After how long without a request a session ends.', {
      unit: 'minutes',
    }),
    hours: key(z.int().min(1).max(168).default(12), 'After how long a session ends in any case.', { unit: 'h' }),
  }),
  lockOut: section({
    failures: key(
      z.int().min(3).max(100).default(5),
      'After how many failed sign-ins under a name at an address, or with a known browser, the next one there has to wait.',
    ),
    nameFailures: key(
      z.int().min(3).max(10_000).default(20),
      'How many may fail under a name within `minutes`, at all addresses. Browsers that this user has signed in with are let in all the same.',
    ),
    addressFailures: key(
      z.int().min(3).max(10_000).default(30),
      'The same for an address, whatever the names. An IPv6 network (/64) counts as one.',
    ),
    minutes: key(
      z.int().min(1).max(1_440).default(15),
      'How long the first wait is. Each further failure doubles it, up to a day.',
      { unit: 'minutes' },
    ),
  }),
  approvalFor: key(
    z.array(name).default([]),
    'The purposes whose recordings are heard only after somebody else has approved it.',
  ),
  approvalHours: key(z.int().min(1).max(720).default(24), 'How long an approval counts.', { unit: 'h' }),
});
export type AccessConfig = z.output<typeof access>;

/** What no single key shows to be wrong. */
export function accessFaults(
  { users, tokens, approvalFor, session, passwordSignIn, openId: provider }: AccessConfig,
  purposes: Readonly<Record<string, unknown>>,
): Fault[] {
  const faults: Fault[] = [];
  const add = (path: Fault['path'], message: string): void => {
    faults.push({ path: ['access', ...path], message });
  };
  for (const [id, { passwordHash, passwordHashFile }] of Object.entries(users)) {
    if (passwordSignIn && passwordHash === undefined && passwordHashFile === undefined) {
      add(['users', id, 'passwordHash'], 'is missing, or passwordHashFile is');
    }
  }
  if (!passwordSignIn && provider === undefined && Object.keys(users).length > 0) {
    add(['passwordSignIn'], 'is false, and there is no openId: no user could sign in');
  }
  if (provider !== undefined) faults.push(...openIdFaults(provider));
  const owners = new Map<string, string>();
  for (const [id, { sha256 }] of Object.entries(tokens)) {
    const owner = owners.get(sha256);
    // Which of the two asks would be by chance.
    if (owner !== undefined) add(['tokens', id, 'sha256'], `is that of ${owner}`);
    owners.set(sha256, id);
  }
  // A purpose that is misspelt here would be heard without approval.
  for (const purpose of approvalFor) {
    if (!Object.hasOwn(purposes, purpose)) add(['approvalFor'], `has ${purpose}, which is not a purpose`);
  }
  if (session.idleMinutes > session.hours * 60) add(['session', 'idleMinutes'], 'is more than session.hours');

  return faults;
}
