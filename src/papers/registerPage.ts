import { inLanguage } from '../core/text/inLanguage.ts';
import { html, type Markup, type Part } from '../core/text/markup.ts';
import type { PaperPurpose } from './facts.ts';
import {
  basisOf,
  bullets,
  controllerPart,
  facts as rows,
  lines,
  listOf,
  nameOf,
  nameOfLine,
  otherLaw,
  paragraph,
  rolesIn,
  shareOf,
  todo,
  transfersIn,
  translation,
  type Paper,
} from './parts.ts';

/** The register of processing (GDPR art. 30), from the facts that `preavis purposes register` prints as well. */

function dataOf({ facts: { callers, keepsExtensions, dialledDays }, say }: Paper): string[] {
  const { dataList, dataExtension, dataDialled, dataHash, dataNumber, dataLanguage } = say.register;
  const ofCall = [dataList, ...(keepsExtensions ? [dataExtension] : []), ...(dialledDays === 0 ? [] : [dataDialled])];
  if (callers.kind === 'nothing') return ofCall;

  return [...ofCall, callers.kind === 'hash' ? dataHash : dataNumber, dataLanguage];
}

function erasureOf(
  { keepDays, maximumDays }: PaperPurpose,
  { facts: { callers, traceDays, dialledDays }, say }: Paper,
): string[] {
  const words = say.register;
  const most = maximumDays === null ? '' : ` ${words.most({ days: say.days(maximumDays) })}`;

  return [
    `${words.keptFor({ days: say.days(keepDays) })}${most}`,
    words.traceLimit({ days: say.days(traceDays) }),
    ...(dialledDays === 0 ? [] : [words.dialledLimit({ days: say.days(dialledDays) })]),
    ...(callers.kind === 'nothing'
      ? []
      : [
          words.callerLimit({ days: say.days(callers.callerDays) }),
          words.languageLimit({ days: say.days(callers.preferenceDays) }),
        ]),
  ];
}

function lockOf({ lock }: PaperPurpose, { say }: Paper): string {
  switch (lock) {
    case 'none':
      return say.register.lockNone;
    case 'governance':
      return say.register.lockGovernance;
    case 'compliance':
      return say.register.lockCompliance;
  }
}

function activity(purpose: PaperPurpose, paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.register;
  const { recipients } = facts.controller;
  const shares = shareOf(purpose, paper);
  const onLines: Part =
    purpose.lines.length === 0
      ? words.noLine
      : listOf(
          facts.lines.filter(({ name }) => purpose.lines.includes(name)).map((line) => nameOfLine(line, paper)),
          paper,
        );

  return html`<section class="purpose">
    <h2>${words.activity({ name: nameOf(purpose, paper) })}</h2>
    ${rows([
      [words.why, say.purpose.quote({ words: inLanguage(purpose.justification, paper.language) })],
      [words.basis, basisOf(purpose, paper)],
      [words.lines, html`${onLines} ${lines(shares)}`],
      [words.persons, words.personsList],
      [words.data, lines(dataOf(paper))],
      [
        words.recipients,
        lines([...(purpose.mayListen.length === 0 ? [] : [rolesIn(purpose.mayListen, paper)]), ...recipients]),
      ],
      [words.transfers, transfersIn(paper)],
      [words.erasure, lines(erasureOf(purpose, paper))],
      [words.holds, purpose.holdsAllowed ? words.holdsDispute : words.holdsOther],
      [words.lock, lockOf(purpose, paper)],
      [words.jurisdiction, say.law[purpose.jurisdiction]],
      [words.source, purpose.source ?? words.notStated],
    ])}
  </section> `;
}

/** How recordings are kept where they are (art. 32). */
export function archiveMeasures({ facts: { archive }, say }: Paper): string[] {
  const { bucketTls, bucketOpen, folder, encryption, clear } = say.register;

  return [
    archive.place === 'folder' ? folder : archive.tls ? bucketTls : bucketOpen,
    encryption[archive.encryption],
    clear,
  ];
}

export function registerPage(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.register;
  const { erased, ...measures } = words.measures;

  return html`<p class="lead">${words.intro}</p>
    ${controllerPart(paper)} ${facts.purposes.map((purpose) => activity(purpose, paper))} ${translation(paper)}
    <h2>${words.measuresHeading}</h2>
    ${bullets([
      ...Object.values(measures),
      erased({ days: say.days(facts.certificateDays) }),
      ...archiveMeasures(paper),
    ])}
    ${paragraph(say.worksCouncil.limit)} ${todo(paper, words.access)} ${otherLaw(paper)}
    ${facts.archive.former === 0 ? '' : todo(paper, words.former)}`;
}
