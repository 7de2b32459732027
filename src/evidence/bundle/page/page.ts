/**
 * The page in plain words about what a bundle shows, for a reader who knows nothing of Préavis: a judge, a caller. It is HTML that needs
 * nothing but the files beside it, runs no script, and can be printed. No numbers and no names of people are in it.
 */
import { leastPart } from '../../../call/decide/verification.ts';
import { createHash } from 'node:crypto';
import type { LegalHoldRow } from '../../../catalogue/retention/legalHolds.ts';
import { isoTime } from '../../../core/clock.ts';
import { exactLocalDate } from '../../../core/text/localDate.ts';
import type { Markup } from '../../../core/text/markup.ts';
import { html, type Part } from '../../../core/text/markup.ts';
import {
  bundleFile,
  explanationLanguages,
  noticeFile,
  sentencesHeard,
  type ExplanationLanguage,
  type ReceiptFacts,
} from '../format.ts';
import type { AuditPart } from '../auditExtract.ts';
import { apartPart, meanwhilePart, soundNotes, type PageFacts } from './events.ts';
import { marked, paragraph, plain } from './markup.ts';
import { explanationStyle } from './style.ts';
import type { ExplanationTexts } from './texts.ts';
import { commandsOf, recipeSteps } from '../recipe.ts';
import { soundFigure, type SilentSpan } from './soundFigure.ts';

export type ExplanationFacts = {
  receipt: ReceiptFacts;
  /** The names of the pages. */
  pages: Readonly<Record<ExplanationLanguage, string>>;
  /** How loud the recording is: the lowest and the highest value of each of its parts; undefined where that was not kept. */
  peaks: Int8Array | undefined;
  /** What Préavis has made silent, by the history. */
  silent: readonly SilentSpan[];
  /** When a purpose ends now, ISO 8601 in UTC: it may have been shortened since the receipt. */
  endOf: (purpose: string) => string | undefined;
  /** Numbers of the sentences whose sound is not in the bundle. */
  missing: readonly number[];
  /** What is shown of its lines in the audit trail, and how many those are. */
  history: AuditPart;
  auditRows: number;
  unchainedRows: number;
  /** Those in force that keep the recording beyond its last purpose. */
  holds: readonly Pick<LegalHoldRow, 'ground' | 'expiresAt'>[];
  kid: string;
  /** Whether there is a time stamp in it. */
  stamped: boolean;
  /** ISO 8601 in UTC. */
  madeAt: string;
  /** Of the times that are told first, as IANA names it. */
  timezone: string;
  madeBy: string;
  company: string | undefined;
  /** What the company calls a purpose in this language; undefined where it does not say. */
  nameOf: (purpose: string, language: ExplanationLanguage) => string | undefined;
  /** Why and on which basis it was recorded for a purpose, as the policy of the call words it in this language; undefined where only the receipt does. */
  wordingOf: (
    purpose: string,
    language: ExplanationLanguage,
  ) => Pick<ReceiptFacts['purposes'][number], 'justification' | 'legalBasis'> | undefined;
};

type Page = PageFacts & { facts: ExplanationFacts; language: ExplanationLanguage };

/** The company's words may have no full stop of their own. */
const ended = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** A player shows nothing where there is no sound to play, and prints nothing. */
const player = (file: string): Markup => html`<audio controls="controls" preload="metadata" src="${file}"></audio>`;

const languageName = (language: ExplanationLanguage, tag: string): string =>
  new Intl.DisplayNames([language], { type: 'language' }).of(tag.replaceAll('_', '-')) ?? tag;

function sentenceItems({ facts, language, say, time }: Page): Part {
  return sentencesHeard(facts.receipt).map((each) => {
    const isMissing = facts.missing.includes(each.number);
    const file = noticeFile(each.number, each);
    const played = say.sentence({
      language: plain(languageName(language, each.language)),
      from: time(each.startedAt),
      to: time(each.finishedAt),
      sha256: each.sha256,
    });

    return html`<li>
      <span class="number">${`${each.number}`}</span>
      <blockquote lang="${each.language.replaceAll('_', '-')}">${say.quote({ words: each.text })}</blockquote>
      ${isMissing ? '' : player(file)}
      ${paragraph(
        `${played} ${each.verified ? say.heardWhole : say.answeredMeanwhile} ${isMissing ? say.soundMissing : say.soundIn({ file })}`,
      )}
    </li> `;
  });
}

/** Of a sentence that was broken off, as by the key that chooses a language; else nothing. */
function cutShort(
  {
    lengthMs,
    startedAt,
    finishedAt,
  }: { lengthMs?: number | undefined; startedAt: string | null; finishedAt: string | null },
  { say, seconds }: Pick<Page, 'say' | 'seconds'>,
): string {
  if (lengthMs === undefined || startedAt === null || finishedAt === null) return '';
  const heardMs = Date.parse(finishedAt) - Date.parse(startedAt);

  return heardMs >= lengthMs * leastPart
    ? ''
    : ` ${say.cutShort({ heard: seconds(heardMs), length: seconds(lengthMs) })}`;
}

