import { makeIdentityProvider } from '../access/identityProvider.ts';
import { makePendingSignIns } from '../access/pendingSignIn.ts';
import { useSession, signOut } from '../access/sessions.ts';
import { signIn, signInByOpenId } from '../access/signIn.ts';
import { actorOfToken } from '../access/users.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { AccessConfig } from '../config/accessSchema.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import type { AccessPort, OpenIdPort } from './ports.ts';

/** Who may come in, by the configuration and the sessions of the catalogue. */
export function makeAccess({
  config: { access },
  catalogue,
  clock,
  webKey,
}: {
  config: Pick<Config, 'access'>;
  catalogue: Catalogue;
  clock: Clock;
  webKey: string;
}): AccessPort {
  const ports = { access, catalogue, clock };

  return {
    actorOf: async ({ token, session }, { isUse } = { isUse: true }) => {
      if (token !== undefined) return actorOfToken(access, token, clock.now());

      return session === undefined ? undefined : (await useSession(ports, session, isUse))?.actor;
    },
    signIn: async ({ user, password, code, address }) => {
      if (!access.passwordSignIn) {
        throw new PreavisError('sign_in_refused', 'nobody signs in by password here (access.passwordSignIn)');
      }
      const given = await signIn(ports, { name: user, password, code, address });
      switch (given.kind) {
        case 'signedIn':
          return { actor: given.actor, secret: given.secret, until: given.endsAt };
        case 'codeNeeded':
          throw new PreavisError('sign_in_code_needed', 'the code of the second factor is missing');
        case 'refused':
        case 'lockedOut':
          // Who is locked out is not told so: it would say that the user exists, or that the next password may be right.
          throw new PreavisError('sign_in_refused', 'user, password or code is wrong, or too many attempts were made');
      }
    },
    signOut: async (session) => {
      await signOut(ports, session, 'here');
    },
    openId: makeOpenId({ ...ports, webKey }),
  };
}

/** undefined: nobody signs in so. */
function makeOpenId({
  access,
  catalogue,
  clock,
  webKey,
}: {
  access: AccessConfig;
  catalogue: Catalogue;
  clock: Clock;
  webKey: string;
}): OpenIdPort | undefined {
  const { openId } = access;
  if (openId === undefined) return undefined;
  const provider = makeIdentityProvider(openId, clock);
  const pending = makePendingSignIns(clock, webKey);

  return {
    begin: async ({ redirectUrl, to }) => {
      const { address, expected } = await provider.begin(redirectUrl);

      return { address, kept: await pending.seal({ ...expected, to }) };
    },
    finish: async (answer, kept) => {
      const { to, ...expected } = await pending.open(kept);
      const claims = await provider.finish(answer, expected);
      const { actor, secret, endsAt } = await signInByOpenId(
        { catalogue, clock, access: { ...access, openId } },
        claims,
      );

      return { actor, secret, until: endsAt, to };
    },
    signOutAddress: (after) => provider.signOutAddress(after),
  };
}
