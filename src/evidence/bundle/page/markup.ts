/** Our words for a page, and the company's, as markup: what stands between backticks is code, between two asterisks bold. */
import { html, type Markup, type Part } from '../../../core/text/markup.ts';

const [backtick, asterisk] = ['\u{e000}', '\u{e001}'];

/** What the company or a prompt says stays one line, and makes no code and nothing bold. */
export const plain = (text: string): string =>
  text.replace(/\s+/g, ' ').replaceAll('`', backtick).replaceAll('*', asterisk);

const spelled = (text: string): string => text.replaceAll(backtick, '`').replaceAll(asterisk, '*');

/** Our own words with their code and what is bold. */
export function marked(text: string): Part {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${spelled(part.slice(1, -1))}</code>`;
    if (part.startsWith('**')) return html`<strong>${spelled(part.slice(2, -2))}</strong>`;

    return spelled(part);
  });
}

export const paragraph = (text: string): Markup => html`<p>${marked(text)}</p> `;
