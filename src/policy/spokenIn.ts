import type { ConsentMode } from '../config/consent.ts';
import type { OptionalKind, Prompt, SingleKind } from '../prompts/library.ts';

type Sentences = {
  notice(purposes: readonly string[], language: string): readonly Prompt[] | undefined;
  sentence(kind: SingleKind, language: string): Prompt | undefined;
};

/** The same sentences, with a shorter notice for who has heard the whole one lately. */
export const shortened = (policy: Sentences): Sentences => ({
  notice: (_purposes, language) => {
    const again = policy.sentence('again', language);

    return again && [again];
  },
  sentence: (kind, language) => policy.sentence(kind, language),
});

/** A newcomer comes into a talk: the code that refuses while they talk is the caller's. */
type Hearer = 'caller' | 'newcomer';

const optionalBehind = (mode: ConsentMode, hearer: Hearer): readonly OptionalKind[] =>
  mode === 'announce' || hearer === 'newcomer' ? ['more'] : ['more', 'refuseLater'];

/**
 * All that is said in one language before the talk, in order: whose call it is, the notice, where more is to be read, the code that refuses
 * later, the question. The question is last, since its key is waited for. What a language lacks of the optional sentences is left out.
 */
export function spokenIn(
  policy: Sentences,
  purposes: readonly string[],
  language: string,
  mode: ConsentMode,
  hearer: Hearer = 'caller',
): Prompt[] {
  const single = (kind: OptionalKind | 'optOut' | 'optIn'): Prompt[] => {
    const prompt = policy.sentence(kind, language);

    return prompt === undefined ? [] : [prompt];
  };

  return [
    ...single('company'),
    ...(policy.notice(purposes, language) ?? []),
    ...optionalBehind(mode, hearer).flatMap(single),
    ...(mode === 'announce' ? [] : single(mode)),
  ];
}
