/** The languages that the console speaks, each by its own name. */
export const languages = { fr: 'Français', nl: 'Nederlands', de: 'Deutsch', en: 'English' } as const;
export type Language = keyof typeof languages;

export const isLanguage = (tag: string): tag is Language => Object.hasOwn(languages, tag);

/** What was chosen before, else the first of the browser's that there is, else English. */
export function languageOf(chosen: string | null, wanted: readonly string[]): Language {
  const tags = [chosen ?? '', ...wanted].map((tag) => tag.toLowerCase().split('-')[0] ?? '');

  return tags.find(isLanguage) ?? 'en';
}
