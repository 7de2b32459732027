/** What a page says of the time while they talked: pauses, what was made silent, and who came. */
import { html, type Part } from '../../../core/text/markup.ts';
import type { ReceiptFacts } from '../format.ts';
import { marked, paragraph, plain } from './markup.ts';
import type { ExplanationTexts } from './texts.ts';
import { pausesIn, type SilentSpan } from './soundFigure.ts';

/** The facts, and how they are said in the language of the page. */
export type PageFacts = {
  receipt: ReceiptFacts;
  silent: readonly SilentSpan[];
  say: ExplanationTexts;
  /** In seconds, as it is written in this language. */
  seconds: (ms: number) => string;
  time: (iso: string | null | undefined) => string;
};

/** A frame either way, and what an event of the end may be late, ms. */
const unexplainedFromMs = 1_000;

const list = (items: readonly string[]): Part =>
  html`<ul>
    ${items.map((each) => html`<li>${marked(each)}</li> `)}
  </ul>`;

/** From begin to end, ms, and how long the file is; undefined where a time is missing. */
function spanOf({ recording }: ReceiptFacts): { wall: number; file: number } | undefined {
  const { startedAt, finishedAt, durationMs: file } = recording;
  if (startedAt === null || finishedAt === null || file === null) return undefined;

  return { wall: Date.parse(finishedAt) - Date.parse(startedAt), file };
}

/** Why begin and end are further apart than the file is long. */
export function apartPart({ receipt, say, seconds, time }: PageFacts): Part {
  const span = spanOf(receipt);
  if (span === undefined) return '';
  const { wall, file } = span;
  const pauses = pausesIn(receipt);
  const missing = wall - file;
  if (missing < unexplainedFromMs && pauses.length === 0) return '';
  const lengths = pauses.map(({ from, to }) =>
    from === null || to === null ? undefined : Date.parse(to) - Date.parse(from),
  );
  const rest = missing - lengths.reduce((sum: number, each) => sum + (each ?? 0), 0);
  const ofTheRest = lengths.includes(undefined) ? say.pausedOrMore : say.unexplained;

  return html`<p>${say.apart({ wall: seconds(wall), file: seconds(file), missing: seconds(Math.max(0, missing)) })}</p>
    ${list([
      ...pauses.map(({ from, to, isAsked }) => {
        const times = { from: time(from), to: time(to) };
        return isAsked ? say.pausedOnRequest(times) : say.pausedFor(times);
      }),
      ...(rest < unexplainedFromMs ? [] : [ofTheRest({ seconds: seconds(rest) })]),
    ])}`;
}

function silenceText({ receipt, silent, say, seconds }: PageFacts): string[] {
  const isBlanked =
    receipt.recording.flags.includes('unwatched_blanked') ||
    (receipt.unwatched ?? []).some(({ judged }) => judged === 'blanked');
  if (silent.length === 0) return isBlanked ? [say.silencedSomewhere] : [];

  return silent.map(({ fromMs, toMs, why }) => {
    const place = { from: seconds(fromMs), to: seconds(toMs) };

    return why === 'pause' ? say.silencedForPause(place) : say.silenced(place);
  });
}

function changeTexts({ receipt, say, time }: PageFacts): string[] {
  const changes = receipt.changes ?? [];

  return changes.flatMap(({ change, at }, index) => {
    if (change === 'joined') return [say.joined({ at: time(at) })];
    if (change === 'transferred') return [say.transferred({ at: time(at) })];
    if (change === 'awareJoined') return [say.awareJoined({ at: time(at) })];
    if (change === 'newcomerTold') return [say.newcomerTold({ at: time(at) })];
    if (change === 'recordAsked') return [say.recordAsked({ at: time(at) })];
    if (change === 'agreementMarked') return [say.agreementMarked({ at: time(at) })];
    if (change === 'newcomerRefused') return [say.newcomerRefused({ at: time(at) })];
    if (change !== 'unheard') return [];
    const { party } = changes[index] ?? {};
    const again = changes.slice(index).find((each) => each.change === 'heardAgain' && each.party === party);

    const from = time(at);

    return [again === undefined ? say.unheardToTheEnd({ from }) : say.unheard({ from, to: time(again.at) })];
  });
}

/** What was made silent, and who came or could not be heard. */
export function meanwhilePart(facts: PageFacts): Part {
  const happened = [...silenceText(facts), ...changeTexts(facts)];

  return happened.length === 0
    ? ''
    : html`<p>${facts.say.meanwhile}</p>
        ${list(happened)}`;
}

export function soundNotes({ receipt, say }: PageFacts): Part {
  const { flags } = receipt.recording;
  const pauses = pausesIn(receipt).length;

  return [
    // Where begin, end and length are known each pause is told with its times.
    pauses === 0 || spanOf(receipt) !== undefined ? '' : paragraph(say.pauses(pauses)),
    flags.length === 0 ? '' : paragraph(say.flags({ list: flags.map((flag) => `\`${plain(flag)}\``).join(', ') })),
  ];
}
