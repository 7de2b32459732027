import { parseConfig } from '../../../src/config/load.ts';
import { makePolicy, type Policy } from '../../../src/policy/policy.ts';
import { makePromptLibrary, type PromptLibrary } from '../../../src/prompts/library.ts';
import type { Config } from '../../../src/config/schema.ts';
import { aPrompt, configTree, singlePrompts } from '../call/calls.ts';

/** One purpose and one storage sentence for training and for agreement, and every question, in these languages. */
export function aLibrary(languages: readonly string[] = ['fr', 'nl', 'de', 'en']): PromptLibrary {
  const prompts = languages.flatMap((language) =>
    ['training', 'agreement'].flatMap((purpose) => [
      aPrompt({ id: `notice-${purpose}`, language, purposes: [purpose] }),
      aPrompt({
        id: `keep-${purpose}`,
        language,
        kind: 'storage',
        purposes: [purpose],
        statesMaxDays: { [purpose]: purpose === 'training' ? 31 : null },
      }),
    ]),
  );

  return makePromptLibrary(languages, [...prompts, ...singlePrompts(languages)]);
}

export function aPolicy(tree: unknown = configTree(), library: PromptLibrary = aLibrary()): Policy {
  const config: Config = parseConfig(tree);

  return makePolicy(config, library);
}
