import { law } from '../config/law.ts';
import { html, type Markup } from '../core/text/markup.ts';
import type { PaperFacts } from './facts.ts';
import {
  authorities,
  blanks,
  bullets,
  codesPart,
  controllerPart,
  facts as rows,
  listOf,
  groundRights,
  nameOfLine,
  otherLaw,
  paragraph,
  purposeCards,
  recipientRows,
  rolesIn,
  todo,
  type Paper,
} from './parts.ts';

/** What the people of the company are told, who are recorded as well (GDPR art. 13). */

/** What becomes of calls between colleagues. */
function internalCalls(paper: Paper): string[] {
  const { facts, say } = paper;
  const words = say.employees;
  if (!facts.hasStaff) return [words.internalUnknown];
  const recorded = facts.lines.filter((line) => line.internalCalls === 'record').map((line) => nameOfLine(line, paper));

  return [
    ...(recorded.length === facts.lines.length ? [] : [words.internalLeft]),
    ...(recorded.length === 0 ? [] : [words.internalRecorded({ lines: listOf(recorded, paper) })]),
  ];
}

function notRecorded(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.employees;
  const asked = facts.lines.filter(({ records }) => records === 'onRequest').map((line) => nameOfLine(line, paper));

  return html`<h2>${words.notHeading}</h2>
    ${bullets([
      words.notBefore,
      ...(asked.length === 0 ? [] : [words.notAsked({ lines: listOf(asked, paper) })]),
      ...(facts.featureCode === null ? [] : [words.notRefused]),
      ...internalCalls(paper),
      ...(facts.neverRecorded === null ? [] : [words.emergency({ example: facts.neverRecorded })]),
    ])}
    ${todo(paper, words.private)}`;
}

function usePart(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.employees;
  const roles = [...new Set(facts.purposes.flatMap(({ mayListen }) => mayListen))];

  return html`<h2>${words.useHeading}</h2>
    ${bullets([
      roles.length === 0 ? words.listenersNobody : words.listeners({ roles: rolesIn(roles, paper) }),
      words.audited,
      words.notAutomated,
      facts.keepsExtensions ? words.extensionKept : words.extensionNotKept,
      ...(facts.dialledDays === 0 ? [] : [words.dialledKept({ days: say.days(facts.dialledDays) })]),
      words.inTheLog,
    ])}
    ${rows(recipientRows(paper))} ${todo(paper, words.appraisal)} ${todo(paper, words.otherTools)}`;
}

/** Whose law wants the consent of all who speak for a purpose of these, so that of staff in writing. */
const consentLaws = ['AT', 'CH', 'DE', 'LU'] as const;
const consentWanted = ({ purposes }: PaperFacts): (typeof consentLaws)[number][] =>
  consentLaws.filter((country) =>
    purposes.some(({ jurisdiction, kind }) => jurisdiction === country && law[country][kind]?.leastConsent === 'optIn'),
  );

function signedPart({ facts, say }: Paper): Markup {
  const words = say.employees;
  const blank = blanks([words.name, words.date, words.signature]);
  const company = facts.controller.name ?? '';
  const wanted = consentWanted(facts);

  return html`<section class="sign">
      <h2>${words.ackHeading}</h2>
      ${paragraph(words.ack)} ${blank}
    </section>
    ${
      wanted.length > 0
        ? html`<section class="sign">
            <h2>${words.consentHeading}</h2>
            ${wanted.map((country) => paragraph(words.consentNotes[country]))} ${paragraph(words.consent({ company }))}
            ${blank}
          </section>`
        : ''
    }`;
}

export function employeeNotice(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.employees;

  return html`<p class="lead">${words.intro({ company: facts.controller.name ?? '' })}</p>
    ${controllerPart(paper)}
    <h2>${words.whatHeading}</h2>
    ${paragraph(words.what({ minutes: say.minutes(facts.maximumMinutes) }))} ${notRecorded(paper)}
    <h2>${words.purposesHeading}</h2>
    ${purposeCards(paper)} ${todo(paper, words.staffBasis)} ${usePart(paper)}
    <h2>${words.codesHeading}</h2>
    ${codesPart(paper)}
    <h2>${words.rightsHeading}</h2>
    ${paragraph(words.rights)} ${bullets(groundRights(paper))}
    ${paragraph(say.website.how({ contact: facts.controller.contact ?? '' }))} ${paragraph(say.website.complain)}
    ${authorities(paper)} ${otherLaw(paper)} ${signedPart(paper)}`;
}
