import type { Actor } from '../access/actor.ts';
import { isCollectionOf } from '../config/annotationSchema.ts';
import { ownCalls } from '../config/controllerSchema.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { refusal } from './problems.ts';

/**
 * The companies whose calls a report counts, as the catalogue has them: '' is none of `controllers`. undefined: all.
 *
 * @throws PreavisError `access_refused` for who sees some companies, and names none of them
 */
export function companiesCounted({ controllers }: Actor, asked: string | undefined): string[] | undefined {
  if (controllers !== undefined && (asked === undefined || !controllers.includes(asked))) throw refusal('company');
  if (asked === undefined) return undefined;

  return [asked === ownCalls ? '' : asked];
}

/**
 * One that is for other companies is as one that is not there: its name is theirs.
 *
 * @param companies whose recordings are meant, with `own`; undefined: all
 * @throws PreavisError `address_unknown`
 */
export function requireCollection(
  name: string,
  companies: readonly string[] | undefined,
  { annotation: { collections } }: Pick<Config, 'annotation'>,
): void {
  const collection = Object.hasOwn(collections, name) ? collections[name] : undefined;
  if (collection === undefined || !isCollectionOf(collection, companies)) {
    throw new PreavisError('address_unknown', 'there is no collection of this name');
  }
}
