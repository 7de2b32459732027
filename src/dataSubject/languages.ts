/** The languages that a person can be told in what is kept of them. */
export const subjectLanguages = ['fr', 'nl', 'de', 'en'] as const;
export type SubjectLanguage = (typeof subjectLanguages)[number];
