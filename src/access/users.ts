import type { AccessConfig, UserConfig } from '../config/accessSchema.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { scopesOf } from './scopes.ts';

/** Who the configuration lets in, and what they may see. */

const tokenPrefix = 'token:';

/** undefined: there is none. */
export function userOf({ users }: Pick<AccessConfig, 'users'>, name: string): UserConfig | undefined {
  return Object.hasOwn(users, name) ? users[name] : undefined;
}

/** Throws user_unknown. */
export function requireUser(access: Pick<AccessConfig, 'users'>, name: string): void {
  if (userOf(access, name) === undefined) throw new PreavisError('user_unknown', 'there is no user of this name');
}

export function actorOfUser(access: Pick<AccessConfig, 'users'>, name: string): Actor | undefined {
  const user = userOf(access, name);

  return user && { name: `user:${name}`, ...scopesOf(user) };
}

/** Stands for what a user proves who they are with: another password or secret ends their sessions, and so does that passwords count no more. */
export function credentialOf(
  { passwordSignIn }: Pick<AccessConfig, 'passwordSignIn'>,
  { passwordHash = '', totpSecret = '' }: UserConfig,
): string {
  return sha256Of(`${passwordSignIn ? passwordHash : ''}\n${totpSecret}`);
}

/** Whether it is a program that asks, and not a person. */
export const isProgram = ({ name }: Pick<Actor, 'name'>): boolean => name.startsWith(tokenPrefix);

/** The program of this name, whether or not its token still counts. */
export function actorOfTokenName({ tokens }: Pick<AccessConfig, 'tokens'>, name: string): Actor | undefined {
  const token = Object.hasOwn(tokens, name) ? tokens[name] : undefined;

  return token && { name: `${tokenPrefix}${name}`, ...scopesOf(token) };
}

/** A day begins at midnight UTC. */
export const endOfToken = (expires: string): number => Date.parse(`${expires}T00:00:00Z`);

/**
 * Which program asks with this token.
 *
 * @param presented the token itself, as it came
 * @param now ms since 1970 UTC
 */
export function actorOfToken(
  { tokens }: Pick<AccessConfig, 'tokens'>,
  presented: string,
  now: number,
): Actor | undefined {
  const sha256 = sha256Of(presented);
  // Nobody learns a token from the time that this takes: what is compared is its hash.
  const found = Object.entries(tokens).find(([, token]) => token.sha256 === sha256);
  if (found === undefined) return undefined;
  const [name, token] = found;

  return endOfToken(token.expires) <= now ? undefined : actorOfTokenName({ tokens }, name);
}
