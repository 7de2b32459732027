/**
 * The identity provider of the company (OpenID Connect Core 1.0, authorization code flow with PKCE of RFC 7636). The only file that knows
 * openid-client. Nothing is asked of the provider before somebody wants to sign in, and no question takes longer than some seconds.
 */
import * as client from 'openid-client';
import pLimit from 'p-limit';
import type { OpenIdConfig } from '../config/openIdSchema.ts';
import { isLoopback } from '../config/webSchema.ts';
import { systemClock, type Clock } from '../core/clock.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { singleFlight } from '../core/singleFlight.ts';
import type { Claims } from './openId.ts';

/** For one question to the provider, with its answer, s. A sign-in asks at most three. */
const limitSeconds = 5;
/** What the provider says of itself is asked for anew after so long, ms. Its keys are asked for at each sign-in. */
const knownForMs = 10 * 60_000;
/** Of any answer: keys and tokens have some KiB. */
const largestAnswer = 512 * 1024;
const atOnce = 4;
/** Others are told to come again: a provider that hangs keeps no memory full of people who wait. */
const mostWaiting = 32;

/** What must come back with somebody whom the provider sends here, and what proves that it was sent for here. */
type Expected = { state: string; nonce: string; verifier: string };

/** What the provider says of itself, as far as it matters for people to see. */
type ProviderFacts = { issuer: string; signsOut: boolean };

/** Each throws open_id_unreachable and open_id_untrusted. */
export type IdentityProvider = {
  /** Where the browser is sent to. */
  begin(redirectUrl: string): Promise<{ address: string; expected: Expected }>;
  /**
   * Who somebody is, proved: issuer, audience, time, nonce and signature of the ID token are right.
   *
   * @param answer the address with which the browser came back
   * @throws PreavisError too: sign_in_expired, open_id_refused, open_id_client_refused, too_busy
   */
  finish(answer: URL, expected: Expected): Promise<Claims>;
  /** Where the browser ends its session at the provider; undefined: the provider has no such place. */
  signOutAddress(after: string): Promise<string | undefined>;
  facts(): Promise<ProviderFacts>;
};

const unreachable = (message: string, cause?: unknown): PreavisError =>
  new PreavisError('open_id_unreachable', message, { cause });
const untrusted = (message: string, cause?: unknown): PreavisError =>
  new PreavisError('open_id_untrusted', message, { cause });

/** The whole of an answer, which must be small. */
async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > largestAnswer) throw untrusted(`an answer has more than ${largestAnswer} bytes`);
    parts.push(part);
  }

  return Buffer.concat(parts).toString('utf8');
}

/** By its shape: what fetch throws may be of another realm than this code, where a test runs it. */
const isNamed = (thrown: unknown, name: string): boolean =>
  typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === name;

/** The issuer was looked at with the configuration; the places that its description names were not. Throws open_id_untrusted. */
function requireSafe(address: string): string {
  const { protocol, hostname } = new URL(address);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
    throw untrusted('it names an address that is not https');
  }

  return address;
}

/** As fetch; says what is the network's fault and what is the provider's. */
async function ask(url: string, options: client.CustomFetchOptions): Promise<Response> {
  requireSafe(url);
  try {
    const response = await fetch(url, options as RequestInit);
    const text = await textOf(response);
    const { status, headers } = response;
    if (status >= 500 || status === 429) throw unreachable(`it answers with HTTP ${status}`);

    return new Response(status === 204 || status === 304 ? null : text, { status, headers });
  } catch (cause) {
    if (cause instanceof PreavisError) throw cause;
    const isLate = isNamed(cause, 'TimeoutError') || isNamed(cause, 'AbortError');
    throw unreachable(isLate ? `no answer within ${limitSeconds} s` : 'it cannot be connected to', cause);
  }
}

const otherIssuer = 'it does not call itself exactly what access.openId.issuer says';

/** What openid-client found, by its codes: nothing of what was sent is told. */
const foundInWords: Readonly<Record<string, string>> = {
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'the time of the ID token is over, or has not come',
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'issuer, audience or nonce of the ID token is another',
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: otherIssuer,
  OAUTH_KEY_SELECTION_FAILED: 'none of its keys has signed the ID token',
  OAUTH_DECRYPTION_FAILED: 'the ID token is encrypted',
  OAUTH_UNSUPPORTED_OPERATION: 'it asks for, or signs with, what Préavis does not know',
  OAUTH_MISSING_SERVER_METADATA: 'its description lacks an address',
  OAUTH_INVALID_SERVER_METADATA: 'its description is not one of OpenID Connect',
  OAUTH_HTTP_REQUEST_FORBIDDEN: 'it names an address that is not https',
};

/** Refusals that the registration of Préavis at the provider is the cause of (RFC 6749, 5.2). */
const ofClient: readonly string[] = ['invalid_client', 'unauthorized_client'];
const ofNow: readonly string[] = ['server_error', 'temporarily_unavailable'];
/** Of RFC 6749 and OpenID Connect Core (3.1.2.6). Any other word may be what somebody has put into an address. */
const knownRefusals: readonly string[] = [
  ...ofClient,
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'login_required',
  'unmet_authentication_requirements',
  'unsupported_grant_type',
  'unsupported_response_type',
];

function refusalOf(error: string): PreavisError {
  if (ofNow.includes(error)) return unreachable(`it answers with ${error}`);
  const word = knownRefusals.includes(error) ? error : 'an error';
  const code = ofClient.includes(error) ? 'open_id_client_refused' : 'open_id_refused';

  return new PreavisError(code, `it answers with ${word}`);
}

