import { makePromptLibrary, type PromptLibrary, type PromptWording } from '../../../src/prompts/library.ts';
import { aPrompt, singlePrompts } from '../call/calls.ts';

/** Configuration trees and notices with purposes, for tests that are about them. */

export type PurposeTree = Record<string, unknown>;

/** A purpose that nothing is wrong with, in the two languages of `purposesConfig`. */
export function aPurpose(over: PurposeTree = {}): PurposeTree {
  return {
    names: { fr: 'formation', nl: 'opleiding' },
    justification: 'Team leaders listen to a few calls of each employee.',
    legalBasis: 'GDPR art. 6(1)(f)',
    jurisdiction: 'BE',
    consent: 'optOut',
    keepDays: 28,
    ...over,
  };
}

/** A configuration with these purposes and one line for all of them, unless lines are given. */
export function purposesConfig(
  purposes: Record<string, PurposeTree>,
  lines: Record<string, string[]> = { default: Object.keys(purposes) },
): Record<string, unknown> {
  return {
    notice: { languages: ['fr', 'nl'] },
    purposes,
    lines: Object.fromEntries(
      Object.entries(lines).map(([name, ids]) => [name, { purposes: ids, defaultLanguages: ['fr'] }]),
    ),
  };
}

/** A purpose and a storage sentence for each of these purposes, which promises so many days, and every question, in fr and nl. */
export function noticeLibrary(
  purposes: readonly string[],
  wording: PromptWording = 'may',
  days: number | null = 36_525,
): PromptLibrary {
  const languages = ['fr', 'nl'];
  const prompts = languages.flatMap((language) =>
    purposes.flatMap((purpose) => [
      aPrompt({ id: `notice-${purpose}`, language, purposes: [purpose], wording }),
      aPrompt({
        id: `keep-${purpose}`,
        language,
        kind: 'storage',
        purposes: [purpose],
        statesMaxDays: { [purpose]: days },
      }),
    ]),
  );

  return makePromptLibrary(languages, [...prompts, ...singlePrompts(languages)]);
}
