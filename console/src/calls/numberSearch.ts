import type { SearchGround } from '../../../src/access/searchGrounds.ts';

/**
 * A number that somebody looks for, and why. It is in the memory of this page alone, until they end the search, sign out, or load the page anew: never
 * in an address, in the history of the browser, or in what it keeps.
 */
export type NumberSearch = { number: string; ground: SearchGround; reference: string };

let kept: { user: string; search: NumberSearch } | undefined;

export const numberSearchOf = (user: string): NumberSearch | undefined =>
  kept?.user === user ? kept.search : undefined;

export function keepNumberSearch(user: string, search: NumberSearch | undefined): void {
  kept = search === undefined ? undefined : { user, search };
}

export function forgetNumberSearch(): void {
  kept = undefined;
}
