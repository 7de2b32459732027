import { inLanguage } from '../core/text/inLanguage.ts';
import { html, type Markup, type Part } from '../core/text/markup.ts';
import type { PaperPurpose } from './facts.ts';
import {
  bullets,
  callersErase,
  controllerPart,
  hasPause,
  isOnLine,
  lines,
  listOf,
  nameOf,
  nameOfLine,
  otherLaw,
  paragraph,
  purposeCards,
  todo,
  type Paper,
} from './parts.ts';
import { archiveMeasures } from './registerPage.ts';

/** A draft of an impact assessment (GDPR art. 35(7)), with the test of the legitimate interest. */

function screeningPart(paper: Paper): Markup {
  const { say } = paper;
  const words = say.dpia;

  return html`<h2>${words.screeningHeading}</h2>
    ${paragraph(words.screening)}
    <ul class="boxes">
      ${Object.values(words.criteria).map((text) => html`<li>${text}</li> `)}
    </ul>
    ${todo(paper, words.screeningResult)}`;
}

function descriptionPart(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.dpia;

  return html`<h2>${words.descriptionHeading}</h2>
    ${paragraph(words.description({ company: facts.controller.name ?? '' }))}
    <h3>${words.flow}</h3>
    <ol>
      ${Object.values(words.steps).map((text) => html`<li>${text}</li> `)}
    </ol>
    ${purposeCards(paper)} ${todo(paper, words.volume)}`;
}

/** What the configuration does to record less. */
function minimised(paper: Paper): string[] {
  const { facts, say } = paper;
  const words = say.dpia.minimise;
  const onRequest = facts.lines.filter(({ records }) => records === 'onRequest').map((line) => nameOfLine(line, paper));

  return [
    words.hold,
    ...(hasPause(facts) ? [words.pause] : []),
    ...(onRequest.length === 0 ? [] : [words.request({ lines: listOf(onRequest, paper) })]),
    ...facts.purposes.flatMap((purpose) => {
      const { recordPercent: percent } = purpose;
      if (purpose.onlyOnceMarked) return [words.marked({ name: nameOf(purpose, paper) })];

      return percent === 100 ? [] : [words.share({ name: nameOf(purpose, paper), percent })];
    }),
  ];
}

function necessityPart(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.dpia;
  const isAlways = ({ id }: PaperPurpose): boolean =>
    facts.lines.some(({ purposes, records }) => purposes.includes(id) && records === 'always');
  const whole = facts.purposes.filter(
    (purpose) => purpose.recordPercent === 100 && !purpose.onlyOnceMarked && (isAlways(purpose) || !isOnLine(purpose)),
  );

  return html`<h2>${words.necessityHeading}</h2>
    ${todo(paper, words.necessity)}
    <h3>${words.minimised}</h3>
    ${bullets(minimised(paper))}
    ${whole.map((purpose) => todo(paper, words.minimise.all({ name: nameOf(purpose, paper) })))}
    ${hasPause(facts) ? '' : todo(paper, words.minimise.noPause)}`;
}

function inFavour({ choices, keepDays, id }: PaperPurpose, { say, facts }: Paper): string[] {
  const words = say.dpia;
  const mayErase = facts.lines.some((line) => line.purposes.includes(id) && callersErase(line));

  return [
    words.favourTold,
    ...(choices.includes('optOut') ? [words.favourRefuse] : []),
    ...(choices.includes('optIn') ? [words.favourAsked] : []),
    ...(choices.includes('announce') && !mayErase ? [words.favourNoRefusal] : []),
    words.favourKept({ days: say.days(keepDays) }),
  ];
}

function interestPart(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.dpia;
  // Where a basis names none of art. 6(1), a human says whether it is one.
  const tested = facts.purposes.filter(({ grounds }) => grounds.length === 0 || grounds.includes('f'));

  return html`<h2>${words.interestHeading}</h2>
    ${tested.length === 0 ? paragraph(words.interestNone) : ''}
    ${tested.map(
      (purpose) =>
        html`<h3>${words.interest({ name: nameOf(purpose, paper) })}</h3>
          <p>
            ${words.interestStated} ${say.purpose.quote({ words: inLanguage(purpose.justification, paper.language) })}
          </p>
          ${todo(paper, words.interestPurpose)} ${todo(paper, words.interestNeed)}
          <p>${words.inFavour}</p>
          ${bullets(inFavour(purpose, paper))} ${todo(paper, words.interestBalance)}`,
    )}`;
}

function risksPart(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.dpia;
  const { leak, lock, wrong, wrongNoHash, ...others } = words.risks;
  const locked = facts.purposes.filter((purpose) => purpose.lock !== 'none').map((each) => nameOf(each, paper));
  const all: { risk: string; measure: Part }[] = [
    ...Object.values(others),
    { risk: leak.risk, measure: lines(archiveMeasures(paper)) },
    facts.callers.kind === 'nothing' ? wrongNoHash : wrong,
    ...(locked.length === 0 ? [] : [{ risk: lock.risk, measure: lock.measure({ purposes: listOf(locked, paper) }) }]),
  ];

  return html`<h2>${words.risksHeading}</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">${words.risk}</th>
          <th scope="col">${words.measure}</th>
          <th scope="col">${words.rest}</th>
        </tr>
      </thead>
      <tbody>
        ${all.map(
          ({ risk, measure }) =>
            html`<tr>
              <th scope="row">${risk}</th>
              <td>${measure}</td>
              <td class="open"><span>${say.todo}</span></td>
            </tr> `,
        )}
      </tbody>
    </table>`;
}

export function impactAssessment(paper: Paper): Markup {
  const { say } = paper;
  const words = say.dpia;

  return html`<p class="lead">${words.intro}</p>
    ${controllerPart(paper)} ${screeningPart(paper)} ${descriptionPart(paper)} ${necessityPart(paper)}
    ${interestPart(paper)} ${risksPart(paper)}
    <h2>${words.opinionsHeading}</h2>
    ${[words.officer, words.views, words.decision, words.review].map((text) => todo(paper, text))} ${otherLaw(paper)}`;
}
