import { fill } from '../text/fill.ts';
import type { Speech } from '../text/say.tsx';
import type { FilterName, Filters } from './filters.ts';

/** What a filter says in words. */
function textOf(name: FilterName, value: string, { say, format, purposeName, lineName, companyName }: Speech): string {
  const words: Partial<Record<FilterName, Readonly<Record<string, string>>>> = {
    result: say.results,
    reason: say.reasons,
    direction: say.list.directions,
    status: say.statuses,
    flag: say.flags,
  };
  if (name === 'held' || name === 'exemplary') return say.list[name];
  if (name === 'from' || name === 'to') return `${say.list[name]} ${format.namedDay(value)}`;
  const ways: Partial<Record<FilterName, (value: string) => string>> = {
    language: format.languageName,
    line: lineName,
    purpose: purposeName,
    controller: companyName,
  };

  return fill(say.list.named, { name: say.list[name], value: ways[name]?.(value) ?? words[name]?.[value] ?? value });
}

/** Of those that are set. */
export const filterTexts = (filters: Filters, speech: Speech): { name: FilterName; words: string }[] =>
  (Object.entries(filters) as [FilterName, string | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, words: textOf(name, value, speech) }],
  );
