/** A text of the company by language; `*` is for all others. */
export function inLanguage(text: Readonly<Record<string, string>>, language: string): string {
  return text[language] ?? text['*'] ?? text['en'] ?? Object.values(text)[0] ?? '';
}