/** What was said beside the notice: what confirmed a yes apart from the rest. */
function otherSentences({ facts, say, seconds, time }: Page): Part {
  const said = (facts.receipt.otherSentences ?? []).filter(({ startedAt }) => startedAt !== null);
  const list = (title: string, sentences: typeof said): Part =>
    sentences.length === 0
      ? ''
      : html`<p>${title}</p>
          <ul class="sentences">
            ${sentences.map(
              ({ language, text, lengthMs, startedAt, finishedAt }) =>
                html`<li class="also">
                  <blockquote lang="${language.replaceAll('_', '-')}">${say.quote({ words: text })}</blockquote>
                  ${paragraph(
                    `${time(startedAt)} – ${time(finishedAt)}${cutShort({ lengthMs, startedAt, finishedAt }, { say, seconds })}`,
                  )}
                </li> `,
            )}
          </ul>`;

  return [
    list(
      say.acknowledged,
      said.filter(({ kind }) => kind === 'optInAck'),
    ),
    list(
      say.alsoSaid,
      said.filter(({ kind }) => kind !== 'optInAck'),
    ),
  ];
}

/** A shorter notice counts by a whole one that was heard before, in a call that is not in this bundle. */
const earlierPart = ({ receipt: { earlierNotice }, say, time }: Page): Part =>
  earlierNotice === undefined
    ? ''
    : paragraph(say.earlier({ call: plain(earlierNotice.call), at: time(earlierNotice.finishedAt) }));

/** For a while no key would have been heard. */
const wasDeaf = ({ recording }: ReceiptFacts): boolean => recording.flags.includes('keys_unheard');

function consentText({ facts: { receipt }, say, time }: Page): string {
  const { consent } = receipt;
  if (consent.mode === null) return `${say.glance.choice}: ${say.glance.notStated}.`;
  if (consent.mode === 'optOut') return wasDeaf(receipt) ? say.refusalUnknown : say.couldRefuse;
  if (consent.mode === 'announce') return say.announced;

  return say.saidYes({ key: plain(consent.digits ?? '?'), at: time(consent.at) });
}

/** Its id is what the receipt has. */
function purposeText(id: string, name: string | undefined): string {
  return name === undefined ? `**${plain(id)}**` : `**${plain(name)}** (\`${plain(id)}\`)`;
}

function purposePart({ facts, language, say, time }: Page): Part {
  const { receipt, holds, nameOf, wordingOf, endOf } = facts;
  const endsOf = (id: string, stated: string | null | undefined): { until: string; more: string } => {
    const now = endOf(id);
    const isShortened = typeof stated === 'string' && now !== undefined && Date.parse(now) < Date.parse(stated);

    return {
      until: time(isShortened ? now : (stated ?? now)),
      more: isShortened ? say.shortened({ before: time(stated) }) : '',
    };
  };
  // A hold ends with the last millisecond of its day. Two that say the same are said once.
  const held = new Set(
    holds.map(({ ground, expiresAt }) =>
      say.held({ why: say.holdGrounds[ground], until: isoTime(expiresAt).slice(0, 10) }),
    ),
  );

  return html`<ul>
      ${receipt.purposes.map(({ id, justification, legalBasis, keepDays, keepUntil }) => {
        const { until, more } = endsOf(id, keepUntil);
        const worded = wordingOf(id, language) ?? { justification, legalBasis };
        const said = say.purpose({
          purpose: purposeText(id, nameOf(id, language)),
          why: ended(plain(worded.justification)),
          basis: plain(worded.legalBasis),
          days: say.days(keepDays),
          until,
        });

        return html`<li>${marked(`${said} ${more}`.trimEnd())}</li> `;
      })}
    </ul>
    ${paragraph([say.policy({ version: plain(receipt.policyVersion) }), ...held].join(' '))}`;
}

const choiceOf: Readonly<Record<'announce' | 'optOut' | 'optIn', keyof ExplanationTexts['choices']>> = {
  announce: 'announced',
  optOut: 'couldRefuse',
  optIn: 'saidYes',
};

function glancePart({ facts, say, seconds, time: timeText }: Page): Markup {
  const { receipt, kid, stamped } = facts;
  const { glance } = say;
  const { id, startedAt, finishedAt, durationMs, gapMs } = receipt.recording;
  const { mode } = receipt.consent;
  const isUnheard = mode === 'optOut' && wasDeaf(receipt);
  const choice = mode === null ? glance.notStated : say.choices[isUnheard ? 'unheard' : choiceOf[mode]];
  const stated = (text: string | null | undefined): string => text ?? glance.notStated;
  const time = (iso: string | null): string => stated(iso === null ? null : timeText(iso));
  const span = (ms: number | null): string => stated(ms === null ? null : `${seconds(ms)} s`);
  const fact = (name: string, value: Part, kind = ''): Markup =>
    html`<div class="${kind}">
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div> `;

  return html`<dl class="facts">
    ${fact(glance.began, time(startedAt))} ${fact(glance.ended, time(finishedAt))}
    ${fact(glance.lasts, span(durationMs))} ${fact(glance.after, span(gapMs))} ${fact(glance.choice, choice)}
    ${fact(glance.stamp, stamped ? say.stamps.yes : say.stamps.no)}
    ${fact(glance.recording, html`<code>${id}</code>`, 'wide')} ${fact(glance.key, html`<code>${kid}</code>`, 'wide')}
  </dl>`;
}

