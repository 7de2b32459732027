/**
 * How people come in: by password, with a one-time code where they have a secret for it, by a code that works once, or through an
 * identity provider. Who may try, and how
 * often, is decided before a password is looked at, and is the same for names that do not exist.
 */
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { countedMs, type LockOutLimits } from '../catalogue/access/lockOut.ts';
import { knownPlace } from '../catalogue/access/signIns.ts';
import type { AccessConfig } from '../config/accessSchema.ts';
import type { OpenIdConfig } from '../config/openIdSchema.ts';
import type { Clock } from '../core/clock.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { addressKey } from './addressKey.ts';
import { auditOf, type Step } from './audit.ts';
import type { KnownBrowsers } from './knownBrowsers.ts';
import { actorOfOpenId, credentialOfRule, isOpenIdName, letIn, type Claims } from './openId.ts';
import { isPassword } from './password.ts';
import { newSessionSecret, newSignInCode, sha256OfCode } from './secrets.ts';
import { periodOfCode, periodsOf } from './totp.ts';
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
export type BrowserPorts = SignInPorts & { known: KnownBrowsers };

/** `secret` is for the cookie; `endsAt`: the absolute end of the session, ms since 1970 UTC. */
type SignedIn = { kind: 'signedIn'; actor: Actor; secret: string; endsAt: number };

/** `browser`: what it keeps, to be known the next time. */
type BrowserSignedIn = SignedIn & { browser: string };

/**
 * refused: name, password or code are wrong, and nobody is told which. lockedOut: too many have failed, for a while. codeNeeded: the
 * password is right, and the one-time code is missing.
 */
export type SignIn = BrowserSignedIn | { kind: 'refused' } | { kind: 'lockedOut' } | { kind: 'codeNeeded' };

/** Where somebody tries from; `browser` is what it has kept of a sign-in before. */
type From = { address: string; browser?: string | undefined };

export type PasswordSignIn = From & { name: string; password: string; code?: string | undefined };

/**
 * What is kept of a name that was typed: some type their password there. So few digits of its hash tell nobody which of many passwords it is,
 * and two names that share them only share their failures.
 */
const nameKey = (name: string): string => sha256Of(`name ${name}`).slice(0, 5);

const placeOfBrowser = ({ id }: { id: string }): string => `${knownPlace}${sha256Of(id).slice(0, 16)}`;

/** Whether this browser was signed in with by somebody who would come in by the same now: password and second factor, or rule. */
function isKnownFor(browser: { name: string; credential: string }, access: AccessConfig): boolean {
  if (isOpenIdName(browser.name)) return actorOfOpenId(access, browser) !== undefined;
  const user = userOf(access, browser.name);

  return user !== undefined && credentialOf(access, user) === browser.credential;
}

/**
 * Stands for a browser that is known. Failures there count for themselves: whoever guesses elsewhere, or at the same address, keeps nobody from it.
 *
 * @param name of whom; undefined: of anybody
 */
export function knownPlaceOf(
  { known, access }: Pick<BrowserPorts, 'known' | 'access'>,
  sealed: string | undefined,
  name?: string,
): string | undefined {
  const browser = known.open(sealed);
  const isTheirs =
    browser !== undefined && (name === undefined || browser.name === name) && isKnownFor(browser, access);

  return isTheirs ? placeOfBrowser(browser) : undefined;
}

function limitsOf({ lockOut }: AccessConfig, isKnown: boolean): LockOutLimits {
  const { minutes, failures, nameFailures, addressFailures } = lockOut;
  const together = isKnown ? { nameFailures: Infinity, addressFailures: Infinity } : { nameFailures, addressFailures };

  return { failures, firstWaitMs: minutes * minuteMs, ...together };
}

export async function signIn(
  ports: BrowserPorts,
  { name, password, code, address, browser }: PasswordSignIn,
): Promise<SignIn> {
  const { catalogue, access, clock } = ports;
  const key = nameKey(name);
  const known = knownPlaceOf(ports, browser, name);
  const attempt = { user: key, place: known ?? addressKey(address) };
  const begun = await catalogue.signIns.begin(attempt, limitsOf(access, known !== undefined), clock.now());
  if (begun.kind === 'lockedOut') return { kind: 'lockedOut' };
  const user = userOf(access, name);
  const actor = actorOfUser(access, name);
  const isRight = await isPassword(
    password,
    access.passwordSignIn ? user?.passwordHash : undefined,
    likeOf(access, key),
  );
  if (!isRight || user === undefined || actor === undefined) {
    // Of names that do not exist nothing is kept: anybody could fill the trail with them.
    if (actor !== undefined) await noteLockOut(ports, actor, begun.waitMs);

    return { kind: 'refused' };
  }
  if (user.totpSecret !== undefined) {
    const factor = await checkCode(ports, { name, key, secret: user.totpSecret, code, known }, actor);
    if (factor !== 'right') {
      // The password is no failure: what fails behind it is counted by itself, and only who has it gets so far.
      await catalogue.signIns.abandon(begun.id);

      return { kind: factor };
    }
  }
  await catalogue.signIns.succeed(attempt);
  const by = user.totpSecret === undefined ? 'password' : 'passwordAndCode';

  return beginUserSession(ports, name, actor, by);
}

