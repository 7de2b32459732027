import { law } from '../config/law.ts';
import { maximumDays } from '../config/purposeRules.ts';
import type { PurposeConfig } from '../config/purposeSchema.ts';
import { counted } from '../core/text/counted.ts';
import type { PromptText } from '../prompts/library.ts';

/** What sentences promise, against what the configuration keeps. */

/** What these rules ask of a sentence; a prompt may know more. */
export type Promising = Pick<
  PromptText,
  'id' | 'language' | 'kind' | 'keys' | 'statesMaxDays' | 'statesMinDays' | 'statesHeldDays'
>;

/**
 * Whether callers may be left without a number of days. The end of a dispute has no date (GDPR art. 13(2)(a): the criteria, where there is no
 * period); and where no law wants the time told before, it may be told elsewhere.
 */
const mayBeSilent = ({ kind, jurisdiction }: PurposeConfig): boolean =>
  kind === 'evidence' || law[jurisdiction][kind]?.tellsDuration === false;

/** One sentence, in all languages in which it promises the same: they are one fault. `where`: how a message names it. */
function alike(prompts: readonly Promising[]): { prompt: Promising; where: string }[] {
  const groups = new Map<string, { prompt: Promising; languages: string[] }>();
  for (const prompt of prompts) {
    const { id, language, kind, keys, statesMaxDays, statesMinDays, statesHeldDays } = prompt;
    const promise = JSON.stringify([id, kind, keys, statesMaxDays, statesMinDays, statesHeldDays]);
    const group = groups.get(promise);
    if (group === undefined) groups.set(promise, { prompt, languages: [language] });
    else group.languages.push(language);
  }

  return [...groups.values()].map(({ prompt, languages }) => ({
    prompt,
    where: `prompt ${prompt.id} (${languages.join(', ')})`,
  }));
}

function faultsOf(id: string, purpose: PurposeConfig, prompt: Promising, where: string): string[] {
  const { keepDays, holdsAllowed } = purpose;
  const faults: string[] = [];
  const most = prompt.statesMaxDays?.[id];
  if (most === null && !mayBeSilent(purpose)) {
    faults.push(
      `purposes.${id}: ${where} gives callers no number of days (statesMaxDays), and ${purpose.kind} in ${purpose.jurisdiction} must`,
    );
  }
  if (typeof most === 'number' && keepDays > most) {
    faults.push(`purposes.${id}.keepDays: ${counted(keepDays, 'day')} is longer than ${where} says (${most})`);
  }
  const least = prompt.statesMinDays?.[id];
  if (least !== undefined && keepDays < least) {
    faults.push(`purposes.${id}.keepDays: ${counted(keepDays, 'day')} is shorter than ${where} says (${least})`);
  }
  const held = prompt.statesHeldDays?.[id];
  if (held === undefined) return faults;
  if (!holdsAllowed)
    faults.push(`purposes.${id}.holdsAllowed: must be true, since ${where} says that it may be kept longer`);
  const longest = maximumDays(purpose);
  if (longest !== undefined && held > longest) {
    faults.push(`purposes.${id}.maximumDays: ${counted(longest, 'day')} is shorter than ${where} says (${held})`);
  }

  return faults;
}

/** A purpose is kept neither longer nor less long than a sentence of its notice promises, and each says for how long where the law wants it. */
export function keepFaults(purposes: ReadonlyMap<string, PurposeConfig>, prompts: readonly Promising[]): string[] {
  return alike(prompts).flatMap(({ prompt, where }) =>
    Object.keys(prompt.statesMaxDays ?? {}).flatMap((id) => {
      const purpose = purposes.get(id);

      return purpose === undefined ? [] : faultsOf(id, purpose, prompt, where);
    }),
  );
}

/** A sentence that names the company, or its website, is true on the lines of one company. */
export function companyFaults(
  lines: Readonly<Record<string, { controller?: string | undefined }>>,
  prompts: readonly Promising[],
): string[] {
  const companies = new Set(Object.values(lines).map(({ controller }) => controller));
  if (companies.size < 2) return [];

  return alike(prompts).flatMap(({ prompt: { kind }, where }) =>
    kind === 'company' || kind === 'more'
      ? [`${where} speaks of one company, and the lines belong to several (lines.*.controller)`]
      : [],
  );
}

/** A sentence that tells the code of refusal tells the one that is obeyed. */
export function codeFaults(featureCode: string, prompts: readonly Promising[]): string[] {
  return alike(prompts).flatMap(({ prompt: { kind, keys }, where }) =>
    kind !== 'refuseLater' || keys?.code === featureCode
      ? []
      : [`consent.featureCode: ${featureCode} is another code than ${where} tells (${keys?.code ?? 'none'})`],
  );
}
