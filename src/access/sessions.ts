import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { SessionRow } from '../catalogue/access/sessions.ts';
import type { AccessConfig } from '../config/accessSchema.ts';
import { isWronglyAhead, type Clock } from '../core/clock.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import type { Actor } from './actor.ts';
import { auditOf } from './audit.ts';
import { actorOfOpenId, isOpenIdName } from './openId.ts';
import { actorOfUser, credentialOf, userOf } from './users.ts';

const minuteMs = 60_000;

export type SessionPorts = {
  catalogue: CataloguePart<{ sessions: 'find' | 'noteSeen' | 'end' | 'endAll'; auditTrail: 'append' }>;
  access: AccessConfig;
  clock: Clock;
};

/** When it ends unless it is used, and when in any case, ms since 1970 UTC. */
export type Session = { actor: Actor; idleUntil: number; endsAt: number };

/** Who this session is of, if it goes on: undefined when the configuration has them no more, or by something else than they came in by. */
function ownerOf({ user: name, credential }: SessionRow, access: AccessConfig): Actor | undefined {
  if (isOpenIdName(name)) return actorOfOpenId(access, { name, credential });
  const user = userOf(access, name);

  return user === undefined || credentialOf(access, user) !== credential ? undefined : actorOfUser(access, name);
}

/** The same now: undefined when it has ended. */
function actorOfSession(row: SessionRow, access: AccessConfig, now: number): Actor | undefined {
  const isOver = row.endsAt <= now || row.seenAt + access.session.idleMinutes * minuteMs <= now;
  // Begun before the clock was set back, it would go on for as much longer.
  const isAhead = isWronglyAhead(row.beganAt, now) || isWronglyAhead(row.seenAt, now);

  return isOver || isAhead ? undefined : ownerOf(row, access);
}

/**
 * The session of this cookie; undefined: there is none.
 *
 * @param isUse whether it goes on by being asked for: not where nobody has done anything
 */
export async function useSession(ports: SessionPorts, secret: string, isUse = true): Promise<Session | undefined> {
  const { catalogue, access, clock } = ports;
  const sha256 = sha256Of(secret);
  const row = await catalogue.sessions.find(sha256);
  const now = clock.now();
  const actor = row === undefined ? undefined : actorOfSession(row, access, now);
  if (row === undefined || actor === undefined) return undefined;
  const idleMs = access.session.idleMinutes * minuteMs;
  // Not at each request: a player asks for many parts, and each would be a write.
  if (isUse && now - row.seenAt >= Math.min(minuteMs, idleMs / 4)) await catalogue.sessions.noteSeen(sha256, now);

  return { actor, idleUntil: Math.min((isUse ? now : row.seenAt) + idleMs, row.endsAt), endsAt: row.endsAt };
}

/** Ends this session, or all of that user: `everywhere`. Says how many. */
export async function signOut(ports: SessionPorts, secret: string, where: 'here' | 'everywhere'): Promise<number> {
  const { catalogue } = ports;
  const sha256 = sha256Of(secret);
  const row = await catalogue.sessions.find(sha256);
  if (row === undefined) return 0;
  const ended =
    where === 'here' ? Number(await catalogue.sessions.end(sha256)) : await catalogue.sessions.endAll(row.user);
  const actor = isOpenIdName(row.user) ? ownerOf(row, ports.access) : actorOfUser(ports.access, row.user);
  if (ended > 0 && actor !== undefined) {
    await catalogue.auditTrail.append(null, auditOf(actor, { did: 'signedOut', sessions: ended }));
  }

  return ended;
}

/**
 * Ends all sessions of a user, whom the configuration may have no more. Says how many.
 *
 * @param by who ends them, for the audit trail
 */
export async function endSessions(
  { catalogue }: { catalogue: CataloguePart<{ sessions: 'endAll'; auditTrail: 'append' }> },
  name: string,
  by: string,
): Promise<number> {
  const sessions = await catalogue.sessions.endAll(name);
  if (sessions > 0) {
    await catalogue.auditTrail.append(null, { event: 'sessions ended', actor: by, detail: { user: name, sessions } });
  }

  return sessions;
}

/** How many sessions of this user go on. */
export async function sessionsOf(
  {
    catalogue,
    access,
    clock,
  }: Pick<SessionPorts, 'access' | 'clock'> & { catalogue: CataloguePart<{ sessions: 'list' }> },
  name: string,
): Promise<number> {
  const now = clock.now();
  const rows = await catalogue.sessions.list(name);

  return rows.filter((row) => actorOfSession(row, access, now) !== undefined).length;
}

type ListPorts = Pick<SessionPorts, 'access' | 'clock'> & { catalogue: CataloguePart<{ sessions: 'list' }> };

/** Somebody, and their sessions that go on, the newest last. */
export type SignedIn = { actor: Actor; sessions: Pick<SessionRow, 'beganAt' | 'seenAt' | 'endsAt'>[] };

/** Who is signed in now. */
export async function signedIn({ catalogue, access, clock }: ListPorts): Promise<SignedIn[]> {
  const now = clock.now();
  const found = new Map<string, SignedIn>();
  for (const row of await catalogue.sessions.list()) {
    const actor = actorOfSession(row, access, now);
    const { beganAt, seenAt, endsAt } = row;
    const earlier = found.get(row.user)?.sessions ?? [];
    // Of several sessions the newest says what they are.
    if (actor !== undefined) found.set(row.user, { actor, sessions: [...earlier, { beganAt, seenAt, endsAt }] });
  }

  return [...found.values()];
}

/** Who came through the identity provider and is signed in, with how many sessions. */
export async function openIdSessions(ports: ListPorts): Promise<{ actor: Actor; sessions: number }[]> {
  const people = await signedIn(ports);

  return people.flatMap(({ actor, sessions }) =>
    isOpenIdName(actor.name) ? [{ actor, sessions: sessions.length }] : [],
  );
}
