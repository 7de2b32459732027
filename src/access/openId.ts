/**
 * Who comes in through an identity provider, and as what: by the claims that were proved, and by `access.openId`. Nothing is asked of
 * anybody here.
 */
import type { AccessConfig } from '../config/accessSchema.ts';
import type { OpenIdConfig, OpenIdRule } from '../config/openIdSchema.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import { PreavisError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { scopesOf } from './scopes.ts';

/** What an ID token says of somebody. */
export type Claims = Readonly<Record<string, unknown>>;

const prefix = 'openid:';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * As the audit trail, which is kept for good, has somebody: by the subject of the provider where that is a UUID, which its administrators
 * can look up; otherwise by the first 32 digits of the SHA-256 of issuer, space and subject, since some providers take a name for it.
 */
export function openIdName(issuer: string, subject: string): string {
  return `${prefix}${uuid.test(subject) ? subject : sha256Of(`${issuer} ${subject}`).slice(0, 32)}`;
}

/** Whether this is the form of such a name. */
export function isOpenIdName(name: string): boolean {
  if (!name.startsWith(prefix)) return false;
  const rest = name.slice(prefix.length);

  return uuid.test(rest) || /^[0-9a-f]{32}$/.test(rest);
}

/** The provider has proved who they are, and they stay outside. */
export class NotLetIn extends PreavisError {
  /** Their name in the audit trail, for whoever wants to let them in. */
  readonly who: string;

  constructor(code: 'sign_in_not_granted' | 'sign_in_factor_needed', message: string, who: string) {
    super(code, message);
    this.who = who;
  }
}

const own = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);

/** A claim of exactly this name goes before the way that its dots tell: some have an address for a name. */
function claimAt(claims: Claims, path: string): unknown {
  const whole = own(claims, path);
  if (whole !== undefined) return whole;

  return path.split('.').reduce<unknown>((node, part) => {
    const isObject = typeof node === 'object' && node !== null && !Array.isArray(node);

    return isObject ? own(node as Claims, part) : undefined;
  }, claims);
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? (value as readonly unknown[]) : [value]).filter((each) => typeof each === 'string');

function isAccount({ accounts: { subjects, emailDomains } }: OpenIdConfig, subject: string, claims: Claims): boolean {
  if (subjects === undefined && emailDomains === undefined) return true;
  if (subjects?.includes(subject) === true) return true;
  const email = own(claims, 'email');
  // What the provider has not verified anybody can write there.
  if (typeof email !== 'string' || own(claims, 'email_verified') !== true) return false;
  const parts = email.split('@');

  return parts.length === 2 && emailDomains?.includes((parts[1] ?? '').toLowerCase()) === true;
}

function hasFactor({ requireAcr, requireAmr }: OpenIdConfig, claims: Claims): boolean {
  const acr = own(claims, 'acr');
  const amr = textsOf(own(claims, 'amr'));

  return (
    (requireAcr === undefined || (typeof acr === 'string' && requireAcr.includes(acr))) &&
    (requireAmr === undefined || requireAmr.every((each) => amr.includes(each)))
  );
}

function holds({ claim, anyOf }: OpenIdRule, claims: Claims): boolean {
  if (claim === undefined) return true;

  return textsOf(claimAt(claims, claim)).some((each) => anyOf?.includes(each) === true);
}

/**
 * Who has proved themselves by these claims, and the rule by which they come in.
 *
 * @throws NotLetIn; PreavisError `open_id_untrusted` where the claims name nobody
 */
export function letIn(openId: OpenIdConfig, claims: Claims): { name: string; rule: string } {
  const subject = own(claims, openId.subjectClaim);
  if (typeof subject !== 'string' || subject === '' || subject.length > 255) {
    throw new PreavisError('open_id_untrusted', `the ID token has no claim ${openId.subjectClaim} that names anybody`);
  }
  const name = openIdName(openId.issuer, subject);
  if (!isAccount(openId, subject, claims)) {
    throw new NotLetIn('sign_in_not_granted', 'access.openId.accounts does not have this account', name);
  }
  if (!hasFactor(openId, claims)) {
    throw new NotLetIn('sign_in_factor_needed', 'acr or amr is not what access.openId asks for', name);
  }
  const found = Object.entries(openId.rules).find(([, rule]) => holds(rule, claims));
  if (found === undefined) {
    throw new NotLetIn('sign_in_not_granted', 'no rule of access.openId holds for this account', name);
  }

  return { name, rule: found[0] };
}

/**
 * Stands for what somebody came in by: the provider, who may come in, and the rule. Sessions of before a change of these end; another role or
 * scope of the rule counts at once.
 */
export function credentialOfRule(openId: OpenIdConfig, rule: string): string {
  const { issuer, clientId, subjectClaim, accounts, requireAcr, requireAmr, rules } = openId;
  const { claim, anyOf } = rules[rule] ?? {};

  return sha256Of(
    JSON.stringify([issuer, clientId, subjectClaim, accounts, requireAcr, requireAmr, rule, claim, anyOf]),
  );
}

/** Who has this session; undefined: nobody any more. */
export function actorOfOpenId(
  { openId }: Pick<AccessConfig, 'openId'>,
  { name, credential }: { name: string; credential: string },
): Actor | undefined {
  if (openId === undefined || !isOpenIdName(name)) return undefined;
  const found = Object.entries(openId.rules).find(([rule]) => credentialOfRule(openId, rule) === credential);

  return found && { name, ...scopesOf(found[1]) };
}
