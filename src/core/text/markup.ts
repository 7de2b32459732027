/** Pages of HTML in which nothing is put unescaped. */

/** Markup that is safe to put into a page. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

export type Part = string | Markup | readonly Part[];
const htmlOf = (part: Part): string =>
  part instanceof Markup ? part.html : typeof part === 'string' ? escaped(part) : part.map(htmlOf).join('');

/** What is put in is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, index) => text + htmlOf(parts[index] ?? '')).join(''));
}
