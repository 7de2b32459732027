import { html, type Markup } from '../core/text/markup.ts';
import type { PaperPurpose } from './facts.ts';
import { bullets, codesPart, isOnLine, listOf, nameOf, nameOfLine, todo, type Paper } from './parts.ts';

/** One page for the wall of those who talk with callers. */

/** On which lines nothing is recorded before somebody asks for it. */
function talkRequest(paper: Paper): string[] {
  const { facts, say } = paper;
  const asked = facts.lines.filter(({ records }) => records === 'onRequest');
  if (asked.length === 0) return [];
  const lines = listOf(
    asked.map((line) => nameOfLine(line, paper)),
    paper,
  );

  return [asked.length === facts.lines.length ? say.poster.talkRequest : say.poster.talkRequestOn({ lines })];
}

function steps(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.poster;
  const { optOut, optIn } = facts.keys;
  const keptFor = (purposes: readonly PaperPurpose[]): string =>
    listOf(
      purposes.map((each) => words.forPurpose({ days: say.days(each.keepDays), name: nameOf(each, paper) })),
      paper,
    );
  const unlined = facts.purposes.filter((purpose) => !isOnLine(purpose));

  return html`<div class="steps">
      <section>
        <h2>${words.before}</h2>
        ${bullets([
          words.beforeTold,
          ...(optOut === null ? [] : [words.beforeOptOut({ key: optOut.refuse })]),
          ...(optIn === null ? [] : [words.beforeOptIn({ accept: optIn.accept })]),
        ])}
      </section>
      <section>
        <h2>${words.talk}</h2>
        ${bullets([words.talkRecorded, ...talkRequest(paper), words.talkHold, words.talkNever])}
      </section>
      <section>
        <h2>${words.after}</h2>
        ${bullets([
          words.afterKept({ kept: keptFor(facts.purposes.filter(isOnLine)) }),
          words.afterAsk({ contact: facts.controller.contact ?? '' }),
        ])}
      </section>
    </div>
    ${unlined.length === 0 ? '' : todo(paper, words.afterUnlined({ kept: keptFor(unlined) }))}`;
}

export function poster(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.poster;

  return html`${steps(paper)}
    <h2>${words.codesHeading}</h2>
    ${codesPart(paper)}
    <p class="soft">
      ${words.questions({ contact: facts.controller.dataProtectionOfficer ?? facts.controller.contact ?? '' })}
    </p>`;
}
