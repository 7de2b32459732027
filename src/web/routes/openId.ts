import * as z from 'zod';
import { pendingSeconds } from '../../access/pendingSignIn.ts';
import { NotLetIn } from '../../access/openId.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { browserCookie, pendingCookie, pendingOf, refuseOtherSite, sessionCookie, type Place } from '../credentials.ts';
import type { OpenIdPort, WebPorts } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { callbackPath, redirectUrlOf } from '../redirectUrl.ts';
import { publicRoute, type Reply, type Route } from '../route.ts';
import { components } from '../schemas.ts';
import { pageHeaders, refusedPage, signedInPage } from '../signInPages.ts';

/** Attempts in a minute from one address. */
const attemptsPerMinute = 20;

const ways = z.object({
  password: z.boolean().describe('By POST /session.'),
  openId: z.boolean().describe('By GET /session/openid, to which a page sends the browser.'),
});
components.add(ways, { id: 'SignInWays' });

/** An own path: an address of another site, however it is written, would make of this one a way to it. */
const ownPath = z
  .string()
  .max(500)
  .regex(/^\/([\x21-\x2e\x30-\x5b\x5d-\x7e][\x21-\x5b\x5d-\x7e]*)?$/, 'is not a path of this address');

const asked = z.strictObject({
  to: ownPath.default('/').describe('Where to go when signed in: a path of this address.'),
});

const part = z.string().max(8_000).optional();

/** As the provider sends them (RFC 6749, 4.1.2; RFC 9207), and what else it adds. */
const answered = z
  .object({
    code: part.describe('What stands for the sign-in, once.'),
    state: part.describe('What this service gave the browser to bring back.'),
    error: part.describe('Why the provider refuses.'),
    iss: part.describe('Which provider it is.'),
  })
  .catchall(z.string().max(8_000));

const given = ([name, value]: [string, string | undefined]): [string, string][] =>
  value === undefined ? [] : [[name, value]];

const redirect = (location: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: 'bytes',
  body: '',
  status: 302,
  headers: { location, ...headers },
});

function requireOpenId({ access }: Pick<WebPorts, 'access'>): OpenIdPort {
  if (access.openId === undefined) throw new PreavisError('address_unknown', 'nobody signs in so here');

  return access.openId;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const headerOf = (headers: Headers, name: string): string => [headers[name] ?? ''].flat().join(',');

/** Whoever navigates here reads a page, and a program the problem. */
async function inPage(headers: Headers, { log }: Pick<WebPorts, 'log'>, work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (thrown) {
    const error = asPreavisError(thrown);
    const { code, message } = error;
    const { status } = problemOf(error);
    const isPage = headerOf(headers, 'accept').includes('text/html');
    if (code === 'address_unknown' || code === 'internal') throw error;
    const who = error instanceof NotLetIn ? error.who : undefined;
    // Without its cause, which may have what the provider says of somebody.
    log.warn({ code, problem: message, ...(who === undefined ? {} : { actor: who }) }, 'sign-in refused');
    if (!isPage) throw error;
    const body = await refusedPage({ code, who, languages: headerOf(headers, 'accept-language') });

    return { kind: 'bytes', status, body, headers: pageHeaders };
  }
}

const waysRoute = publicRoute({
  method: 'GET',
  path: '/session/ways',
  summary: 'Tell how people sign in here',
  act: 'anybody',
  answer: { status: 200, schema: ways, description: 'Which ways there are.' },
  handle: (_asked, { access, config }) =>
    Promise.resolve({
      kind: 'json',
      body: { password: config.access.passwordSignIn, openId: access.openId !== undefined },
    }),
});

const begin = (place: () => Place): Route =>
  publicRoute({
    method: 'GET',
    path: '/session/openid',
    summary: 'Send the browser to the identity provider of the company',
    description: 'To be navigated to, not fetched. Refusals are pages for whoever takes text/html.',
    act: 'anybody',
    perMinute: attemptsPerMinute,
    query: asked,
    answer: { status: 302, description: 'To the provider.' },
    handle: ({ query, headers }, ports) =>
      inPage(headers, ports, async () => {
        const openId = requireOpenId(ports);
        refuseOtherSite(headers);
        const { address, kept } = await openId.begin({ redirectUrl: redirectUrlOf(place()), to: query.to });

        return redirect(address, { 'set-cookie': pendingCookie(kept, pendingSeconds, place()) });
      }),
  });

const finish = (place: () => Place): Route =>
  publicRoute({
    method: 'GET',
    path: callbackPath,
    summary: 'Sign in whom the identity provider sends back',
    description: 'The address to register at the provider. Refusals are pages for whoever takes text/html.',
    act: 'anybody',
    perMinute: attemptsPerMinute,
    query: answered,
    answer: { status: 200, contentType: 'text/html', description: 'A page that goes on; the session is in a cookie.' },
    // On a refusal the browser keeps its pending sign-in: else any page could end one by sending the browser here.
    handle: ({ query, headers }, ports) =>
      inPage(headers, ports, async () => {
        const openId = requireOpenId(ports);
        const answer = new URL(redirectUrlOf(place()));
        answer.search = new URLSearchParams(Object.entries(query).flatMap(given)).toString();
        const { secret, browser, to } = await openId.finish(answer, pendingOf(headers, place()));
        const body = await signedInPage({ to, languages: headerOf(headers, 'accept-language') });
        const cookies = [
          sessionCookie(secret, place()),
          browserCookie(browser, place()),
          pendingCookie('', 0, place()),
        ];

        return { kind: 'bytes', status: 200, body, headers: { ...pageHeaders, 'set-cookie': cookies } };
      }),
  });

const end = (place: () => Place): Route =>
  publicRoute({
    method: 'GET',
    path: '/session/openid/end',
    summary: 'Send the browser to where its session at the identity provider ends',
    description: 'It ends none here: DELETE /session does, before.',
    act: 'anybody',
    perMinute: attemptsPerMinute,
    answer: { status: 302, description: 'To the provider.' },
    handle: ({ headers }, ports) =>
      inPage(headers, ports, async () => {
        const openId = requireOpenId(ports);
        refuseOtherSite(headers);
        const address = await openId.signOutAddress(`${place().origin}/`);
        if (address === undefined) throw new PreavisError('address_unknown', 'the provider has no such place');

        return redirect(address);
      }),
  });

/** @param place where the API is reached, which decides the form of cookies and where the provider sends people back to */
export const openIdRoutes = (place: () => Place): readonly Route[] => [
  waysRoute,
  begin(place),
  finish(place),
  end(place),
];
