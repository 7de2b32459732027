import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { acts, type Act } from '../../access/actor.ts';
import { decideAccess } from '../../access/decide.ts';
import type { Config } from '../../config/schema.ts';
import { roles } from '../../config/roles.ts';
import { isoTime } from '../../core/clock.ts';
import { sessionCookie, type Place } from '../credentials.ts';
import { publicRoute, route, type Route } from '../route.ts';
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

/** @param place where the API is reached, which decides the form of the cookie */
export const sessionRoutes = (place: () => Place): readonly Route[] => [
  publicRoute({
    method: 'POST',
    path: '/session',
    summary: 'Sign in with user, password and code; the session is in a cookie',
    description: 'Needs the header x-preavis-request: 1, as every request with a cookie that changes something.',
    act: 'anybody',
    perMinute: attemptsPerMinute,
    body: credentials,
    answer: { status: 201, schema: session, description: 'The session; its secret is in the cookie alone.' },
    handle: async ({ body, credentials: { address } }, { access, config }) => {
      const { user, password, code } = body;
      const { actor, secret, until } = await access.signIn({ user, password, code, address });

      return {
        kind: 'json',
        status: 201,
        body: { me: shownActor(actor, config), until: isoTime(until) },
        headers: { 'set-cookie': sessionCookie(secret, place()) },
      };
    },
  }),
  route({
    method: 'DELETE',
    path: '/session',
    summary: 'Sign out',
    act: 'signedIn',
    answer: { status: 204, description: 'The session has ended.' },
    handle: async ({ credentials: { session: kept } }, { access }) => {
      if (kept !== undefined) await access.signOut(kept);

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
