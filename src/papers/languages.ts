/** The languages that there are papers in. */
export const paperLanguages = ['fr', 'nl', 'de', 'en'] as const;
export type PaperLanguage = (typeof paperLanguages)[number];
