import { html, type Markup, type Part } from '../core/text/markup.ts';
import type { PaperLine } from './facts.ts';
import {
  blanks,
  bullets,
  codesPart,
  facts as rows,
  lawsKnown,
  lines,
  listOf,
  nameOf,
  nameOfLine,
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
  const always = facts.lines.filter(
    ({ records, purposes: ids }) =>
      records === 'always' && facts.purposes.some((each) => ids.includes(each.id) && shareOf(each, paper).length === 0),
  );
  const onRequest = facts.lines.filter(({ records }) => records === 'onRequest');
  // Where they differ, each is said of its lines.
  const of = (some: readonly PaperLine[], all: string, share: string): string[] => {
    if (some.length === 0) return [];
    const names = some.map((line) => nameOfLine(line, paper));

    return [some.length === facts.lines.length ? all : words.share({ name: listOf(names, paper), share })];
  };

  return lines([
    ...of(always, words.allCalls, words.all),
    ...of(onRequest, words.onlyMarked, words.onlyMarked),
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
    ${known.length === 0 || paper.facts.jurisdictions.includes('other') ? todo(paper, words.ruleUnknown) : ''}`;
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