const own = (thrown: unknown): PreavisError | undefined => {
  for (let each = thrown; each instanceof Error; each = each.cause) if (each instanceof PreavisError) return each;

  return undefined;
};

/** What went wrong, of what openid-client throws. */
function problemOf(thrown: unknown): PreavisError {
  const ours = own(thrown);
  if (ours !== undefined) return ours;
  if (thrown instanceof client.AuthorizationResponseError) return refusalOf(thrown.error);
  if (thrown instanceof client.ResponseBodyError) {
    // Used before, older than a minute or so, or of another browser.
    return thrown.error === 'invalid_grant'
      ? new PreavisError('sign_in_expired', 'the provider does not take the code, or takes it no more')
      : refusalOf(thrown.error);
  }
  if (thrown instanceof client.WWWAuthenticateChallengeError) return refusalOf('invalid_client');

  // By its code, or by none: what it does not expect in an answer it throws as a TypeError.
  return untrusted(foundInWords[errnoOf(thrown) ?? ''] ?? 'an answer does not have the form of OpenID Connect', thrown);
}

/** Does what openid-client does, and throws what is ours. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw problemOf(thrown);
  }
}

/** By the body of the request where the provider takes that: how a secret is written in the header, providers disagree. */
function authenticationOf(metadata: client.ServerMetadata, secret: string): client.ClientAuth {
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];

  return methods.includes('client_secret_post') ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
}

type Known = {
  /** Asks the provider anew, once for all who ask at a time. */
  discover: () => Promise<client.ServerMetadata>;
  /** What openid-client is asked with. */
  configuration: () => Promise<client.Configuration>;
};

/** What is known of the provider: nothing before somebody asks, and after a failure the next who asks tries again. */
function makeKnown({ issuer, clientId, clientSecret = '' }: OpenIdConfig, clock: Clock): Known {
  const server = new URL(issuer);
  // A provider on this machine needs no TLS. What its description names is looked at by `requireSafe`.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- Marked so to stand out: it is for loopback alone.
  const allowHttp: (of: client.Configuration) => void = client.allowInsecureRequests;
  const execute = server.protocol === 'http:' ? [allowHttp] : [];
  let known: { metadata: client.ServerMetadata; at: number } | undefined;
  const discover = singleFlight(async () => {
    const found = await told(() =>
      client.discovery(server, clientId, undefined, client.None(), {
        execute,
        timeout: limitSeconds,
        [client.customFetch]: ask,
      }),
    );
    const metadata = { ...found.serverMetadata() };
    // openid-client bears another spelling, and that Microsoft describes a tenant by another name. Names of people are made of it.
    if (metadata.issuer !== issuer) throw untrusted(otherIssuer);
    known = { metadata, at: clock.now() };

    return metadata;
  });

  return {
    discover,
    // One for each sign-in: it keeps no keys, so that a new one of the provider counts at once.
    configuration: async () => {
      const isKnown = known !== undefined && clock.now() - known.at < knownForMs;
      const metadata = isKnown && known !== undefined ? known.metadata : await discover();
      const made = new client.Configuration(
        metadata,
        clientId,
        // The library asks the clock of the machine.
        { [client.clockSkew]: Math.round((clock.now() - systemClock.now()) / 1_000) },
        authenticationOf(metadata, clientSecret),
      );
      made.timeout = limitSeconds;
      made[client.customFetch] = ask;
      for (const allow of execute) allow(made);
      // Without it the signature is not looked at, since the ID token comes from the provider itself by TLS (Core, 3.1.3.7).
      client.enableNonRepudiationChecks(made);

      return made;
    },
  };
}

export function makeIdentityProvider(openId: OpenIdConfig, clock: Clock): IdentityProvider {
  const { discover, configuration } = makeKnown(openId, clock);
  const limit = pLimit(atOnce);

  return {
    begin: async (redirectUrl) => {
      const expected = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const asked = await questionOf(openId, redirectUrl, expected);
      const address = await told(async () => client.buildAuthorizationUrl(await configuration(), asked).href);

      return { address: requireSafe(address), expected };
    },
    finish: async (answer, { state, nonce, verifier }) => {
      if (answer.searchParams.get('state') !== state) {
        throw new PreavisError('sign_in_expired', 'the answer is not to what this browser has asked');
      }
      if (limit.activeCount + limit.pendingCount >= mostWaiting) {
        throw new PreavisError('too_busy', 'too many sign in at a time');
      }
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
      const tokens = await told(() =>
        limit(async () => client.authorizationCodeGrant(await configuration(), answer, checks)),
      );
      const claims = tokens.claims();
      if (claims === undefined) throw untrusted('there is no ID token');

      return claims;
    },
    signOutAddress: async (after) => {
      const made = await configuration();
      if (made.serverMetadata().end_session_endpoint === undefined) return undefined;

      return requireSafe(client.buildEndSessionUrl(made, { post_logout_redirect_uri: after }).href);
    },
    facts: async () => {
      const metadata = await discover();

      return { issuer: metadata.issuer, signsOut: metadata.end_session_endpoint !== undefined };
    },
  };
}

async function questionOf(
  { scopes, requireAcr }: OpenIdConfig,
  redirectUrl: string,
  { state, nonce, verifier }: Expected,
): Promise<Record<string, string>> {
  return {
    redirect_uri: redirectUrl,
    scope: ['openid', ...scopes.filter((scope) => scope !== 'openid')].join(' '),
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(requireAcr === undefined ? {} : { acr_values: requireAcr.join(' ') }),
  };
}
