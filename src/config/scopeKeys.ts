import * as z from 'zod';
import { ownCalls } from './controllerSchema.ts';
import { key, name } from './field.ts';
import { roles } from './roles.ts';

/** What somebody sees, as users, tokens and rules of OpenID Connect have it. */
export const whatTheySee = {
  role: key(
    z.enum(roles),
    'What they are for: coach, legal, officer, operator, auditor or admin (docs/access.md has what each may do).',
  ),
  lines: key(z.array(name).min(1).optional(), 'The lines whose calls they see; default: all.'),
  controllers: key(
    z.array(name).min(1).optional(),
    `The companies whose calls they see, by their names in controllers, or ${ownCalls}; default: all.`,
  ),
  extensions: key(
    z.array(z.string('must be in quotes, such as "101"').min(1).max(40)).min(1).optional(),
    'The extensions whose calls they see, their own or those of a team; default: all.',
  ),
  purposes: key(
    z.array(name).min(1).optional(),
    'The purposes whose recordings they see; default: all. What they hear of them, mayListen says.',
  ),
};
