import { isSupportedCountry } from 'libphonenumber-js/max';
import { isWeaker, mixFault, possibleModes, type ConsentPurpose } from './consent.ts';
import { law } from './law.ts';
import type { LineConfig, PurposeConfig } from './schema.ts';

/** What purposes and lines must not say. Rules that need the sentences of the notice are in noticeRules.ts. */

export type Fault = { path: (string | number)[]; message: string };

/** The name of a purpose in a language; that of `fr` serves `fr_BE`. */
export function purposeName(purpose: Pick<PurposeConfig, 'names'>, language: string): string | undefined {
  return purpose.names[language] ?? purpose.names[language.split('_')[0] ?? language];
}

/** The longest time that recordings may be kept, days: the purpose's own, or that of the law. */
export function maximumDays({ maximumDays, jurisdiction, kind }: PurposeConfig): number | undefined {
  return maximumDays ?? law[jurisdiction][kind].maximumDays;
}

export function purposeFaults(id: string, purpose: PurposeConfig, languages: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  const add = (key: string, message: string): void => {
    faults.push({ path: ['purposes', id, key], message });
  };
  const { jurisdiction, kind, keepDays, consent, optInForCountries } = purpose;
  const rule = law[jurisdiction][kind];
  const where = `${kind} in ${jurisdiction}`;

  const unnamed = languages.filter((language) => purposeName(purpose, language) === undefined);
  if (unnamed.length > 0) add('names', `lacks a name in ${unnamed.join(', ')}, languages of the notice`);

  if (rule.maximumDays !== undefined && (purpose.maximumDays ?? 0) > rule.maximumDays) {
    add('maximumDays', `is more than the ${rule.maximumDays} days for ${where} (${rule.source})`);
  }
  const most = maximumDays(purpose);
  if (most !== undefined && keepDays > most) {
    const why = purpose.maximumDays === undefined ? ` for ${where} (${rule.source})` : ' of maximumDays';
    add('keepDays', `is longer than the ${most} days${why}`);
  }

  if (isWeaker(consent, rule.leastConsent)) {
    add('consent', `is not enough, ${where} needs ${rule.leastConsent} (${rule.source})`);
  }
  if (kind === 'obligation') {
    if (consent !== 'announce') add('consent', 'must be announce: what the law wants recorded cannot be refused');
    if (optInForCountries.length > 0) {
      add('optInForCountries', 'must be empty: what the law wants recorded cannot be refused');
    }
    if (purpose.recordPercent < 100) add('recordPercent', 'must be 100: the law wants every such call recorded');
  }
  for (const country of optInForCountries) {
    if (!isSupportedCountry(country)) add('optInForCountries', `has ${country}, which is not a country`);
  }

  return faults;
}

/** Purposes that a line names but that are not there are another rule's matter (makePolicy). */
export function lineMixFaults(
  name: string,
  line: LineConfig,
  purposes: Readonly<Record<string, PurposeConfig>>,
): Fault[] {
  const message = mixFault(
    line.purposes.flatMap((id): ConsentPurpose[] => {
      const purpose = Object.hasOwn(purposes, id) ? purposes[id] : undefined;
      return purpose === undefined ? [] : [{ id, ...purpose }];
    }),
  );

  return message === undefined ? [] : [{ path: ['lines', name, 'purposes'], message }];
}

/** Why a sentence must not say that calls with these purposes *are* recorded, or undefined when it may. */
export function notAlwaysRecorded(
  purposes: readonly (ConsentPurpose & Pick<PurposeConfig, 'recordPercent'>)[],
): string | undefined {
  const sampled = purposes.find(({ recordPercent }) => recordPercent < 100);
  if (sampled !== undefined) return `${sampled.id} records ${sampled.recordPercent} % of its calls`;

  return possibleModes(purposes).some((mode) => mode !== 'announce') ? 'the caller may refuse' : undefined;
}
