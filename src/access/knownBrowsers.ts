import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { dayMs, isWronglyAhead, type Clock } from '../core/clock.ts';
import { makeFieldCipher } from '../core/crypto/fieldEncryption.ts';

/**
 * Browsers that somebody has signed in with, by a cookie that says so and lets nobody in (OWASP, "Slow Down Online Guessing Attacks with Device
 * Cookies"). Failures of others do not count for them. Such a cookie is of one user, and ends with the password that they signed in with.
 */

/** After so long without a sign-in a browser is not known any more, days. */
export const knownForDays = 90;
const knownForMs = knownForDays * dayMs;

const browser = z.object({ id: z.string(), name: z.string(), credential: z.string(), endsAt: z.number() });

type KnownBrowser = { id: string; name: string; credential: string };

export type KnownBrowsers = {
  /** @param credential what stands for their password and second factor */
  seal(of: { name: string; credential: string }): string;
  /** undefined: it is none, or not any more. */
  open(sealed: string | undefined): KnownBrowser | undefined;
};

const place = 'browser';

/** @param secret that all processes of an installation share */
export function makeKnownBrowsers(clock: Clock, secret: string): KnownBrowsers {
  const cipher = makeFieldCipher(secret, 'preavis web known browser');

  return {
    seal: ({ name, credential }) => {
      const id = randomBytes(16).toString('base64url');
      const made: z.output<typeof browser> = { id, name, credential, endsAt: clock.now() + knownForMs };

      return cipher.encrypt(JSON.stringify(made), place);
    },
    open: (sealed) => {
      const text = sealed === undefined ? undefined : cipher.decrypt(sealed, place);
      if (text === undefined) return undefined;
      const { data } = browser.safeParse(JSON.parse(text));
      if (data === undefined) return undefined;
      const { endsAt, ...known } = data;

      const now = clock.now();

      // Longer than it can be from now: the clock was set back since.
      return endsAt > now && !isWronglyAhead(endsAt - knownForMs, now) ? known : undefined;
    },
  };
}