/** Codes are counted at all unknown browsers together: whoever has the password could guess from many addresses. */
async function checkCode(
  ports: BrowserPorts,
  {
    name,
    key,
    secret,
    code,
    known,
  }: { name: string; key: string; secret: string; code: string | undefined; known: string | undefined },
  actor: Actor,
): Promise<'right' | 'refused' | 'lockedOut' | 'codeNeeded'> {
  if (code === undefined || code === '') return 'codeNeeded';
  const { catalogue, access, clock } = ports;
  const attempt = { user: `code ${key}`, place: known ?? 'anywhere' };
  const begun = await catalogue.signIns.begin(attempt, limitsOf(access, true), clock.now());
  if (begun.kind === 'lockedOut') return 'lockedOut';
  const period = periodOfCode(secret, code, clock.now());
  if (period === undefined || !(await catalogue.signIns.usePeriod(name, period, periodsOf(countedMs)))) {
    await noteLockOut(ports, actor, begun.waitMs);

    return 'refused';
  }
  await catalogue.signIns.succeed(attempt);

  return 'right';
}

async function noteLockOut(ports: BrowserPorts, actor: Actor, waitMs: number): Promise<void> {
  if (waitMs > 0) await note(ports, actor, { did: 'lockedOut', minutes: Math.round(waitMs / minuteMs) });
}

/** A password that somebody has: for a name that does not exist as much is computed as for one that does. */
function likeOf({ users }: AccessConfig, key: string): string | undefined {
  const all = Object.values(users).flatMap(({ passwordHash }) => passwordHash ?? []);

  return all[Number.parseInt(key, 16) % all.length];
}

/** For a demonstration, or somebody who has forgotten their password: whoever has the code is that user, once. */
export async function signInByCode(
  ports: BrowserPorts,
  { code, address, browser }: From & { code: string },
): Promise<SignIn> {
  const { catalogue, access, clock } = ports;
  // A code names nobody, so that only the place can be counted. Nobody finds one by trying: no wait needs to grow.
  const place = knownPlaceOf(ports, browser);
  const { addressFailures, ...limits } = limitsOf(access, place !== undefined);
  const attempt = { user: nameKey(`code ${addressKey(address)}`), place: place ?? addressKey(address) };
  const counted = { ...limits, failures: Infinity, nameFailures: addressFailures, addressFailures };
  const begun = await catalogue.signIns.begin(attempt, counted, clock.now());
  if (begun.kind === 'lockedOut') return { kind: 'lockedOut' };
  const name = await catalogue.signIns.useCode(sha256OfCode(code), clock.now());
  const actor = name === undefined ? undefined : actorOfUser(access, name);
  if (name === undefined || actor === undefined) return { kind: 'refused' };
  await catalogue.signIns.succeed(attempt);

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

async function beginUserSession(
  ports: BrowserPorts,
  user: string,
  actor: Actor,
  by: 'password' | 'passwordAndCode' | 'signInCode',
): Promise<BrowserSignedIn> {
  const { access, known: browsers } = ports;
  const known = userOf(access, user);
  const credential = known === undefined ? '' : credentialOf(access, known);
  const begun = await beginSession(ports, { user, credential }, actor, { did: 'signedIn', by });

  return { ...begun, browser: browsers.seal({ name: user, credential }) };
}

/** For whom the identity provider has proved to be this person. Throws NotLetIn and open_id_untrusted. */
export async function signInByOpenId(
  ports: Omit<BrowserPorts, 'access'> & { access: AccessConfig & { openId: OpenIdConfig } },
  claims: Claims,
): Promise<BrowserSignedIn> {
  const { openId } = ports.access;
  const { name, rule } = letIn(openId, claims);
  const credential = credentialOfRule(openId, rule);
  const actor = actorOfOpenId(ports.access, { name, credential });
  if (actor === undefined) throw new PreavisError('internal', 'a rule that holds is not there');

  const begun = await beginSession(ports, { user: name, credential }, actor, { did: 'signedIn', by: 'openId', rule });

  return { ...begun, browser: ports.known.seal({ name, credential }) };
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
