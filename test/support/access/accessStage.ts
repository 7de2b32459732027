import type { Actor } from '../../../src/access/actor.ts';
import { makeKnownBrowsers } from '../../../src/access/knownBrowsers.ts';
import { hashPassword } from '../../../src/access/password.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { configTree } from '../call/calls.ts';
import type { TestClock } from '../catalogue/catalogues.ts';

export const password = 'correct horse battery';
/** Of RFC 6238, appendix B. */
export const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

let kept: Promise<string> | undefined;

/** A configuration with these users, who all have the same password. */
export async function configWithUsers(
  users: Record<string, Record<string, unknown>>,
  more: Record<string, unknown> = {},
  purposes: Record<string, Record<string, unknown>> = {},
): Promise<Config> {
  kept ??= hashPassword(password);
  const passwordHash = await kept;
  const tree = { ...configTree() } as { purposes: Record<string, object> };
  const all = Object.entries(users).map(([name, user]) => [name, { passwordHash, ...user }]);
  const named = Object.entries(tree.purposes).map(([id, each]) => [id, { ...each, ...purposes[id] }]);

  return parseConfig({
    ...tree,
    purposes: Object.fromEntries(named) as unknown,
    access: { users: Object.fromEntries(all) as unknown, ...more },
  });
}

/** What the services of access need. */
export function accessPorts(catalogue: Catalogue, config: Config, clock: TestClock) {
  const extensionOf = (): Promise<string> => Promise.resolve('101');

  const known = makeKnownBrowsers(clock, 'k'.repeat(43));

  return { catalogue, config, access: config.access, clock, ids: makeIds(), extensionOf, known };
}

export const actorNamed = (name: string, role: Actor['role']): Actor => ({
  name: `user:${name}`,
  role,
  lines: undefined,
  extensions: undefined,
  purposes: undefined,
});
