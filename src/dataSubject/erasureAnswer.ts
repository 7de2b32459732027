import type { Config } from '../config/schema.ts';
import { nameOfPurpose } from '../config/purposeRules.ts';
import { isoTime } from '../core/clock.ts';
import { localDate } from '../core/text/localDate.ts';
import { html, type Markup, type Part } from '../core/text/markup.ts';
import { bullets, facts, paragraph } from '../papers/parts.ts';
import { paperStyle } from '../papers/style.ts';
import type { AnswerTexts } from './answerTexts.ts';
import type { Exception } from './decideErasure.ts';
import type { Person } from './findCalls.ts';
import type { SubjectLanguage } from './languages.ts';
import type { SubjectErasure, SubjectRecording } from './personRequest.ts';

/**
 * The answer to a person who asked for erasure (GDPR art. 12(3) and (4), art. 17): what was erased, what is kept and why, and where to
 * complain. One page that needs nothing else and can be printed. Their number is not in it.
 */
export type ErasureAnswer = {
  /** Who asked, and is answered. */
  person: Person;
  result: SubjectErasure;
  /** Whether there are calls under an earlier key of hashes, which nobody has searched. */
  unsearched: boolean;
  /** ISO 8601 in UTC. */
  madeAt: string;
  language: SubjectLanguage;
  config: Pick<Config, 'controller' | 'purposes' | 'schedule'>;
  /** Where people complain, by the law of the purposes, in their language. */
  authorities: readonly string[];
};

type Words = { say: AnswerTexts; answer: ErasureAnswer; time: (ms: number) => string };

const nameOf = (purpose: string, { config, language }: ErasureAnswer): string =>
  nameOfPurpose(config.purposes, purpose, language) ?? purpose;

function whyOf(exception: Exception, recording: SubjectRecording, { say, answer, time }: Words): string {
  const { why, until } = say;
  if (exception.ground === 'hold') {
    // Who asked for a restriction is not kept: it may have been the other person in the call.
    const isOther = exception.hold === 'restriction' && answer.person.kind === 'employee';

    return until({ why: isOther ? say.employee.restriction : why[exception.hold], time: time(exception.until) });
  }
  if (exception.ground === 'lock') return until({ why: why.lock, time: time(exception.until) });
  const reason =
    exception.ground === 'unknown'
      ? why.unknown
      : why[exception.ground]({ purpose: nameOf(exception.purpose, answer) });
  const end = recording.ends.find(({ purpose }) => purpose === exception.purpose);

  return end === undefined ? reason : until({ why: reason, time: time(end.keepUntil) });
}

function keptItem(recording: SubjectRecording, words: Words): Part {
  const { outcome } = recording;
  if (outcome.kind !== 'kept') return '';
  const { say, time, answer } = words;
  const ended = outcome.ended.map((purpose) => nameOf(purpose, answer)).join(', ');

  return html`<strong>${say.keptCall({ time: time(recording.startedAt) })}</strong> ${bullets([
      ...outcome.exceptions.map((exception) => `${whyOf(exception, recording, words)}.`),
      ...(ended === '' ? [] : [say.ended({ purposes: ended })]),
    ])}`;
}

function keptPart(words: Words): Part {
  const { say, answer } = words;
  const kept = answer.result.recordings.filter(({ outcome }) => outcome.kind === 'kept');

  return kept.length === 0
    ? ''
    : html`<h2>${say.keptHeading}</h2>
        <p>${say.kept(kept.length)}</p>
        ${bullets(kept.map((recording) => keptItem(recording, words)))} ${paragraph(say.afterwards)}
        ${answer.person.kind === 'employee' ? paragraph(say.employee.telephone) : ''}`;
}

function erasedPart({ say, answer: { result }, time }: Words): Markup {
  const { recordings, unrecorded, direct, language } = result;
  const erased = recordings.flatMap(({ outcome, startedAt }) =>
    outcome.kind === 'erased' ? [say.erasedOne({ time: time(startedAt), certificate: outcome.certificate })] : [],
  );
  const gone = recordings.flatMap(({ outcome, startedAt }) =>
    outcome.kind === 'gone' ? [say.goneOne({ time: time(startedAt) })] : [],
  );

  return html`<h2>${say.erasedHeading}</h2>
    ${paragraph(erased.length === 0 ? say.nothingErased : say.erased(erased.length))} ${bullets([...erased, ...gone])}
    ${erased.length === 0 ? '' : paragraph(say.certificates)}
    ${unrecorded === 0 ? '' : paragraph(say.forgotten(unrecorded))}
    ${direct === 0 ? '' : paragraph(say.employee.direct(direct))} ${language ? paragraph(say.language) : ''}`;
}

function openPart({ say, answer: { result, unsearched }, time }: Words): Part {
  const { recordings, open, unreadable } = result;
  const left = [
    ...recordings.flatMap(({ outcome: { kind }, startedAt }) =>
      kind === 'unfinished' || kind === 'lost' || kind === 'failed' ? [say[kind]({ time: time(startedAt) })] : [],
    ),
    ...(open.length === 0 ? [] : [say.openCalls(open.length)]),
    ...(unreadable.length === 0 ? [] : [say.unreadable(unreadable.length)]),
    ...(unsearched ? [say.unsearched] : []),
  ];

  return left.length === 0
    ? ''
    : html`<h2>${say.openHeading}</h2>
        ${bullets(left)} ${paragraph(say.again)}`;
}

/** Where not all calls of a telephone were looked for: it may have been another's at other times. */
function periodPart({ say, answer: { person }, time }: Words): Part {
  if (person.kind === 'caller' || person.begun === undefined) return '';
  const { from, to } = person.begun;

  return paragraph(say.employee.period({ from: time(from), until: time(to) }));
}

/** What remains of a call, and whether it can still be told whose it was. */
function tracePart({ say }: Words): Markup {
  return html`<h2>${say.traceHeading}</h2>
    <p>${say.trace} ${say.unlinked}</p> `;
}

export function erasureAnswerPage(answer: ErasureAnswer, say: AnswerTexts): string {
  const { result, config, madeAt, language, authorities } = answer;
  const { controller, schedule } = config;
  const date = (iso: string): string => localDate(iso, { locale: say.locale, timezone: schedule.timezone });
  const words: Words = { say, answer, time: (ms) => date(isoTime(ms)) };
  const isNone = result.calls + result.direct === 0 && !result.language && !answer.unsearched;

  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${say.title}</title>
        <style>
          ${paperStyle}
        </style>
      </head>
      <body class="answer">
        <main>
          <h1>${say.title}</h1>
          <p class="lead">${say.intro}</p>
          <p class="soft">${say.made({ time: date(madeAt) })}</p>
          <h2>${say.controller.heading}</h2>
          ${facts([
            [say.controller.name, controller.name ?? say.notStated],
            [say.controller.contact, controller.contact ?? say.notStated],
            ...(controller.dataProtectionOfficer === undefined
              ? []
              : [[say.controller.officer, controller.dataProtectionOfficer] as const]),
          ])}
          ${periodPart(words)}
          ${isNone ? paragraph(answer.person.kind === 'employee' ? say.employee.none : say.none) : [erasedPart(words), keptPart(words), openPart(words), tracePart(words)]}
          <h2>${say.rightsHeading}</h2>
          ${paragraph(say.rights)} ${authorities.length === 0 ? '' : [paragraph(say.authority), bullets(authorities)]}
        </main>
      </body>
    </html> `.html;
}
