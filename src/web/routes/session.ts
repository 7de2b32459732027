import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { acts, type Act } from '../../access/actor.ts';
import { decideAccess, seesOwnPurposesOnly } from '../../access/decide.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import type { LineConfig } from '../../config/purposeSchema.ts';
import { roles } from '../../config/roles.ts';
import { isoTime } from '../../core/clock.ts';
import { byLanguage } from '../../core/text/inLanguage.ts';
import { knownControllers } from '../../services/controllers.ts';
import { browserCookie, browserOf, sessionCookie, type Place } from '../credentials.ts';
import type { AccessPort, WebPorts } from '../ports.ts';
import { publicRoute, route, type Reply, type Route } from '../route.ts';
import { components } from '../schemas.ts';

const names = z.array(z.string()).nullable();
const namesByLanguage = z.record(z.string(), z.record(z.string(), z.string()));

/** Filters that find nothing in most installations. */
const rareFinders = ['extension', 'dialled'] as const;

const me = z.object({
  name: z.string().describe('As the audit trail has it.'),
  role: z.enum(roles),
  lines: names.describe('The lines that they see; null: all.'),
  controllers: names.describe('The companies whose calls they see; null: all.'),
  extensions: names.describe('The extensions whose calls they see; null: all.'),
  purposes: names.describe('The purposes that they see; null: those that name their role.'),
  companies: z
    .array(z.string())
    .describe(
      'The companies that there are, as far as they see their calls or count them: of `controllers` now or once, and `own`. Without `controllers` of their own, empty for coach and legal, and for who sees some extensions or purposes alone.',
    ),
  pbxs: z
    .array(z.string())
    .describe(
      'The PBXs that calls have come to, by their names (`ari.pbx`), where there are several. Empty for coach and legal, for who sees some lines, companies, extensions or purposes alone, and for who lists and counts no calls.',
    ),
  purposeNames: namesByLanguage.describe(
    'What the purposes that they see are called, by language: `names` of the configuration. Of who sees some lines or companies, those of their lines.',
  ),
  lineNames: namesByLanguage.describe(
    'What the lines that they see are called, by language, or by `*` in all languages: `names` of the configuration, or nothing where it has none. Lines that have none of these purposes are left out. Where there are several companies, those of `lines` or `controllers` alone for coach and legal, and for who sees some extensions or purposes.',
  ),
  findsBy: z
    .array(z.enum(rareFinders))
    .describe(
      'By what calls are found only where it is kept: `extension` with privacy.keepExtensions, `dialled` with privacy.dialledDays.',
    ),
  idleMinutes: z.int().describe('A session ends after so long without a request, minutes.'),
  acts: z.array(z.enum(acts)).describe('What their role may ask for; of a call or recording it is decided each time.'),
});
components.add(me, { id: 'Me' });
export type Me = z.output<typeof me>;
const session = z.object({ me, until: z.iso.datetime().describe('When it ends at the latest.') });
components.add(session, { id: 'Session' });
export type Session = z.output<typeof session>;

type Ports = Pick<WebPorts, 'config' | 'catalogue'>;

const mayAskFor = (actor: Actor, act: Act): boolean => {
  const decision = decideAccess(actor, act, undefined, 0);

  return decision.allowed || decision.reason === 'outOfScope';
};

const companyOfLine = (line: string, { config }: Pick<Ports, 'config'>): string | undefined =>
  Object.hasOwn(config.lines, line) ? (config.lines[line]?.controller ?? ownCalls) : undefined;

/** Who sees only what their extensions or purposes allow. */
const seesOwnOnly = ({ role, extensions, purposes }: Actor): boolean =>
  extensions !== undefined || purposes !== undefined || seesOwnPurposesOnly.includes(role);

/** Who may learn the names of what they see no calls of, as far as their lines and companies allow. */
const seesAllNames = (actor: Actor): boolean =>
  !seesOwnOnly(actor) && (mayAskFor(actor, 'list') || mayAskFor(actor, 'readReport'));

/** Whoever sees only some lines learns the names of their companies, and of no others; whoever sees what their purposes allow learns none. */
async function companiesSeen(actor: Actor, { config, catalogue }: Ports): Promise<string[]> {
  const { lines, controllers } = actor;
  if (controllers !== undefined) return [...controllers];
  if (!seesAllNames(actor)) return [];
  const there =
    lines === undefined
      ? [ownCalls, ...(await knownControllers(config, catalogue))]
      : lines.flatMap((line) => companyOfLine(line, { config }) ?? []);

  return [...new Set(there)].sort();
}

