import type { PromptText } from '../../prompts/library.ts';
import type { VoiceKind } from '../../prompts/voices.ts';
import type { CheckResult } from './checklist.ts';

/** A machine that speaks is no fault, and no caller likes it. */
export function voiceFindings(
  languages: readonly string[],
  prompts: readonly Pick<PromptText, 'language' | 'made'>[],
): CheckResult[] {
  const offered = prompts.filter(({ language }) => languages.includes(language));
  const languagesOf = (kind: VoiceKind): string =>
    [...new Set(offered.filter(({ made }) => made === kind).map(({ language }) => language))].join(', ');
  const [placeholder, synthetic] = [languagesOf('placeholder'), languagesOf('synthetic')];
  const notes = [
    ...(placeholder === ''
      ? []
      : [
          `placeholder voice, spoken by a machine: ${placeholder}. Have a person speak the sentences (sounds/README.md)`,
        ]),
    ...(synthetic === ''
      ? []
      : [`synthetic voice: ${synthetic}. Listen to every sentence: no program hears whether it was said well`]),
  ];

  return notes.length === 0 ? [] : [{ check: 'voices', ok: true, notes }];
}
