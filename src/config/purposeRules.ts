import { isWeaker, mixFault, possibleModes, type ConsentPurpose } from './consent.ts';
import { isCountry } from '../core/countries.ts';
import { law, type LawRule } from './law.ts';
import type { LineConfig, PurposeConfig } from './purposeSchema.ts';
import { counted } from '../core/text/counted.ts';
import { inLanguage, languagesWithout, wordingsOf, type LocalText } from '../core/text/inLanguage.ts';

/** What purposes and lines must not say. Rules that need the sentences of the notice are in noticeRules.ts. */

export type Fault = { path: (string | number)[]; message: string };

/** The purpose of this id, which may come from a call of long ago: undefined for one that is not, or no longer, configured. */
export function purposeOf<T>(purposes: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.hasOwn(purposes, id) ? purposes[id] : undefined;
}

/** The name of a purpose in a language; that of `fr` serves `fr_BE`. */
function purposeName(purpose: Pick<PurposeConfig, 'names'>, language: string): string | undefined {
  return purpose.names[language] ?? purpose.names[language.split('_')[0] ?? language];
}

/** The same by its id, which may be of a purpose that is no longer configured. */
export function nameOfPurpose(
  purposes: Readonly<Record<string, Pick<PurposeConfig, 'names'>>>,
  id: string,
  language: string,
): string | undefined {
  const purpose = purposeOf(purposes, id);

  return purpose && purposeName(purpose, language);
}

/** What a line is called in a language, or its id, which may be of one that is no longer configured. */
export function nameOfLine(
  lines: Readonly<Record<string, Pick<LineConfig, 'names'>>>,
  id: string,
  language: string,
): string {
  const names = purposeOf(lines, id)?.names;

  return names === undefined ? id : inLanguage(names, language);
}

/** By the purposes of today: a name that is not one of them allows none. */
export function makeHoldsAllowed({
  purposes,
}: {
  purposes: Readonly<Record<string, Pick<PurposeConfig, 'holdsAllowed'>>>;
}): (purpose: string) => boolean {
  return (purpose) => purposeOf(purposes, purpose)?.holdsAllowed === true;
}

/** The longest time that recordings may be kept, days: the purpose's own, or that of the law, or what is usual. */
export function maximumDays({ maximumDays, jurisdiction, kind }: PurposeConfig): number | undefined {
  const rule = law[jurisdiction][kind];

  return maximumDays ?? rule?.maximumDays ?? rule?.usualDays;
}

/** GDPR art. 6(1)(c) as it is written in one language or another: art. 6.1.c, Art. 6 Abs. 1 lit. c, article 6, § 1, c). */
const obligationBasis = /\b6\b[^0-9;]{0,20}\b1\b[^0-9;]{0,20}\bc\b/;

/** The languages of the notice that a text of the company lacks. */
export function wordingFaults(path: string[], text: LocalText | undefined, languages: readonly string[]): Fault[] {
  const missing = text === undefined ? [] : languagesWithout(text, languages);
  if (missing.length === 0) return [];

  return [{ path, message: `lacks a text in ${missing.join(', ')}, languages of the notice` }];
}

type Add = (key: string, message: string) => void;

function storageFaults(purpose: PurposeConfig, rule: LawRule, where: string, add: Add): void {
  const { keepDays } = purpose;
  if (rule.maximumDays !== undefined && (purpose.maximumDays ?? 0) > rule.maximumDays) {
    add('maximumDays', `is more than the ${counted(rule.maximumDays, 'day')} for ${where} (${rule.source})`);
  }
  if (rule.minimumDays !== undefined && keepDays < rule.minimumDays) {
    add(
      'keepDays',
      `is shorter than the ${counted(rule.minimumDays, 'day')} that the law wants for ${where} (${rule.source})`,
    );
  }
  const most = maximumDays(purpose);
  if (most !== undefined && keepDays > most) {
    const ofLaw =
      rule.maximumDays === undefined
        ? ` usual for ${where}; where counsel allows more, set maximumDays`
        : ` for ${where} (${rule.source})`;
    add(
      'keepDays',
      `is longer than the ${counted(most, 'day')}${purpose.maximumDays === undefined ? ofLaw : ' of maximumDays'}`,
    );
  }
  if (purpose.holdsAllowed && !rule.holds) {
    add('holdsAllowed', `must be false for ${where}: what is kept for a dispute is kept for another purpose`);
  }
}

