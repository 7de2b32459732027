import { makeIdentityProvider } from '../access/identityProvider.ts';
import { makeKnownBrowsers } from '../access/knownBrowsers.ts';
import { makePendingSignIns } from '../access/pendingSignIn.ts';
import { useSession, signOut } from '../access/sessions.ts';
import {
  knownPlaceOf,
  signIn,
  signInByCode,
  signInByOpenId,
  type BrowserPorts,
  type SignIn,
} from '../access/signIn.ts';
import { actorOfToken } from '../access/users.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
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
  const known = makeKnownBrowsers(clock, webKey);
  const ports = { access, catalogue, clock, known };

  return {
    actorOf: async ({ token, session }, { isUse } = { isUse: true }) => {
      if (token !== undefined) return actorOfToken(access, token, clock.now());

      return session === undefined ? undefined : (await useSession(ports, session, isUse))?.actor;
    },
    signIn: async ({ user, password, code, address, browser }) => {
      if (!access.passwordSignIn) {
        throw new PreavisError('sign_in_refused', 'nobody signs in by password here (access.passwordSignIn)');
      }

      return signedIn(await signIn(ports, { name: user, password, code, address, browser }));
    },
    signInByCode: async (given) => signedIn(await signInByCode(ports, given)),
    knownBrowser: (kept) => knownPlaceOf(ports, kept),
    signOut: async (session, where) => {
      await signOut(ports, session, where);
    },
    openId: makeOpenId(ports, webKey),
  };
}

function signedIn(given: SignIn): Awaited<ReturnType<AccessPort['signIn']>> {
  switch (given.kind) {
    case 'signedIn':
      return { actor: given.actor, secret: given.secret, until: given.endsAt, browser: given.browser };
    case 'codeNeeded':
      throw new PreavisError('sign_in_code_needed', 'the code of the second factor is missing');
    case 'refused':
    case 'lockedOut':
      // Who is locked out is not told so: it would say that the user exists, or that the next password may be right.
      throw new PreavisError('sign_in_refused', 'user, password or code is wrong, or too many attempts were made');
  }
}

/** undefined: nobody signs in so. */
function makeOpenId({ access, catalogue, clock, known }: BrowserPorts, webKey: string): OpenIdPort | undefined {
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
      const { actor, secret, endsAt, browser } = await signInByOpenId(
        { catalogue, clock, known, access: { ...access, openId } },
        claims,
      );

      return { actor, secret, until: endsAt, browser, to };
    },
    signOutAddress: (after) => provider.signOutAddress(after),
  };
}
