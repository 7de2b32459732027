import type { Actor } from '../access/actor.ts';
import { ownCalls } from '../config/controllerSchema.ts';
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
