/** What it is called in this language, where somebody has said it: that of `fr_BE` serves `fr`. */
export const nameIn = (names: Readonly<Record<string, string>> | undefined, language: string): string | undefined =>
  names?.[language] ?? Object.entries(names ?? {}).find(([tag]) => tag.startsWith(`${language}_`))?.[1];

/** A text of the company by language; `*` is for all others. */
export function inLanguage(text: Readonly<Record<string, string>>, language: string): string {
  return nameIn(text, language) ?? text['*'] ?? text['en'] ?? Object.values(text)[0] ?? '';
}
