import { html, type Markup, type Part } from '../core/text/markup.ts';
import type { PaperLine } from './facts.ts';
import {
  authorities,
  bullets,
  controllerPart,
  facts as rows,
  keys,
  groundRights,
  listOf,
  restsOn,
  rolesIn,
  callersErase,
  otherLaw,
  quotedName,
  paragraph,
  purposeCards,
  recipientRows,
  taskOf,
  type Paper,
} from './parts.ts';

/** What callers are to find on the website: the second layer of the notice (GDPR art. 13). */

/** What is heard on a line before the talk. */
const heardOn = ({ spoken }: PaperLine, { language }: Paper): string => (spoken[language]?.heard ?? []).join(' ');

function heardPart(paper: Paper): Part {
  const { say, facts } = paper;
  const heard = new Set(facts.lines.map((line) => heardOn(line, paper)).filter((text) => text !== ''));

  return heard.size === 0
    ? ''
    : html`<p>${say.website.notice}</p>
        ${[...heard].map((words) => html`<blockquote>${say.purpose.quote({ words })}</blockquote> `)}`;
}

function onRequest({ say, facts: { lines } }: Paper): string[] {
  const asked = lines.filter(({ records }) => records === 'onRequest').length;
  if (asked === 0) return [];

  return [asked === lines.length ? say.website.onRequestAlways : say.website.onRequest];
}

function callPart(paper: Paper): Markup {
  const { say, facts } = paper;
  const words = say.website;
  const pausedByStaff = facts.lines.some(({ codes }) =>
    codes.some(({ task, pressedBy }) => (task === 'pause' || task === 'toggle') && pressedBy !== 'caller'),
  );

  return html`<h2>${words.callHeading}</h2>
    ${paragraph(words.told)} ${heardPart(paper)}
    ${bullets([
      ...(facts.shorterWithinDays === 0 ? [] : [words.shorter({ days: say.days(facts.shorterWithinDays) })]),
      words.toldOutgoing,
      words.notRecorded,
      ...onRequest(paper),
      ...(pausedByStaff ? [words.pausedByStaff] : []),
      ...(facts.purposes.every(({ turnsAway }) => turnsAway) ? [] : [words.goOn]),
      ...(facts.purposes.some(({ turnsAway }) => turnsAway) ? [words.turnAway] : []),
    ])}`;
}

/** Codes that a caller may press beside that of a refusal. */
function callerCodes(paper: Paper): Part {
  const found = new Map<string, Part>();
  for (const line of paper.facts.lines) {
    for (const code of line.codes) {
      if (code.pressedBy === 'agent') continue;
      const what = taskOf(code, line, paper);
      found.set(`${code.keys} ${what}`, html`${keys(code.keys)} ${what}`);
    }
  }

  return found.size === 0 ? '' : [paragraph(paper.say.website.callerCodes), bullets([...found.values()])];
}

function refusePart(paper: Paper): Markup {
  const { say, facts } = paper;
  const { keys: asked, featureCode, waitSeconds, modes } = facts;
  const words = say.website;
  const seconds = say.seconds(waitSeconds);
  const ways = [
    ...(asked.optOut === null ? [] : [words.byKey({ key: asked.optOut.refuse })]),
    ...(asked.optIn === null ? [] : [words.byYes({ ...asked.optIn, seconds })]),
    ...(featureCode === null ? [] : [words.inTalk({ code: featureCode })]),
  ];
  const obliged = facts.purposes.filter(({ kind }) => kind === 'obligation').map((each) => quotedName(each, paper));
  // Its keys stand among those of callers.
  const mayErase = facts.lines.some(callersErase);

  return html`<h2>${words.refuseHeading}</h2>
    ${ways.length > 0 ? bullets(ways) : mayErase ? '' : paragraph(words.noKey)} ${callerCodes(paper)}
    ${modes.includes('announce') ? '' : paragraph(words.freely)}
    ${obliged.length === 0 ? '' : paragraph(words.obliged({ purposes: listOf(obliged, paper) }))}`;
}

function otherData({ say, facts: { callers, traceDays } }: Paper): Markup {
  const words = say.website;
  const trace = paragraph(words.keptOfCall({ days: say.days(traceDays) }));
  if (callers.kind === 'nothing') return html`${trace} ${paragraph(words.callerNothing)}`;
  const kept = callers.kind === 'hash' ? words.callerHash : words.callerNumber;

  return html`${trace} ${paragraph(kept({ days: say.days(callers.callerDays) }))}
  ${paragraph(words.language({ days: say.days(callers.preferenceDays) }))}`;
}

/** The rights that the legal bases give. Where a basis names none of art. 6(1), each is told with its condition. */
function rightsPart(paper: Paper): Markup {
  const { say, facts } = paper;
  const words = say.website;
  const { purposes, controller, callers } = facts;

  return html`<h2>${words.rightsHeading}</h2>
    ${bullets([
      words.access,
      words.rectify,
      words.erase,
      ...(purposes.some(({ kind }) => kind === 'evidence') ? [words.eraseEvidence] : []),
      ...(purposes.some(({ kind }) => kind === 'obligation') ? [words.eraseObligation] : []),
      ...groundRights(paper),
      ...(restsOn(facts, 'a', 'b') ? [words.portability] : []),
    ])}
    <p>
      ${words.how({ contact: controller.contact ?? '' })} ${callers.kind === 'nothing' ? words.byTime : words.byNumber}
    </p>
    <p>${words.complain}</p>
    ${authorities(paper)} ${paragraph(words.automated)} ${otherLaw(paper)}`;
}

export function websiteNotice(paper: Paper): Markup {
  const { say, facts } = paper;
  const words = say.website;
  const roles = [...new Set(facts.purposes.flatMap(({ mayListen }) => mayListen))];

  return html`<p class="lead">${words.intro({ company: facts.controller.name ?? '' })}</p>
    ${controllerPart(paper)} ${callPart(paper)} ${refusePart(paper)}
    <h2>${words.purposesHeading}</h2>
    ${purposeCards(paper)}
    <h2>${words.whoAndWhere}</h2>
    ${rows([[words.within, rolesIn(roles, paper)], ...recipientRows(paper)])}
    <h2>${words.otherHeading}</h2>
    ${otherData(paper)} ${rightsPart(paper)}`;
}
