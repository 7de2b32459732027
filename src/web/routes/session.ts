import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { acts, type Act } from '../../access/actor.ts';
import { decideAccess } from '../../access/decide.ts';
import type { Config } from '../../config/schema.ts';
import { roles } from '../../config/roles.ts';
import { isoTime } from '../../core/clock.ts';
import { browserCookie, browserOf, sessionCookie, type Place } from '../credentials.ts';
import type { AccessPort } from '../ports.ts';
import { publicRoute, route, type Reply, type Route } from '../route.ts';
import { components } from '../schemas.ts';

const names = z.array(z.string()).nullable();

const me = z.object({
  name: z.string().describe('As the audit trail has it.'),
  role: z.enum(roles),
  lines: names.describe('The lines that they see; null: all.'),
  controllers: names.describe('The companies whose calls they see; null: all.'),
  extensions: names.describe('The extensions whose calls they see; null: all.'),
  purposes: names.describe('The purposes that they see; null: those that name their role.'),
  idleMinutes: z.int().describe('A session ends after so long without a request, minutes.'),
  acts: z.array(z.enum(acts)).describe('What their role may ask for; of a call or recording it is decided each time.'),
});
components.add(me, { id: 'Me' });
export type Me = z.output<typeof me>;
const session = z.object({ me, until: z.iso.datetime().describe('When it ends at the latest.') });
components.add(session, { id: 'Session' });
export type Session = z.output<typeof session>;

function shownActor(actor: Actor, { access }: Pick<Config, 'access'>): z.input<typeof me> {
  const { name, role, lines, controllers, extensions, purposes } = actor;
  const mayAsk = (act: Act): boolean => {
    const decision = decideAccess(actor, act, undefined, 0);

    return decision.allowed || decision.reason === 'outOfScope';
  };

  return {
    name,
    role,
    lines: lines === undefined ? null : [...lines],
    controllers: controllers === undefined ? null : [...controllers],
    extensions: extensions === undefined ? null : [...extensions],
    purposes: purposes === undefined ? null : [...purposes],
    idleMinutes: access.session.idleMinutes,
    acts: acts.filter(mayAsk),
  };
}

const credentials = z.strictObject({
  user: z.string().min(1).max(100),
  password: z.string().min(1).max(1_000),
  code: z
    .string()
    .regex(/^\d{6}$/)
    .optional()
    .describe('Of the second factor, where the user has one.'),
});

/** Attempts in a minute from one address. */
const attemptsPerMinute = 20;

/** As it was read from a paper or a screen: `preavis users code` prints twelve letters and digits in three groups. */
const codeBody = z.strictObject({
  code: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9 -]{12,20}$/, 'is not a code of `preavis users code`'),
});

/** The session, and that the browser is known, in their cookies. */
const sessionReply = (
  { actor, secret, until, browser }: Awaited<ReturnType<AccessPort['signIn']>>,
  config: Pick<Config, 'access'>,
  place: Place,
): Reply => ({
  kind: 'json',
  status: 201,
  body: { me: shownActor(actor, config), until: isoTime(until) },
  headers: { 'set-cookie': [sessionCookie(secret, place), browserCookie(browser, place)] },
});

const needsHeader = 'Needs the header x-preavis-request: 1, as every request with a cookie that changes something.';
const signedIn = {
  status: 201,
  schema: session,
  description: 'The session; its secret is in the cookie alone.',
} as const;

/** @param place where the API is reached, which decides the form of the cookie */
export const sessionRoutes = (place: () => Place): readonly Route[] => [
  publicRoute({
    method: 'POST',
    path: '/session',
    summary: 'Sign in with user, password and code; the session is in a cookie',
    description: `${needsHeader} Another cookie makes the browser known: failures of others do not keep it out.`,
    act: 'anybody',
    perMinute: attemptsPerMinute,
    body: credentials,
    answer: signedIn,
    handle: async ({ body, headers, credentials: { address } }, { access, config }) => {
      const { user, password, code } = body;
      const browser = browserOf(headers, place());

      return sessionReply(await access.signIn({ user, password, code, address, browser }), config, place());
    },
  }),
  publicRoute({
    method: 'POST',
    path: '/session/code',
    summary: 'Sign in once with a code of `preavis users code`; the session is in a cookie',
    description: `For who has lost their password or their telephone: whoever has the code is that user. ${needsHeader}`,
    act: 'anybody',
    perMinute: attemptsPerMinute,
    body: codeBody,
    answer: signedIn,
    handle: async ({ body: { code }, headers, credentials: { address } }, { access, config }) => {
      const browser = browserOf(headers, place());

      return sessionReply(await access.signInByCode({ code, address, browser }), config, place());
    },
  }),
  route({
    method: 'DELETE',
    path: '/session',
    summary: 'Sign out, here or everywhere',
    act: 'signedIn',
    query: z.strictObject({
      everywhere: z.literal('true').optional().describe('Every session of this user ends.'),
    }),
    answer: { status: 204, description: 'The session has ended.' },
    handle: async ({ query: { everywhere }, credentials: { session: kept } }, { access }) => {
      if (kept !== undefined) await access.signOut(kept, everywhere === undefined ? 'here' : 'everywhere');

      return { kind: 'nothing', headers: { 'set-cookie': sessionCookie('', place()) } };
    },
  }),
  route({
    method: 'GET',
    path: '/me',
    summary: 'Tell who asks, and what they may do',
    act: 'signedIn',
    answer: { status: 200, schema: me, description: 'Whoever asks.' },
    handle: ({ actor }, { config }) => Promise.resolve({ kind: 'json', body: shownActor(actor, config) }),
  }),
];
