import type { Messages } from '../messages/en.ts';
import type { Format } from '../text/format.ts';
import type { FilterName, Filters } from './filters.ts';

/** What a filter says in words. */
function textOf(name: FilterName, value: string, say: Messages, format: Format): string {
  const words: Partial<Record<FilterName, Readonly<Record<string, string>>>> = {
    result: say.results,
    reason: say.reasons,
    direction: say.list.directions,
    status: say.statuses,
    flag: say.flags,
  };
  if (name === 'held' || name === 'exemplary') return say.list[name];
  if (name === 'from' || name === 'to') return `${say.list[name]} ${format.day(`${value}T12:00:00`)}`;
  if (name === 'language') return `${say.list[name]}: ${format.languageName(value)}`;
  if (name === 'controller' && value === 'own') return `${say.list[name]}: ${say.figures.ownCompany}`;

  return `${say.list[name]}: ${words[name]?.[value] ?? value}`;
}

/** Of those that are set. */
export const filterTexts = (filters: Filters, say: Messages, format: Format): { name: FilterName; words: string }[] =>
  (Object.entries(filters) as [FilterName, string | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, words: textOf(name, value, say, format) }],
  );
