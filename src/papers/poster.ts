import { html, type Markup } from '../core/text/markup.ts';
import { bullets, codesPart, listOf, nameOf, type Paper } from './parts.ts';

/** One page for the wall of those who talk with callers. */

function steps(paper: Paper): Markup {
  const { facts, say } = paper;
  const words = say.poster;
  const { optOut, optIn } = facts.keys;
  const kept = facts.purposes.map((purpose) =>
    words.forPurpose({ days: say.days(purpose.keepDays), name: nameOf(purpose, paper) }),
  );

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
      ${bullets([
        ...(facts.lines.some(({ records }) => records === 'always') ? [words.talkRecorded] : []),
        ...(facts.lines.some(({ records }) => records === 'onRequest') ? [words.talkRequest] : []),
        words.talkHold,
        words.talkNever,
      ])}
    </section>
    <section>
      <h2>${words.after}</h2>
      ${bullets([
        words.afterKept({ kept: listOf(kept, paper) }),
        words.afterAsk({ contact: facts.controller.contact ?? '' }),
      ])}
    </section>
  </div>`;
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
