import { dayOf, daysBack, filtersIn, listAddress, type Filters } from './filters.ts';

/**
 * Filters under a name of their own. The API keeps none, so this browser does, for each user by themselves. A view that has a first day and no last
 * one is meant as it was seen: so many days back from today, whenever it is opened. So is yesterday alone.
 */

/** `lastDays` 0: yesterday alone. */
export type View = { name: string; filters: Filters; lastDays: number | undefined };

export const mostViews = 30;
export const longestName = 60;
const longestAddress = 1_000;
const dayMs = 86_400_000;

const keyOf = (user: string): string => `preavis.views.${user}`;

const noon = (day: string): number => new Date(`${day}T12:00:00`).getTime();

/** @param now ms since 1970 UTC */
export function viewOf(name: string, filters: Filters, now: number): View {
  const { from, to, ...rest } = filters;
  if (from === daysBack(1, now) && to === from) return { name, filters: rest, lastDays: 0 };
  if (from === undefined || to !== undefined) return { name, filters, lastDays: undefined };
  const lastDays = Math.round((noon(dayOf(new Date(now))) - noon(from)) / dayMs) + 1;

  // A day that is to come is no time back.
  return lastDays < 1 ? { name, filters, lastDays: undefined } : { name, filters: rest, lastDays };
}

/** The filters of a view as they are on this day. */
export function filtersNow({ filters, lastDays }: View, now: number): Filters {
  if (lastDays === undefined) return filters;
  const [yesterday, from] = [daysBack(1, now), daysBack(lastDays - 1, now)];

  return lastDays === 0 ? { ...filters, from: yesterday, to: yesterday } : { ...filters, from };
}

/** What stands in the browser may be old, or somebody else's: of it is taken what can be used. */
export function viewsIn(text: string | null): View[] {
  let found: unknown;
  try {
    found = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(found)) return [];

  return found.slice(0, mostViews).flatMap((each: unknown): View[] => {
    if (typeof each !== 'object' || each === null) return [];
    const { name, address, lastDays } = each as Record<string, unknown>;
    if (typeof name !== 'string' || name === '' || name.length > longestName) return [];
    if (typeof address !== 'string' || address.length > longestAddress) return [];
    const days = typeof lastDays === 'number' && Number.isInteger(lastDays) && lastDays >= 0 ? lastDays : undefined;

    return [{ name, filters: filtersIn(new URLSearchParams(address.split('?')[1] ?? '')), lastDays: days }];
  });
}

export const viewsText = (views: readonly View[]): string =>
  JSON.stringify(views.map(({ name, filters, lastDays }) => ({ name, address: listAddress(filters), lastDays })));

/** One of the same name takes the place of the one before. */
export const withView = (views: readonly View[], view: View): View[] =>
  [...views.filter(({ name }) => name !== view.name), view].toSorted((one, other) =>
    one.name.localeCompare(other.name),
  );

/** A browser may forbid to keep anything: then there are no views. */
export function keptViews(user: string): View[] {
  try {
    return viewsIn(localStorage.getItem(keyOf(user)));
  } catch {
    return [];
  }
}

export function keepViews(user: string, views: readonly View[]): void {
  try {
    localStorage.setItem(keyOf(user), viewsText(views));
  } catch {
    // They last until the page is left.
  }
}
