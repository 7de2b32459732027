import type { ExplanationLanguage } from '../../../src/evidence/bundle/format.ts';
import { loadExplanationTexts, type ExplanationTexts } from '../../../src/evidence/bundle/page/texts.ts';

/** What the pages of a bundle say in each language, as it comes with Préavis. */
export const explanationTextsOf: Readonly<Record<ExplanationLanguage, ExplanationTexts>> = {
  fr: await loadExplanationTexts('fr'),
  nl: await loadExplanationTexts('nl'),
  de: await loadExplanationTexts('de'),
  en: await loadExplanationTexts('en'),
};
