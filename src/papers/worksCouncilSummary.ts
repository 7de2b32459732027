import { html, type Markup, type Part } from '../core/text/markup.ts';
import {
  blanks,
  bullets,
  codesPart,
  facts as rows,
  lawsKnown,
  lines,
  nameOf,
  paragraph,
  purposeCards,
  shareOf,
  todo,
  type Paper,
} from './parts.ts';

/** What the representatives of staff are informed of and consulted on, by the law of each country. */

function whichCalls(paper: Paper): Part {
  const { facts, say } = paper;
  const words = say.worksCouncil;
  const shares = facts.purposes.flatMap((purpose) =>
    shareOf(purpose, paper).map((share) => words.share({ name: nameOf(purpose, paper), share })),
  );
  const always = facts.lines.some(({ records }) => records === 'always');
  const onRequest = facts.lines.some(({ records }) => records === 'onRequest');

  return lines([
    ...(always && facts.purposes.some((purpose) => shareOf(purpose, paper).length === 0) ? [words.allCalls] : []),
    ...(onRequest ? [words.onlyMarked] : []),
    ...shares,
  ]);
}

function lawPart(paper: Paper): Markup {
  const { say } = paper;
  const words = say.worksCouncil;
  const known = lawsKnown(paper);

  return html`<h2>${words.lawHeading}</h2>
    <p class="soft">${words.lawNote}</p>
    ${rows(known.map((law) => [say.law[law], words.rules[law]] as const))}
    ${known.length === 0 ? todo(paper, words.ruleUnknown) : ''}`;
}

export function worksCouncilSummary(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.worksCouncil;

  return html`<p class="lead">${words.intro({ company: facts.controller.name ?? '' })}</p>
    <h2>${words.glance}</h2>
    ${rows([
      [words.whom, words.whomText],
      [words.howMuch, whichCalls(paper)],
    ])}
    <h2>${say.employees.purposesHeading}</h2>
    ${purposeCards(paper)}
    <h2>${words.safeguardsHeading}</h2>
    ${bullets(Object.values(words.safeguards))} ${paragraph(words.limit)} ${todo(paper, words.accounts)}
    <h2>${say.employees.codesHeading}</h2>
    ${codesPart(paper)} ${lawPart(paper)}
    <h2>${words.agreeHeading}</h2>
    ${Object.values(words.agree).map((text) => todo(paper, text))} ${blanks([words.meeting])}`;
}
