import { actsOfRecordings, type Actor } from '../../access/actor.ts';
import { decideAccess } from '../../access/decide.ts';
import { hashPassword, passwordFault } from '../../access/password.ts';
import { newToken } from '../../access/secrets.ts';
import { isOpenIdName } from '../../access/openId.ts';
import { endSessions, openIdSessions, sessionsOf } from '../../access/sessions.ts';
import { offerSignInCode } from '../../access/signIn.ts';
import { findSubject } from '../../access/subject.ts';
import { newTotpSecret, totpAddress } from '../../access/totp.ts';
import { actorOfTokenName, actorOfUser, endOfToken, requireUser } from '../../access/users.ts';
import { longestCodeMs } from '../../catalogue/access/signIns.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import type { CallId } from '../../core/ids.ts';
import { counted } from '../../core/text/counted.ts';
import { answer, type CommandContext, type ExitCode, type Json, type Program } from '../context.ts';
import { localTime } from '../localTime.ts';
import { operatorOf } from '../operator.ts';
import { table } from '../table.ts';
import { typedSecret } from '../typedSecret.ts';
import { withCatalogue } from '../withCatalogue.ts';

/** Prints what the configuration keeps of a password. */
export async function usersHash(
  context: CommandContext,
  { json }: Json,
  { firstLine }: Pick<Program, 'firstLine'>,
): Promise<ExitCode> {
  const password = await typedSecret('Password', firstLine);
  const fault = passwordFault(password);
  if (fault !== undefined) throw new PreavisError('usage', `the password ${fault}`);
  const passwordHash = await hashPassword(password);
  answer(context, json, { passwordHash }, () => [passwordHash]);

  return 0;
}

/** Prints a new secret for one-time codes. Its first line is what the configuration, or its file, takes. */
export function usersTotp(context: CommandContext, name: string, { json }: Json): Promise<ExitCode> {
  requireName(name);
  const totpSecret = newTotpSecret();
  const address = totpAddress(totpSecret, name);
  answer(context, json, { totpSecret, address }, () => [totpSecret, address]);

  return Promise.resolve(0);
}

/** Prints a new token, which nothing of Préavis keeps. */
export function usersToken(context: CommandContext, { json }: Json): Promise<ExitCode> {
  const { secret, sha256 } = newToken();
  answer(context, json, { token: secret, sha256 }, () => [
    `token, for the program: ${secret}`,
    `sha256, for access.tokens of the configuration: ${sha256}`,
  ]);

  return Promise.resolve(0);
}

/** Lists who the configuration lets in. */
export async function usersList(context: CommandContext, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue, { access }) => {
    const ports = { catalogue, access, clock: context.clock };
    const scopes = ({ role, lines, controllers, extensions, purposes }: Partial<Actor>) => ({
      role,
      lines: lines ?? null,
      controllers: controllers ?? null,
      extensions: extensions ?? null,
      purposes: purposes ?? null,
    });
    const users = await Promise.all(
      Object.entries(access.users).map(async ([name, user]) => ({
        name,
        ...scopes(user),
        oneTimeCode: user.totpSecret !== undefined,
        sessions: await sessionsOf(ports, name),
      })),
    );
    const now = context.clock.now();
    const rules = Object.entries(access.openId?.rules ?? {}).map(([name, rule]) => ({ name, ...scopes(rule) }));
    const signedIn = await openIdSessions(ports);
    const people = signedIn.map(({ actor, sessions }) => ({ name: actor.name, ...scopes(actor), sessions }));
    const tokens = Object.entries(access.tokens).map(([name, token]) => {
      const endsAt = endOfToken(token.expires);
      return { name, ...scopes(token), expires: isoTime(endsAt), expired: endsAt <= now };
    });
    answer(context, json, { users, tokens, openId: { rules, signedIn: people } }, () => {
      const all = (names: readonly string[] | null): string => names?.join(' ') ?? 'all';
      const rowOf = (who: string, seen: ReturnType<typeof scopes>, how: string): string[] => [
        who,
        seen.role ?? '',
        all(seen.lines),
        all(seen.controllers),
        all(seen.extensions),
        all(seen.purposes),
        how,
      ];
      const passwords = access.passwordSignIn ? 'password' : 'no password';
      const rows = [
        ...users.map((each) =>
          rowOf(
            `user ${each.name}`,
            each,
            `${each.oneTimeCode && access.passwordSignIn ? 'password and code' : passwords}; ${counted(each.sessions, 'session')}`,
          ),
        ),
        ...rules.map((each) => rowOf(`rule ${each.name}`, each, 'OpenID Connect')),
        ...tokens.map((each) =>
          rowOf(`token ${each.name}`, each, `${each.expired ? 'expired' : 'expires'} ${each.expires.slice(0, 10)}`),
        ),
      ];

      return [
        table(['WHO', 'ROLE', 'LINES', 'COMPANIES', 'EXTENSIONS', 'PURPOSES', 'SIGN-IN'], rows),
        ...peopleInWords(people),
      ];
    });

    return 0;
  });
}