function checkPart({ facts, say, time }: Page): Part {
  const { kid, stamped, madeAt, history, auditRows: rows, unchainedRows: unchained } = facts;
  const older = unchained === 0 ? [] : [say.historyUnchained(unchained)];
  const steps = recipeSteps.filter((step) => step !== 'stamp' || stamped);

  return html`${paragraph(say.check({ kid }))} ${paragraph(say.byHand)}
    ${steps.map(
      (step, index) =>
        html`<p class="step"><b>${`${index + 1}.`}</b> ${marked(say.steps[step])}</p>
          <pre><code>${commandsOf(step)}</code></pre> `,
    )}
    <p></p>
    ${paragraph([say.history({ rows }), ...(history === 'own' ? [say.historyOwn] : []), ...older, stamped ? say.stamped : say.notStamped({ madeAt: time(madeAt) })].join(' '))}`;
}

const style = `<style>${explanationStyle}</style>`;
const styleHash = createHash('sha256').update(explanationStyle).digest('base64');
/** Nothing is fetched but sounds that lie beside the page, and nothing runs. */
const contentPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; media-src 'self' file:; base-uri 'none'; form-action 'none'`;

const witnesses = ['agrees', 'disagrees', 'missing', 'unavailable'] as const;

function witnessText({ facts: { receipt }, say }: Page): string {
  const { witness } = receipt;
  if (witness === undefined || witness === null) return say.witness.notCompared;

  return say.witness[witnesses.find((status) => status === witness.status) ?? 'unavailable'];
}

/** @param say the texts in this language */
// eslint-disable-next-line max-lines-per-function -- The parts of the page in their order.
export function explanationPage(language: ExplanationLanguage, say: ExplanationTexts, facts: ExplanationFacts): string {
  const { receipt, company, madeAt, madeBy, timezone, pages, peaks, silent } = facts;
  const { recording } = receipt;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3, useGrouping: false });
  const seconds = (ms: number): string => number.format(ms / 1_000);
  const time = (iso: string | null | undefined): string =>
    typeof iso === 'string' ? exactLocalDate(iso, timezone) : say.unknownTime;
  const page: Page = { facts, receipt, silent, language, say, seconds, time };
  const others = explanationLanguages.filter((each) => each !== language);
  const gap = recording.gapMs === null ? say.gapUnknown : say.gap({ seconds: seconds(recording.gapMs) });
  const about =
    company === undefined
      ? say.about({ recording: recording.id })
      : say[receipt.call.direction === 'outgoing' ? 'aboutMade' : 'aboutReceived']({
          recording: recording.id,
          company: plain(company),
        });
  const intro = say.intro({ madeAt: time(madeAt), madeBy, timezone });
  const call = say.call({
    began: time(recording.startedAt),
    ended: time(recording.finishedAt),
    seconds: recording.durationMs === null ? '?' : seconds(recording.durationMs),
    bytes: `${recording.bytes}`,
    sha256: recording.sha256,
  });

  const body = html`<main>
    <nav>
      <span>${say.otherPages}:</span>
      ${others.map((each) => html`<a href="${pages[each]}" lang="${each}">${languageName(each, each)}</a> `)}
    </nav>
    <h1>${say.title}</h1>
    ${paragraph(`${about} ${intro}`)} ${glancePart(page)} ${soundFigure(receipt, { peaks, silent }, say)}
    <h2>${say.callTitle}</h2>
    ${paragraph(call)} ${player(bundleFile.recording)} ${apartPart(page)} ${meanwhilePart(page)} ${soundNotes(page)}
    <h2>${say.noticeTitle}</h2>
    <p>${say.noticeIntro}</p>
    <ol class="sentences">
      ${sentenceItems(page)}
    </ol>
    ${earlierPart(page)} ${paragraph(`${gap} ${witnessText(page)}`)}
    <h2>${say.consentTitle}</h2>
    ${paragraph(consentText(page))} ${otherSentences(page)}
    <h2>${say.purposeTitle}</h2>
    ${purposePart(page)}
    <section class="limits">
      <h2>${say.limitsTitle}</h2>
      ${paragraph(say.limits)}
    </section>
    <h2>${say.checkTitle}</h2>
    ${checkPart(page)}
  </main>`;

  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${html`${say.title} – ${recording.id}`.html}</title>
${style}
</head>
<body>
${body.html}
</body>
</html>
`;
}
