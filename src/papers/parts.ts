import type { LineCode } from '../config/codes.ts';
import { isNoTransfer } from '../config/controllerSchema.ts';
import { roles } from '../config/roles.ts';
import type { Config } from '../config/schema.ts';
import { inLanguage, languagesWithout, type LocalText } from '../core/text/inLanguage.ts';
import { html, type Markup, type Part } from '../core/text/markup.ts';
import type { PaperFacts, PaperLine, PaperPurpose } from './facts.ts';
import type { Ground } from './grounds.ts';
import type { PaperLanguage } from './languages.ts';
import { knownLaws, type PaperTexts } from './texts.ts';

/** What several papers are made of. */

export type Paper = { facts: PaperFacts; say: PaperTexts; language: PaperLanguage };

export const paragraph = (text: string): Markup => html`<p>${text}</p> `;

export const bullets = (items: readonly Part[]): Part =>
  items.length === 0
    ? ''
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li> `)}
      </ul> `;

export const facts = (rows: readonly (readonly [string, Part])[]): Markup =>
  html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl> `;

/** What only a human can write, with room for it. */
export const todo = ({ say }: Paper, text: string): Markup =>
  html`<div class="todo">
    <p><strong>${say.todo}</strong> ${text}</p>
  </div> `;

const isIn =
  (language: PaperLanguage) =>
  (tag: string): boolean =>
    tag === language || tag.startsWith(`${language}_`);

export function nameOf({ names, id }: PaperPurpose, { language }: Paper): string {
  const tag = names[language] === undefined ? Object.keys(names).find(isIn(language)) : language;

  return (tag === undefined ? undefined : names[tag]) ?? id;
}

export const quotedName = (purpose: PaperPurpose, paper: Paper): string =>
  paper.say.purpose.quote({ words: nameOf(purpose, paper) });

export const listOf = (items: readonly string[], { say }: Paper): string =>
  new Intl.ListFormat(say.locale, { type: 'conjunction' }).format(items);

const countriesIn = (codes: readonly string[], { say }: Paper): string => {
  const names = new Intl.DisplayNames(say.locale, { type: 'region' });
  const list = new Intl.ListFormat(say.locale, { type: 'disjunction' });

  return list.format(codes.map((code) => names.of(code) ?? code));
};

export function basisOf({ grounds, legalBasis }: PaperPurpose, { say, language }: Paper): Part {
  const stated = html`${say.purpose.quote({ words: inLanguage(legalBasis, language) })}
    <span class="soft">(${say.purpose.stated})</span>`;

  return grounds.length === 0
    ? stated
    : html`${lines(grounds.map((ground) => say.grounds[ground]))} <span class="line">${stated}</span>`;
}

function keptOf({ keepDays, holdsAllowed, lock }: PaperPurpose, { say }: Paper): string[] {
  const { keptFor, dispute, locked, lockedUnlessLifted } = say.purpose;
  const lockWords = { none: [], governance: [lockedUnlessLifted], compliance: [locked] };

  return [keptFor({ days: say.days(keepDays) }), ...(holdsAllowed ? [dispute] : []), ...lockWords[lock]];
}

/** Which calls are recorded for it, and what their callers may choose. */
function choiceOf(purpose: PaperPurpose, paper: Paper): string[] {
  const { say } = paper;
  const { choices, askedCountries } = purpose;
  const abroad =
    askedCountries.length === 0 ? [] : [say.purpose.abroad({ countries: countriesIn(askedCountries, paper) })];

  return [...choices.map((mode) => say.modes[mode]), ...abroad];
}

export function shareOf({ onlyOnceMarked, recordPercent }: PaperPurpose, { say }: Paper): string[] {
  if (onlyOnceMarked) return [say.purpose.agreementOnly];

  return recordPercent === 100 ? [] : [say.purpose.share({ percent: recordPercent })];
}

export const lines = (texts: readonly string[]): Part => texts.map((text) => html`<span class="line">${text}</span> `);

/** Roles of `access` in words that a reader outside the company knows; any other as the company calls it. */
export function rolesIn(named: readonly string[], paper: Paper): string {
  const { notNamed, quote, roles: said } = paper.say.purpose;
  const wordsOf = (name: string): string => {
    const role = roles.find((each) => each === name);

    return role === undefined ? quote({ words: name }) : said[role];
  };

  return named.length === 0 ? notNamed : listOf(named.map(wordsOf), paper);
}

/** Transfers as the company states them; that there are none in the language of the reader. */
export function transfersIn({ facts: { controller }, say, language }: Paper): string {
  const words = inLanguage(controller.transfers ?? '', language);

  return isNoTransfer(words) ? say.purpose.noTransfers : say.purpose.quote({ words });
}

/** Whether the company gives a text in this language for sure: one text may be in any. */
const isGivenIn = (text: LocalText, language: PaperLanguage): boolean =>
  typeof text !== 'string' && languagesWithout(text, [language]).length === 0;

/** Asks for a translation of what the company gives in one language alone. */
export function translation(paper: Paper): Part {
  const { facts: all, language, say } = paper;
  const texts = all.purposes.flatMap(({ justification, legalBasis }) => [justification, legalBasis]);

  return texts.every((text) => isGivenIn(text, language)) ? '' : todo(paper, say.purpose.translate);
}

/** What a line is called, for a reader of this language. */
export const nameOfLine = ({ names, name }: PaperLine, { language }: Pick<Paper, 'language'>): string =>
  names === null ? name : inLanguage(names, language);

/** Of one that is on none it is not known whether any call has it: the dialplan may ask for it. */
export const isOnLine = ({ lines: having }: PaperPurpose): boolean => having.length > 0;

/** Each purpose on a card of its own. */
export function purposeCards(paper: Paper): Part {
  const { say } = paper;
  const { purpose: words } = say;

  return [
    html`<p class="soft">${words.ownWords}</p> `,
    ...paper.facts.purposes.map(
      (purpose) =>
        html`<section class="purpose">
          <h3>${nameOf(purpose, paper)}</h3>
          <p class="own">${words.quote({ words: inLanguage(purpose.justification, paper.language) })}</p>
          ${facts([
            [words.basis, basisOf(purpose, paper)],
            [words.kept, lines(keptOf(purpose, paper))],
            [words.choice, lines([...choiceOf(purpose, paper), ...shareOf(purpose, paper)])],
            [words.listeners, rolesIn(purpose.mayListen, paper)],
          ])}
          ${isOnLine(purpose) ? '' : todo(paper, words.noLine({ id: purpose.id }))}
        </section> `,
    ),
    translation(paper),
  ];
}

export function controllerPart({ facts: { controller }, say }: Paper): Markup {
  const words = say.controller;

  return html`<h2>${words.heading}</h2>
    ${facts([
      [words.name, controller.name ?? ''],
      [words.contact, controller.contact ?? ''],
      [words.officer, controller.dataProtectionOfficer ?? words.noOfficer],
    ])}`;
}

/** Whether a purpose has one of these legal bases. One that names none of art. 6(1) may have any. */
export const restsOn = ({ purposes }: PaperFacts, ...letters: readonly Ground[]): boolean =>
  purposes.some(({ grounds }) => grounds.length === 0 || grounds.some((ground) => letters.includes(ground)));

/** What legitimate interests, and consent, let a person do. */
export const groundRights = ({ facts: all, say }: Paper): string[] => [
  ...(restsOn(all, 'f') ? [say.website.object] : []),
  ...(restsOn(all, 'a') ? [say.website.withdraw] : []),
];

const isKnown = (law: string): law is (typeof knownLaws)[number] => knownLaws.some((known) => known === law);

export const lawsKnown = ({ facts: { jurisdictions } }: Paper): (typeof knownLaws)[number][] =>
  jurisdictions.filter(isKnown);

/** Where people complain about recordings for these purposes, in the language of these texts. */
export const authoritiesFor = (purposes: Config['purposes'], say: Pick<PaperTexts, 'authorities'>): string[] =>
  [...new Set(Object.values(purposes).map(({ jurisdiction }) => jurisdiction))]
    .filter(isKnown)
    .map((law) => say.authorities[law]);

/** Of each country whose law the recordings are made under. */
export function authorities(paper: Paper): Part {
  const known = lawsKnown(paper);

  return [
    bullets(known.map((law) => paper.say.authorities[law])),
    known.length === 0 || paper.facts.jurisdictions.includes('other') ? todo(paper, paper.say.authorityUnknown) : '',
  ];
}

/** The papers name articles of the GDPR, which is not the law of Switzerland, nor of countries that are not known. */
export const otherLaw = (paper: Paper): Part =>
  paper.facts.jurisdictions.some((law) => law === 'CH' || law === 'other') ? todo(paper, paper.say.otherLaw) : '';

export function recipientRows(paper: Paper): [string, Part][] {
  const { controller } = paper.facts;
  const { recipients, noRecipients, transfers } = paper.say.website;

  return [
    [recipients, controller.recipients.length === 0 ? noRecipients : lines(controller.recipients)],
    [transfers, transfersIn(paper)],
  ];
}

export const keys = (code: string): Markup =>
  html`<span class="keys">${Array.from(code, (key) => html`<kbd>${key}</kbd>`)}</span>`;

/** The codes of a line with that of a refusal, where its callers may refuse. */
function codesOn({ codes, modes }: PaperLine, featureCode: string | null): LineCode[] {
  const mayRefuse = featureCode !== null && modes.some((mode) => mode !== 'announce');

  return mayRefuse ? [...codes, { task: 'refuse', keys: featureCode, pressedBy: 'caller' }] : [...codes];
}

/** The same code, with the lines that have it. */
type SharedCode = { code: LineCode; line: PaperLine; names: string[] };

/** Each code once, whichever lines have it. */
function sharedCodes({ lines: all, featureCode }: PaperFacts, language: PaperLanguage): SharedCode[] {
  const found = new Map<string, SharedCode>();
  for (const line of all) {
    for (const code of codesOn(line, featureCode)) {
      const pauses = isPause(code) ? line.pauseSeconds : null;
      const key = JSON.stringify([code, code.task === 'agreement' ? line.agreementFor : null, pauses]);
      const before = found.get(key);
      if (before === undefined) found.set(key, { code, line, names: [nameOfLine(line, { language })] });
      else before.names.push(nameOfLine(line, { language }));
    }
  }

  return [...found.values()];
}

const isPause = ({ task }: LineCode): boolean => task === 'pause' || task === 'toggle';

/** Whether callers of a line may have the recording removed by a code of it, whatever their choice was before. */
export const callersErase = ({ codes }: PaperLine): boolean =>
  codes.some(({ task, pressedBy }) => task === 'erase' && pressedBy !== 'agent');

/** Whether some line has a code that pauses the recording. */
export const hasPause = ({ lines: all }: PaperFacts): boolean => all.some(({ codes }) => codes.some(isPause));

/** What a code does, in words. */
export function taskOf({ task }: LineCode, { agreementFor }: PaperLine, paper: Paper): string {
  const { tasks } = paper.say.poster;
  if (task !== 'agreement') return tasks[task];
  const purpose = paper.facts.purposes.find(({ id }) => id === agreementFor);

  return tasks.agreement({ name: purpose === undefined ? (agreementFor ?? '') : nameOf(purpose, paper) });
}

/** The sentence by which both hear that it is done. */
function heardAfter({ task }: LineCode, line: PaperLine, { language }: Paper): string | undefined {
  const said = line.spoken[language]?.singles;
  switch (task) {
    case 'pause':
    case 'toggle':
      return said?.paused;
    case 'resume':
    case 'record':
      return said?.resumed;
    case 'erase':
    case 'refuse':
      return said?.erasedAck;
    case 'agreement':
    case 'exemplary':
      return undefined;
  }
}

/** As whoever reads it counts: whole minutes as such. */
const timeOf = (seconds: number, { say }: Paper): string =>
  seconds % 60 === 0 ? say.minutes(seconds / 60) : say.seconds(seconds);

function codeItem({ code, line, names }: SharedCode, paper: Paper): Markup {
  const { facts: all, say } = paper;
  const { onLine, onLines, pauseEnds, youHear, who } = say.poster;
  const heard = heardAfter(code, line, paper);
  const having = { lines: listOf(names, paper) };
  const notes = [
    ...(isPause(code) && line.pauseSeconds !== null ? [pauseEnds({ time: timeOf(line.pauseSeconds, paper) })] : []),
    ...(heard === undefined ? [] : [youHear({ words: say.purpose.quote({ words: heard }) })]),
    ...(names.length === all.lines.length ? [] : [`${(names.length === 1 ? onLine : onLines)(having)}.`]),
  ];

  return html`<li>
    <div>${keys(code.keys)} <span class="who">${who[code.pressedBy]}</span></div>
    <div>
      <p class="does">${taskOf(code, line, paper)}</p>
      ${notes.map((note) => html`<p class="soft">${note}</p> `)}
    </div>
  </li> `;
}

/** Each code, with who presses it and what it does. */
export function codesPart(paper: Paper): Part {
  const codes = sharedCodes(paper.facts, paper.language);

  return codes.length === 0
    ? paragraph(paper.say.poster.codesNone)
    : html`<ul class="codes">
        ${codes.map((code) => codeItem(code, paper))}
      </ul> `;
}

/** Lines that a human fills in by hand. */
export const blanks = (names: readonly string[]): Markup =>
  html`<div class="blanks">${names.map((name) => html`<p><span>${name}</span></p> `)}</div> `;
