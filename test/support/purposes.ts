import { makePromptLibrary, type Prompt, type PromptLibrary } from '../../src/config/prompts.ts';

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

export type Wording = 'may' | 'is';

/** A purpose and a storage sentence for each of these purposes, in fr and nl. */
export function noticeLibrary(purposes: readonly string[], wording: Wording = 'may'): PromptLibrary {
  const languages = ['fr', 'nl'];
  const prompts = languages.flatMap((language) =>
    purposes.flatMap((purpose): (Prompt & { wording?: Wording })[] => [
      { ...sentence(`notice-${purpose}`, language, purpose), kind: 'purpose', wording },
      {
        ...sentence(`keep-${purpose}`, language, purpose),
        kind: 'storage',
        statesMaxDays: { [purpose]: null },
      },
    ]),
  );

  return makePromptLibrary(languages, prompts);
}

function sentence(id: string, language: string, purpose: string): Omit<Prompt, 'kind'> {
  return {
    id,
    language,
    text: `${id} in ${language}`,
    purposes: [purpose],
    statesMaxDays: null,
    sha256: '0'.repeat(64),
    lengthMs: 1_000,
    soundName: `preavis/${id}`,
  };
}
