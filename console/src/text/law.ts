import type { Messages } from '../messages/en.ts';
import { fill } from './fill.ts';

/** An article of the GDPR as the API writes it, `GDPR art. 17(3)(e)`, and as the language of the reader does. Another text stays as it is. */
export function articleText(article: string, { law }: Pick<Messages, 'law'>): string {
  const [, number, paragraph, letter] = /^GDPR art\. (\d+)(?:\((\d+)\))?(?:\(([a-z])\))?$/.exec(article) ?? [];
  if (number === undefined) return article;

  const withParagraph = paragraph === undefined ? number : fill(law.paragraph, { article: number, paragraph });

  return fill(law.gdpr, {
    article: letter === undefined ? withParagraph : fill(law.letter, { article: withParagraph, letter }),
  });
}

/** A user or a program, without its kind. */
export const personText = (actor: string): string => actor.replace(/^\w+:/, '');
