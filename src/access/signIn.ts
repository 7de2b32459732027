/**
 * How people come in: by password, with a one-time code where they have a secret for it, by a code that works once, or through an
 * identity provider. Who may try, and how
 * often, is decided before a password is looked at, and is the same for names that do not exist.
 */
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Begun } from '../catalogue/access/signIns.ts';
import type { AccessConfig } from '../config/accessSchema.ts';
import type { OpenIdConfig } from '../config/openIdSchema.ts';
import type { Clock } from '../core/clock.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { addressKey } from './addressKey.ts';
import { auditOf, type Step } from './audit.ts';
import { actorOfOpenId, credentialOfRule, letIn, type Claims } from './openId.ts';
import { isPassword } from './password.ts';
import { newSessionSecret, newSignInCode, sha256OfCode } from './secrets.ts';
import { periodOfCode } from './totp.ts';
import { actorOfUser, credentialOf, requireUser, userOf } from './users.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type SignInPorts = {
  catalogue: CataloguePart<{
    signIns: 'begin' | 'succeed' | 'abandon' | 'usePeriod' | 'offerCode' | 'useCode';
    sessions: 'begin';
    auditTrail: 'append';
  }>;
  access: AccessConfig;
  clock: Clock;
};

/** `secret` is for the cookie; `endsAt`: the absolute end of the session, ms since 1970 UTC. */
type SignedIn = { kind: 'signedIn'; actor: Actor; secret: string; endsAt: number };

/**
 * refused: name, password or code are wrong, and nobody is told which. lockedOut: too many have failed, for a while. codeNeeded: the
 * password is right, and the one-time code is missing.
 */
export type SignIn = SignedIn | { kind: 'refused' } | { kind: 'lockedOut' } | { kind: 'codeNeeded' };

export type PasswordSignIn = { name: string; password: string; code?: string | undefined; address: string };

/**
 * What is kept of a name that was typed: some type their password there. So few digits of its hash tell nobody which of many passwords it is,
 * and two names that share them only share their failures.
 */
const nameKey = (name: string): string => sha256Of(`name ${name}`).slice(0, 5);

function beginAttempt({ catalogue, access, clock }: SignInPorts, user: string, address: string): Promise<Begun> {
  const { minutes, failures, addressFailures } = access.lockOut;
  const at = clock.now();

  return catalogue.signIns.begin(
    { user, address: addressKey(address) },
    { at, since: at - minutes * minuteMs, failures, addressFailures },
  );
}

export async function signIn(ports: SignInPorts, { name, password, code, address }: PasswordSignIn): Promise<SignIn> {
  const { catalogue, access, clock } = ports;
  const key = nameKey(name);
  const begun = await beginAttempt(ports, key, address);
  if (begun.kind === 'lockedOut') return { kind: 'lockedOut' };
  const user = userOf(access, name);
  const actor = actorOfUser(access, name);
  const isRight = await isPassword(password, access.passwordSignIn ? user?.passwordHash : undefined);
  const fail = async (): Promise<SignIn> => {
    // Of names that do not exist nothing is kept: anybody could fill the trail with them.
    if (begun.isLast && actor !== undefined) {
      await note(ports, actor, { did: 'lockedOut', minutes: access.lockOut.minutes });
    }
    return { kind: 'refused' };
  };
  if (!isRight || user === undefined || actor === undefined) return fail();

  if (user.totpSecret !== undefined) {
    if (code === undefined || code === '') {
      await catalogue.signIns.abandon(begun.id);
      return { kind: 'codeNeeded' };
    }
    const period = periodOfCode(user.totpSecret, code, clock.now());
    if (period === undefined || !(await catalogue.signIns.usePeriod(name, period))) return fail();
  }
  await catalogue.signIns.succeed(key);
  const by = user.totpSecret === undefined ? 'password' : 'passwordAndCode';

  return beginUserSession(ports, name, actor, by);
}

/** For a demonstration, or somebody who has forgotten their password: whoever has the code is that user, once. */
export async function signInByCode(
  ports: SignInPorts,
  { code, address }: { code: string; address: string },
): Promise<SignIn> {
  const { catalogue, access, clock } = ports;
  // A code names nobody, so that only the address can be counted.
  const key = nameKey(`code ${addressKey(address)}`);
  const begun = await beginAttempt(ports, key, address);
  if (begun.kind === 'lockedOut') return { kind: 'lockedOut' };
  const name = await catalogue.signIns.useCode(sha256OfCode(code), clock.now());
  const actor = name === undefined ? undefined : actorOfUser(access, name);
  if (name === undefined || actor === undefined) return { kind: 'refused' };
  await catalogue.signIns.succeed(key);

  return beginUserSession(ports, name, actor, 'signInCode');
}

/**
 * Such a code, told to whoever asks: what was read aloud or lies about for longer is no secret. Throws user_unknown.
 *
 * @param by who asks, for the audit trail
 */
export async function offerSignInCode(
  {
    catalogue,
    access,
    clock,
  }: Pick<SignInPorts, 'access' | 'clock'> & {
    catalogue: CataloguePart<{ signIns: 'offerCode'; auditTrail: 'append' }>;
  },
  { name, minutes, by }: { name: string; minutes: number; by: string },
): Promise<{ code: string; endsAt: number }> {
  requireUser(access, name);
  const { secret, sha256 } = newSignInCode();
  const endsAt = clock.now() + minutes * minuteMs;
  await catalogue.auditTrail.append(null, { event: 'sign-in code made', actor: by, detail: { user: name, minutes } });
  await catalogue.signIns.offerCode({ sha256, user: name, endsAt });

  return { code: secret, endsAt };
}

function beginUserSession(
  ports: SignInPorts,
  user: string,
  actor: Actor,
  by: 'password' | 'passwordAndCode' | 'signInCode',
): Promise<SignedIn> {
  const { access } = ports;
  const known = userOf(access, user);
  const credential = known === undefined ? '' : credentialOf(access, known);

  return beginSession(ports, { user, credential }, actor, { did: 'signedIn', by });
}

/** For whom the identity provider has proved to be this person. Throws NotLetIn and open_id_untrusted. */
export function signInByOpenId(
  ports: Omit<SignInPorts, 'access'> & { access: AccessConfig & { openId: OpenIdConfig } },
  claims: Claims,
): Promise<SignedIn> {
  const { openId } = ports.access;
  const { name, rule } = letIn(openId, claims);
  const credential = credentialOfRule(openId, rule);
  const actor = actorOfOpenId(ports.access, { name, credential });
  if (actor === undefined) throw new PreavisError('internal', 'a rule that holds is not there');

  return beginSession(ports, { user: name, credential }, actor, { did: 'signedIn', by: 'openId', rule });
}

async function beginSession(
  ports: SignInPorts,
  { user, credential }: { user: string; credential: string },
  actor: Actor,
  step: Extract<Step, { did: 'signedIn' }>,
): Promise<SignedIn> {
  const { catalogue, access, clock } = ports;
  const { secret, sha256 } = newSessionSecret();
  const beganAt = clock.now();
  const endsAt = beganAt + access.session.hours * hourMs;
  await note(ports, actor, step);
  await catalogue.sessions.begin({ sha256, user, credential, beganAt, endsAt });

  return { kind: 'signedIn', actor, secret, endsAt };
}

function note({ catalogue }: Pick<SignInPorts, 'catalogue'>, actor: Actor, step: Step): Promise<void> {
  return catalogue.auditTrail.append(null, auditOf(actor, step));
}
