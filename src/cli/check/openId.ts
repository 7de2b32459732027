import type { OpenIdConfig } from '../../config/openIdSchema.ts';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import { failed, type CheckResult } from './checklist.ts';

const check = 'sign-in through the identity provider';

/** What a person, or somebody beside them, can change: whoever takes the name of somebody who has left would have their access. */
const changing: readonly string[] = ['email', 'name', 'nickname', 'preferred_username', 'unique_name', 'upn'];

/** What lets in other people than was meant, or nobody. */
function doubts({ rules, accounts, scopes }: OpenIdConfig): string[] {
  const byName = Object.entries(rules).flatMap(([id, { claim }]) =>
    claim !== undefined && changing.includes(claim) ? [`${id} (${claim})`] : [],
  );

  return [
    ...(byName.length === 0
      ? []
      : [`rules look at what can change, or become somebody else's: ${byName.join(', ')}. Take a group or a role`]),
    ...(accounts.emailDomains === undefined || scopes.includes('email')
      ? []
      : ['accounts.emailDomains needs an address, and scopes do not have email: some providers then send none']),
  ];
}

/** Whether the provider answers and is the one that is configured, and what must be registered there. undefined: nobody signs in so. */
export async function openIdFinding({ access, web }: Config, clock: Clock): Promise<CheckResult | undefined> {
  const { openId } = access;
  if (openId === undefined) return undefined;
  // Only who needs it loads it.
  const { makeIdentityProvider } = await import('../../access/identityProvider.ts');
  const { redirectUrlOf } = await import('../../web/redirectUrl.ts');
  try {
    const { issuer, signsOut } = await makeIdentityProvider(openId, clock).facts();
    const url = web.publicUrl ?? (web.listen === undefined ? undefined : `http://${web.listen}`);
    const warning = doubts(openId).join('; ');

    return {
      check,
      ok: true,
      facts: {
        issuer,
        'address to register there': url === undefined ? 'none: web.listen is not set' : redirectUrlOf(new URL(url)),
      },
      ...(signsOut ? {} : { notes: ['it has no place to sign out: who signs out here stays signed in there'] }),
      ...(warning === '' ? {} : { warning }),
    };
  } catch (thrown) {
    return failed(check, thrown);
  }
}