/** A PBX may be that of one customer: who sees a part of the calls learns its name from these. One alone is not worth a name. */
async function pbxsSeen(actor: Actor, { catalogue }: Ports): Promise<string[]> {
  if (actor.lines !== undefined || actor.controllers !== undefined || !seesAllNames(actor)) return [];
  const names = await catalogue.search.pbxs();

  return names.length > 1 ? names : [];
}

/** Those of the configuration that their scope leaves them. */
const linesSeen = ({ lines, controllers }: Actor, ports: Pick<Ports, 'config'>): [string, LineConfig][] =>
  Object.entries(ports.config.lines).filter(
    ([line]) =>
      (lines?.includes(line) ?? true) && (controllers?.includes(companyOfLine(line, ports) ?? ownCalls) ?? true),
  );

/** Those of the lines that they see; undefined: all. */
function purposesOfLines(actor: Actor, ports: Pick<Ports, 'config'>): ReadonlySet<string> | undefined {
  if (actor.lines === undefined && actor.controllers === undefined) return undefined;

  return new Set(linesSeen(actor, ports).flatMap(([, line]) => line.purposes));
}

function purposeNamesSeen(actor: Actor, ports: Pick<Ports, 'config'>): Me['purposeNames'] {
  const { role, purposes } = actor;
  const ofLines = purposesOfLines(actor, ports);

  return Object.fromEntries(
    Object.entries(ports.config.purposes)
      .filter(
        ([id, { mayListen }]) =>
          (purposes?.includes(id) ?? true) &&
          (ofLines?.has(id) ?? true) &&
          (!seesOwnPurposesOnly.includes(role) || mayListen.includes(role)),
      )
      .map(([id, each]) => [id, each.names]),
  );
}

/** A line may be named after its company: who sees only what their purposes or extensions allow learns no company. */
function lineNamesSeen(
  actor: Actor,
  purposeNames: Me['purposeNames'],
  ports: Pick<Ports, 'config'>,
): z.input<typeof namesByLanguage> {
  const { lines, controllers } = actor;
  const hasSeveral = Object.keys(ports.config.controllers).length > 0;
  if (seesOwnOnly(actor) && hasSeveral && lines === undefined && controllers === undefined) return {};

  return Object.fromEntries(
    linesSeen(actor, ports)
      .filter(([, line]) => line.purposes.some((each) => Object.hasOwn(purposeNames, each)))
      .map(([id, line]) => [id, line.names === undefined ? {} : byLanguage(line.names)]),
  );
}

function findersOf({ config: { privacy } }: Pick<Ports, 'config'>): Me['findsBy'] {
  const isKept = { extension: privacy.keepExtensions, dialled: privacy.dialledDays > 0 };

  return rareFinders.filter((each) => isKept[each]);
}

async function shownActor(actor: Actor, ports: Ports): Promise<z.input<typeof me>> {
  const { name, role, lines, controllers, extensions, purposes } = actor;
  const purposeNames = purposeNamesSeen(actor, ports);

  return {
    name,
    role,
    lines: lines === undefined ? null : [...lines],
    controllers: controllers === undefined ? null : [...controllers],
    extensions: extensions === undefined ? null : [...extensions],
    purposes: purposes === undefined ? null : [...purposes],
    companies: await companiesSeen(actor, ports),
    pbxs: await pbxsSeen(actor, ports),
    purposeNames,
    lineNames: lineNamesSeen(actor, purposeNames, ports),
    findsBy: findersOf(ports),
    idleMinutes: ports.config.access.session.idleMinutes,
    acts: acts.filter((act) => mayAskFor(actor, act)),
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
const sessionReply = async (
  { actor, secret, until, browser }: Awaited<ReturnType<AccessPort['signIn']>>,
  ports: Ports,
  place: Place,
): Promise<Reply> => ({
  kind: 'json',
  status: 201,
  body: { me: await shownActor(actor, ports), until: isoTime(until) },
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
    handle: async ({ body, headers, credentials: { address } }, ports) => {
      const { user, password, code } = body;
      const browser = browserOf(headers, place());

      return sessionReply(await ports.access.signIn({ user, password, code, address, browser }), ports, place());
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
    handle: async ({ body: { code }, headers, credentials: { address } }, ports) => {
      const browser = browserOf(headers, place());

      return sessionReply(await ports.access.signInByCode({ code, address, browser }), ports, place());
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
    handle: async ({ actor }, ports) => ({ kind: 'json', body: await shownActor(actor, ports) }),
  }),
];
