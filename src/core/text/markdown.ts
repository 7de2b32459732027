/** What the documents for people are made of. */

/** One line of Markdown, whatever was written in the configuration. */
export const markdownLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>|]/g, '\\$&');

export const markdownBullets = (items: readonly string[]): string[] => items.map((item) => `- ${markdownLine(item)}`);

/** A list of names, each with what there is to say of it. */
export const markdownFacts = (facts: readonly (readonly [string, string])[]): string[] =>
  facts.map(([name, text]) => `- **${name}:** ${markdownLine(text)}`);
