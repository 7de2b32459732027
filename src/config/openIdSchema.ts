import * as z from 'zod';
import { key, name, section } from './field.ts';
import type { Fault } from './purposeRules.ts';
import { whatTheySee } from './scopeKeys.ts';
import { isLoopback } from './webSchema.ts';

/** Who signs in through an identity provider of their company (OpenID Connect Core 1.0): the section `access.openId`. */

/** Printable and without spaces, as RFC 6749 (3.3) has scopes. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'is not a scope such as email');
const value = z.string('must be in quotes').min(1).max(300);

/** A name of DNS in lower case; the part of an address behind its @. */
const domain = z
  .string()
  .regex(/^(?=.{4,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'is not a domain in lower case such as example.com');

const rule = z.strictObject({
  claim: key(
    z.string().min(1).max(200).optional(),
    'The claim of the ID token that is looked at, such as groups or roles; a dot leads into a claim: realm_access.roles. Default: none, so that it holds for all of accounts.',
  ),
  anyOf: key(
    z.array(value).min(1).optional(),
    'The values of which that claim must be, or have, one. Exactly as the provider writes them.',
  ),
  ...whatTheySee,
});
export type OpenIdRule = z.output<typeof rule>;

export const openId = z.strictObject({
  issuer: key(
    z.url({ protocol: /^https?$/, error: 'is not an address such as https://login.example.com/realms/house' }),
    'The address of the identity provider, exactly as its own description says it (`issuer`); https, or http to this machine.',
  ),
  clientId: key(z.string().min(1).max(300), 'The name under which Préavis is registered there.'),
  clientSecret: key(
    z.string().min(1).max(1_000).optional(),
    'The secret that Préavis shows there; better given by a file.',
    { secret: true },
  ),
  clientSecretFile: key(z.string().min(1).optional(), 'File that holds the secret in its first line.'),
  scopes: key(
    z.array(scope).max(20).default([]),
    'What is asked for besides openid, such as email for accounts.emailDomains.',
  ),
  subjectClaim: key(
    z.enum(['sub', 'oid']).default('sub'),
    'The claim that names a person for good: sub, or oid of Microsoft Entra ID, which its administrators can look up.',
  ),
  accounts: section({
    subjects: key(
      z.array(value).min(1).optional(),
      'Whoever comes in is one of these (subjectClaim), or has an address of emailDomains. Default, without both: everybody for whom a rule holds.',
    ),
    emailDomains: key(
      z.array(domain).min(1).optional(),
      'The domains of e-mail addresses that the provider has verified (email_verified). Subdomains are others.',
    ),
  }),
  requireAcr: key(
    z.array(value).min(1).optional(),
    'How somebody must have signed in at the provider: the claim acr is one of these, for a second factor say. They are asked for in this order.',
  ),
  requireAmr: key(
    z.array(value).min(1).optional(),
    'The same by the claim amr, which must have all of these, such as mfa.',
  ),
  rules: key(
    z.record(name, rule),
    'Who is what, by a name of yours. The first that holds counts; for whom none holds stays outside.',
  ),
});
export type OpenIdConfig = z.output<typeof openId>;

/** At Microsoft these stand for every company, or everybody with an account. */
const everyTenant = /^\/(common|organizations|consumers)(\/|$)/i;

/** What no single key shows to be wrong. */
export function openIdFaults({ issuer, clientSecret, clientSecretFile, accounts, rules }: OpenIdConfig): Fault[] {
  const faults: Fault[] = [];
  const add = (path: Fault['path'], message: string): void => {
    faults.push({ path: ['access', 'openId', ...path], message });
  };
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(issuer);
  if (protocol === 'http:' && !isLoopback(hostname)) {
    add(['issuer'], 'must be https: whoever is on the way of http could sign in as anybody');
  }
  if (search !== '' || hash !== '' || username !== '' || password !== '') {
    add(['issuer'], 'must have no query, user or password');
  }
  if (hostname === 'login.microsoftonline.com' && everyTenant.test(pathname)) {
    add(['issuer'], 'stands for every company: put the id of your tenant in its place');
  }
  if (clientSecret === undefined && clientSecretFile === undefined) {
    add(['clientSecret'], 'is missing, or clientSecretFile is');
  }
  if (Object.keys(rules).length === 0) add(['rules'], 'has none, so that nobody comes in');
  const isOpen = accounts.subjects === undefined && accounts.emailDomains === undefined;
  for (const [id, { claim, anyOf }] of Object.entries(rules)) {
    if (claim !== undefined && anyOf === undefined) add(['rules', id, 'anyOf'], 'is missing: claim alone names nobody');
    if (claim === undefined && anyOf !== undefined)
      add(['rules', id, 'claim'], 'is missing: anyOf says nothing without it');
    if (claim === undefined && anyOf === undefined && isOpen) {
      add(['rules', id, 'claim'], 'is missing: without accounts it would let in everybody whom the provider knows');
    }
  }

  return faults;
}
