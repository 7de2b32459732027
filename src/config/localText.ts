import * as z from 'zod';

export const languageTag = z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'is not a language tag such as fr or fr_BE');

export const isLanguageTag = (text: string): boolean => languageTag.safeParse(text).success;

/** A text of the company, or one for each language of its readers (core/text/inLanguage.ts). */
export const localText = (text: z.ZodString, missing = 'is missing') =>
  z.union([text, z.record(languageTag, text).refine((all) => Object.keys(all).length > 0, 'has no text')], {
    error: ({ input }) =>
      input === undefined ? missing : 'must be a text, or one for each language such as { fr: ..., nl: ... }',
  });
