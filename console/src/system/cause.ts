import type { Messages } from '../messages/en.ts';

/** Why the archive has not taken something, in words where there are words; null: it was not tried yet. */
export function causeText(failure: string | null, say: Messages): string {
  if (failure === null) return say.figures.untried;

  return (new Map(Object.entries(say.problems)).get(failure) ?? failure).replace(/\.$/, '');
}
