import type { SubjectLanguage } from '../languages.ts';
import { german } from './german.ts';
import { english } from './english.ts';
import { french } from './french.ts';
import { dutch } from './dutch.ts';
import type { SubjectTexts } from './subjectTexts.ts';

export const texts: Readonly<Record<SubjectLanguage, SubjectTexts>> = {
  fr: french,
  nl: dutch,
  de: german,
  en: english,
};
