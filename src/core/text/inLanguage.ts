/** A text of the company: one for every reader, or one for each language. */
export type LocalText = string | Readonly<Record<string, string>>;

/**
 * The text for a reader of this language: that of `fr` serves `fr_BE`. Whoever reads another language than there is a text in gets
 * the English one, or the first.
 */
export function inLanguage(text: LocalText, language: string): string {
  if (typeof text === 'string') return text;
  const wanted = [language, baseOf(language), 'en', ...Object.keys(text)].find((each) => Object.hasOwn(text, each));

  return (wanted === undefined ? undefined : text[wanted]) ?? '';
}

/** Those of these languages that the text is not given in. */
export function languagesWithout(text: LocalText, languages: readonly string[]): string[] {
  if (typeof text === 'string') return [];

  return languages.filter((each) => !Object.hasOwn(text, each) && !Object.hasOwn(text, baseOf(each)));
}

/** The text by its languages; `*`: for every reader. */
export const byLanguage = (text: LocalText): Readonly<Record<string, string>> =>
  typeof text === 'string' ? { '*': text } : text;

/** The text in each of its languages. */
export function wordingsOf(text: LocalText): string[] {
  return typeof text === 'string' ? [text] : Object.values(text);
}

const baseOf = (language: string): string => language.split('_')[0] ?? language;
