import type { Actor } from './actor.ts';

type Scopes = Pick<Actor, 'role' | 'lines' | 'controllers' | 'extensions' | 'purposes'>;

/** What somebody may see, of what the configuration says of them. */
export const scopesOf = ({
  role,
  lines,
  controllers,
  extensions,
  purposes,
}: Pick<Scopes, 'role'> & Partial<Scopes>): Scopes => ({
  role,
  lines,
  controllers,
  extensions,
  purposes,
});
