import type { Call } from '../api/types.ts';
import type { Filters } from './filters.ts';

/** What the pages seen so far had, and what there is, to choose from. */
export type Known = {
  lines: readonly string[];
  purposes: readonly string[];
  languages: readonly string[];
  tags: readonly string[];
  /** Of calls of one company alone there is nothing to choose. */
  companies: readonly string[];
  /** Nor where all came to one. */
  pbxs: readonly string[];
};

type Seen = Pick<Call, 'line' | 'purposes' | 'languages' | 'controller' | 'pbx'> & {
  recording: Pick<NonNullable<Call['recording']>, 'tags'> | null;
};

export const sorted = (...names: readonly (string | null | undefined)[]): string[] =>
  [...new Set(names.filter((name) => typeof name === 'string'))].sort();

/** With what these calls have. What the filters say can be chosen as well: it may be of another day, or not be configured any more. */
export function withSeen(before: Known, calls: readonly Seen[], filters: Filters): Known {
  const { lines, purposes, languages, tags, companies, pbxs } = before;

  return {
    lines: sorted(...lines, filters.line, ...calls.map(({ line }) => line)),
    purposes: sorted(...purposes, filters.purpose, ...calls.flatMap((call) => call.purposes)),
    languages: sorted(...languages, filters.language, ...calls.flatMap((call) => call.languages)),
    tags: sorted(...tags, ...calls.flatMap(({ recording }) => recording?.tags ?? [])),
    companies: sorted(...companies, filters.controller, ...calls.map(({ controller }) => controller ?? 'own')),
    pbxs: sorted(...pbxs, filters.pbx, ...calls.map(({ pbx }) => pbx)),
  };
}
