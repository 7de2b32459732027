import type { IncomingHttpHeaders } from 'node:http';
import { parse, serialize } from 'cookie';
import { knownForDays } from '../access/knownBrowsers.ts';
import { PreavisError } from '../core/errors.ts';
import type { Credentials } from './ports.ts';

/** Where the API is reached: what browsers say in `Origin`, and whether they speak TLS. */
export type Place = { origin: string; isSecure: boolean };

/** Of web.publicUrl, or of what is listened on. */
export function placeOf(url: string): Place {
  const { origin, protocol } = new URL(url);

  return { origin, isSecure: protocol === 'https:' };
}

/** The prefix makes browsers refuse it from anybody else, and without TLS; that is for loopback alone. */
const cookieName = ({ isSecure }: Place): string => (isSecure ? '__Host-preavis' : 'preavis');

/** Ends with the browser, or before by the ends of the session. */
export function sessionCookie(secret: string, place: Place): string {
  const common = { httpOnly: true, sameSite: 'strict', path: '/', secure: place.isSecure } as const;

  return serialize(cookieName(place), secret, secret === '' ? { ...common, maxAge: 0 } : common);
}

const pendingName = ({ isSecure }: Place): string => (isSecure ? '__Host-preavis-openid' : 'preavis-openid');

/**
 * What the browser keeps while somebody is at the identity provider. `lax`: it comes back with the navigation from there, which is one from
 * another site; nothing else that other sites make a browser do sends it.
 *
 * @param seconds for how long; 0: it is removed
 */
export function pendingCookie(sealed: string, seconds: number, place: Place): string {
  const how = { httpOnly: true, sameSite: 'lax', path: '/', secure: place.isSecure, maxAge: seconds } as const;

  return serialize(pendingName(place), sealed, how);
}

/** undefined: there is none. */
export function pendingOf(headers: IncomingHttpHeaders, place: Place): string | undefined {
  return keptOf(headers, pendingName(place));
}

const browserName = ({ isSecure }: Place): string => (isSecure ? '__Host-preavis-browser' : 'preavis-browser');

/** That somebody has signed in with this browser. It lets nobody in, and stays when they sign out. */
export function browserCookie(sealed: string, place: Place): string {
  const maxAge = knownForDays * 86_400;
  const how = { httpOnly: true, sameSite: 'strict', path: '/', secure: place.isSecure, maxAge } as const;

  return serialize(browserName(place), sealed, how);
}

/** undefined: it keeps nothing. */
export function browserOf(headers: IncomingHttpHeaders, place: Place): string | undefined {
  return keptOf(headers, browserName(place));
}

function keptOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const kept = parse(headers.cookie ?? '')[name];

  return kept !== undefined && /^[A-Za-z0-9_.-]{1,3000}$/.test(kept) ? kept : undefined;
}

const bearer = /^Bearer ([\x21-\x7e]{1,200})$/i;
const secretForm = /^[A-Za-z0-9_-]{1,200}$/;

/** A token goes before a cookie: a program that sends both means the token. */
export function credentialsOf(headers: IncomingHttpHeaders, address: string, place: Place): Credentials {
  const [, token] = bearer.exec(headers.authorization ?? '') ?? [];
  const kept = parse(headers.cookie ?? '')[cookieName(place)];
  const session = token === undefined && kept !== undefined && secretForm.test(kept) ? kept : undefined;

  return { token, session, address };
}

/**
 * A browser sends its cookie along whoever has made it ask, within the same site at least. A header of our own it sends only for the page of
 * the same origin, since no other is let to (no CORS).
 *
 * @throws PreavisError `request_forged`
 */
export function refuseForged(method: string, headers: IncomingHttpHeaders, { token }: Credentials, place: Place): void {
  if (method === 'GET' || method === 'HEAD' || token !== undefined) return;
  if (headers['x-preavis-request'] !== '1') {
    throw new PreavisError('request_forged', 'the header x-preavis-request: 1 is missing');
  }
  refuseOtherOrigin(headers, place);
}

/**
 * Browsers say which page has made them ask (Fetch Metadata): one of ours, or whoever typed the address; one that is too old to say so is let
 * pass.
 *
 * @throws PreavisError `request_forged`
 */
export function refuseOtherSite(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw new PreavisError('request_forged', 'the page of another address has made the browser ask');
}

/** @throws PreavisError `request_forged` */
export function refuseOtherOrigin({ origin }: IncomingHttpHeaders, place: Place): void {
  if (origin !== undefined && origin !== place.origin) {
    throw new PreavisError('request_forged', 'it comes from the page of another address');
  }
}