/** Not in a column of the others: their names are long, and are copied into `users sign-out`. */
function peopleInWords(people: readonly { name: string; role?: string | undefined; sessions: number }[]): string[] {
  const rows = people.map(({ name, role, sessions }) => [name, role ?? '', `${sessions}`]);

  return rows.length === 0 ? [] : ['', table(['SIGNED IN BY OPENID CONNECT', 'ROLE', 'SESSIONS'], rows)];
}

/** Prints what somebody may do with a recording, each act with the reason why not. */
export async function usersMay(context: CommandContext, name: string, id: string, { json }: Json): Promise<ExitCode> {
  requireName(name);

  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const actor = actorOfUser(config.access, name) ?? actorOfTokenName(config.access, name);
    if (actor === undefined) throw new PreavisError('user_unknown', 'there is no user or token of this name');
    const now = context.clock.now();
    const extensionOf = async (call: CallId): Promise<string | null> => (await catalogue.extensions.of(call)) ?? null;
    const found = await findSubject({ catalogue, config, extensionOf }, id, actor.name, now);
    if (found === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    const decisions = actsOfRecordings.map((act) => {
      const decision = decideAccess(actor, act, found.subject, now);
      if (!decision.allowed) return { act, allowed: false, reason: decision.reason, until: null };
      const ends = decision.by.map(({ until }) => until);

      return { act, allowed: true, reason: null, until: ends.length === 0 ? null : Math.max(...ends) };
    });
    const shown = decisions.map((each) => ({ ...each, until: isoTime(each.until) }));
    answer(context, json, { actor: actor.name, role: actor.role, recording: found.recording.id, acts: shown }, () => {
      const rows = decisions.map(({ act, allowed, reason, until }) => [
        act,
        allowed ? 'yes' : 'no',
        reason ?? (until === null ? '' : `until ${localTime(until)}`),
      ]);

      return [table(['ACT', 'MAY', 'WHY'], rows)];
    });

    return 0;
  });
}

/** Makes a code that signs somebody in once. */
export async function usersCode(
  context: CommandContext,
  name: string,
  { minutes: text, json }: Json & { minutes: string },
): Promise<ExitCode> {
  requireName(name);
  const minutes = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (minutes < 1 || minutes > longestCodeMs / 60_000)
    throw new PreavisError('usage', '--minutes is a number from 1 to 60');

  return withCatalogue<ExitCode>(context, async (catalogue, { access }) => {
    const by = operatorOf(context.environment);
    const offered = await offerSignInCode({ catalogue, access, clock: context.clock }, { name, minutes, by });
    answer(context, json, { code: offered.code, endsAt: isoTime(offered.endsAt) }, () => [
      offered.code,
      `signs ${name} in once, until ${localTime(offered.endsAt)}`,
    ]);

    return 0;
  });
}

/** Ends all sessions of a user, or of somebody who came through the identity provider. */
export async function usersSignOut(context: CommandContext, name: string, { json }: Json): Promise<ExitCode> {
  if (!isOpenIdName(name)) requireName(name);

  return withCatalogue<ExitCode>(context, async (catalogue, { access }) => {
    const sessions = await endSessions({ catalogue }, name, operatorOf(context.environment));
    // One who is configured no more may have had some.
    if (sessions === 0 && !isOpenIdName(name)) requireUser(access, name);
    answer(context, json, { user: name, sessions }, () => [`${counted(sessions, 'session')} of ${name} ended`]);

    return 0;
  });
}

/** The form of the name of a user or token. Anything else goes into no audit trail, and is told back nowhere. */
function requireName(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    throw new PreavisError('usage', 'the name of a user has lower-case letters, digits and hyphens');
  }
}
