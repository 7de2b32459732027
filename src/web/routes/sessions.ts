import * as z from 'zod';
import { endSessions, signedIn } from '../../access/sessions.ts';
import { roles } from '../../config/roles.ts';
import { isoTime } from '../../core/clock.ts';
import { route, type Route } from '../route.ts';
import { named } from '../schemas.ts';

/** Sessions of others: for who looks after those who come in. */

const time = z.iso.datetime();
const scope = z.array(z.string()).nullable();

const people = named(
  'SignedIn',
  z.object({
    people: z.array(
      z.object({
        name: z.string().describe('As the audit trail has it.'),
        role: z.enum(roles),
        lines: scope,
        controllers: scope,
        extensions: scope,
        purposes: scope,
        sessions: z.array(
          z.object({
            beganAt: time,
            seenAt: time.describe('When it was last used, to a minute.'),
            endsAt: time.describe('When it ends at the latest.'),
          }),
        ),
      }),
    ),
  }),
);

const ended = named('SessionsEnded', z.object({ sessions: z.int().describe('How many have ended.') }));

const userPrefix = 'user:';

const list = (names: readonly string[] | undefined): string[] | null => (names === undefined ? null : [...names]);

export const sessionsRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/sessions',
    summary: 'Tell who is signed in now, as what, and since when',
    act: 'manageAccess',
    answer: { status: 200, schema: people, description: 'Everybody with a session that goes on, by name.' },
    handle: async (_, { catalogue, clock, config: { access } }) => {
      const found = (await signedIn({ catalogue, access, clock })).toSorted((one, other) =>
        one.actor.name < other.actor.name ? -1 : 1,
      );
      const body: z.input<typeof people> = {
        people: found.map(({ actor: { name, role, lines, controllers, extensions, purposes }, sessions }) => ({
          name,
          role,
          lines: list(lines),
          controllers: list(controllers),
          extensions: list(extensions),
          purposes: list(purposes),
          sessions: sessions.map(({ beganAt, seenAt, endsAt }) => ({
            beganAt: isoTime(beganAt),
            seenAt: isoTime(seenAt),
            endsAt: isoTime(endsAt),
          })),
        })),
      };

      return { kind: 'json', body };
    },
  }),
  route({
    method: 'DELETE',
    path: '/sessions/{name}',
    summary: 'End all sessions of somebody',
    description:
      'Who did it is in the audit trail. Whoever still has a password, or an account at the identity provider, may sign in again: take them out of the configuration first.',
    act: 'manageAccess',
    params: z.strictObject({
      name: z
        .string()
        .regex(/^(user:[a-z][a-z0-9-]{0,39}|openid:[0-9a-f-]{32,36})$/, 'is not a name such as user:anna')
        .describe('As GET /sessions and the audit trail have it.'),
    }),
    answer: { status: 200, schema: ended, description: 'They have ended; 0: there were none.' },
    handle: async ({ actor, params: { name } }, { catalogue }) => {
      const known = name.startsWith(userPrefix) ? name.slice(userPrefix.length) : name;

      return { kind: 'json', body: { sessions: await endSessions({ catalogue }, known, actor.name) } };
    },
  }),
];
