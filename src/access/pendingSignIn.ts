import { hkdfSync } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import * as z from 'zod';
import { isWronglyAhead, type Clock } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';

/**
 * A sign-in that goes on at the identity provider, as the browser keeps it: encrypted, so that a stranger who begins thousands of them
 * fills no memory here. The key is of the installation: whichever of its processes they come back to knows them, also after a restart.
 */

const pending = z.object({
  state: z.string().min(1),
  nonce: z.string().min(1),
  verifier: z.string().min(1),
  /** Where they go afterwards. */
  to: z.string(),
});
type PendingSignIn = z.output<typeof pending>;

/** For typing a password and a code at the provider, s. */
export const pendingSeconds = 600;

export type PendingSignIns = {
  seal(signIn: PendingSignIn): Promise<string>;
  /** Throws sign_in_expired. */
  open(sealed: string | undefined): Promise<PendingSignIn>;
};

/** @param secret that all processes of an installation share */
export function makePendingSignIns(clock: Clock, secret: string): PendingSignIns {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'preavis web pending sign-in', 32));

  return {
    seal: (signIn) =>
      new EncryptJWT({ ...signIn })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setIssuedAt(Math.floor(clock.now() / 1_000))
        .setExpirationTime(Math.floor(clock.now() / 1_000) + pendingSeconds)
        .encrypt(key),
    open: async (sealed) => {
      if (sealed === undefined) throw new PreavisError('sign_in_expired', 'this browser has begun no sign-in');
      try {
        const { payload } = await jwtDecrypt(sealed, key, {
          currentDate: new Date(clock.now()),
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp', 'iat'],
        });
        if (isWronglyAhead((payload.iat ?? 0) * 1_000, clock.now())) throw new Error('the clock was set back since');

        return pending.parse(payload);
      } catch (cause) {
        throw new PreavisError('sign_in_expired', 'what this browser has begun is over', { cause });
      }
    },
  };
}