/** How many calls, where an authority wants no more than a sample. */
function sampleFaults(
  { recordPercent, checkedByCounsel }: PurposeConfig,
  rule: LawRule,
  where: string,
  add: Add,
): void {
  const { usualPercent = 100, source } = rule;
  if (recordPercent <= usualPercent || checkedByCounsel) return;
  add(
    'recordPercent',
    `is more than the ${usualPercent} % proposed for ${where} (${source}); where counsel allows more, set checkedByCounsel`,
  );
}

function consentFaults(purpose: PurposeConfig, rule: LawRule, where: string, add: Add): void {
  const { kind, consent, optInForCountries } = purpose;
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
  if (purpose.whenUnrecordable === 'turnAway' && kind !== 'obligation') {
    add(
      'whenUnrecordable',
      'must be goOn: only a caller whom the law wants recorded (kind obligation) may be turned away',
    );
  }
  if (rule.needsObligation && !wordingsOf(purpose.legalBasis).every((text) => obligationBasis.test(text))) {
    add('legalBasis', 'must name GDPR art. 6(1)(c), the legal obligation, for kind obligation');
  }
  for (const country of optInForCountries) {
    if (!isCountry(country)) add('optInForCountries', `has ${country}, which is not a country`);
  }
}

export function purposeFaults(id: string, purpose: PurposeConfig, languages: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  const add: Add = (key, message) => {
    faults.push({ path: ['purposes', id, key], message });
  };
  const { jurisdiction, kind } = purpose;
  const unnamed = languages.filter((language) => purposeName(purpose, language) === undefined);
  if (unnamed.length > 0) add('names', `lacks a name in ${unnamed.join(', ')}, languages of the notice`);
  for (const key of ['justification', 'legalBasis'] as const) {
    faults.push(...wordingFaults(['purposes', id, key], purpose[key], languages));
  }

  const rule = law[jurisdiction][kind];
  if (rule === undefined) {
    add('jurisdiction', `${jurisdiction} is for obligation only; ${kind} is under the law of a country`);

    return faults;
  }
  const where = `${kind} in ${jurisdiction}`;
  storageFaults(purpose, rule, where, add);
  sampleFaults(purpose, rule, where, add);
  consentFaults(purpose, rule, where, add);

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
      const purpose = purposeOf(purposes, id);
      return purpose === undefined ? [] : [{ id, ...purpose }];
    }),
  );

  return message === undefined ? [] : [{ path: ['lines', name, 'purposes'], message }];
}

/** Lines that record a whole talk, where an authority wants only the part of it in which an agreement is made. */
export function lineLawFaults(
  name: string,
  { purposes: ids, records }: LineConfig,
  purposes: Readonly<Record<string, PurposeConfig>>,
): Fault[] {
  if (records === 'onRequest') return [];

  return ids.flatMap((id) => {
    const purpose = purposeOf(purposes, id);
    if (purpose === undefined || purpose.checkedByCounsel) return [];
    const { jurisdiction, kind } = purpose;
    const why = law[jurisdiction][kind]?.onlyFromAgreement;
    if (why === undefined) return [];
    const message = `must be onRequest for ${id}, which is ${kind} in ${jurisdiction} (${why}); where counsel allows the whole talk, set purposes.${id}.checkedByCounsel`;

    return [{ path: ['lines', name, 'records'], message }];
  });
}

/** Why a sentence must not say that calls with these purposes *are* recorded, or undefined when it may. */
export function notAlwaysRecorded(
  purposes: readonly (ConsentPurpose & Pick<PurposeConfig, 'recordPercent'>)[],
): string | undefined {
  const sampled = purposes.find(({ recordPercent }) => recordPercent < 100);
  if (sampled !== undefined) return `${sampled.id} records ${sampled.recordPercent} % of its calls`;

  return possibleModes(purposes).some((mode) => mode !== 'announce') ? 'the caller may refuse' : undefined;
}
