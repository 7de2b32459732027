/** What was said before a recording, and how loud the recording is, drawn to scale: two strips of SVG that need no script and no font. */
import { html, type Markup, type Part } from '../../../core/text/markup.ts';
import { sentencesHeard, type ReceiptFacts } from '../format.ts';
import type { ExplanationTexts } from './texts.ts';

/** null: the receipt has no time of it. `isAsked`: somebody asked for it; else it was for a hold, or for a newcomer. */
export type Pause = { from: string | null; to: string | null; isAsked: boolean };

/** What was made silent, ms from the beginning of the file. */
export type SilentSpan = { fromMs: number; toMs: number; why?: 'pause' | undefined };

/** When the recorder was paused, in their order. One that does not end lasts to the end. */
export function pausesIn({ changes, recording }: ReceiptFacts): Pause[] {
  const pauses: Pause[] = [];
  let from: string | null | undefined;
  for (const { change, at } of changes ?? []) {
    if (change === 'recorderPaused' && from === undefined) from = at ?? null;
    if (change !== 'recorderResumed' || from === undefined) continue;
    pauses.push({ from, to: at ?? null, isAsked: isAskedAt(from, changes) });
    from = undefined;
  }

  return from === undefined
    ? pauses
    : [...pauses, { from, to: recording.finishedAt, isAsked: isAskedAt(from, changes) }];
}

/** Whether somebody had asked for a pause by this time, and it was not over. */
function isAskedAt(time: string | null, changes: ReceiptFacts['changes'] = []): boolean {
  if (time === null) return false;
  let isAsked = false;
  for (const { change, at } of changes) {
    if (at === null || at === undefined || at > time) continue;
    if (change === 'pauseBegan') isAsked = true;
    if (change === 'pauseEnded' || change === 'pauseExpired') isAsked = false;
  }

  return isAsked;
}

/** Where in the file each pause lies, ms, up to the first whose length is not known: behind that no place is known. */
function placesOfPauses(receipt: ReceiptFacts): number[] {
  const { startedAt } = receipt.recording;
  const places: number[] = [];
  let pausedMs = 0;
  for (const { from, to } of startedAt === null ? [] : pausesIn(receipt)) {
    if (startedAt === null || from === null) break;
    places.push(Date.parse(from) - Date.parse(startedAt) - pausedMs);
    if (to === null) break;
    pausedMs += Date.parse(to) - Date.parse(from);
  }

  return places;
}

const percent = (part: number): string => `${(100 * Math.min(1, Math.max(0, part))).toFixed(2)}%`;

/** 75000 ms as 1:15. */
const clockText = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${`${Math.floor((ms % 60_000) / 1_000)}`.padStart(2, '0')}`;

/** Times in between that are easy to read: at most six. */
function ticksOf(ms: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200].map((seconds) => seconds * 1_000);
  const step = steps.find((each) => ms / each <= 6) ?? 14_400_000;

  return Array.from({ length: Math.floor(ms / step) + 1 }, (_none, index) => index * step).filter(
    (at) => at < ms * 0.96,
  );
}

const scale = (ms: number, y: number): Part =>
  ticksOf(ms).map(
    (at) =>
      html`<line
          class="tick"
          x1="${percent(at / ms)}"
          x2="${percent(at / ms)}"
          y1="${`${y - 5}`}"
          y2="${`${y}`}"
        /><text x="${percent(at / ms)}" y="${`${y + 14}`}" dx="2">${clockText(at)}</text>`,
  );

/** The sentences, the yes, and where the recording began; undefined where a time is missing. */
function noticeStrip(receipt: ReceiptFacts, { figure }: ExplanationTexts): Markup | undefined {
  const began = receipt.recording.startedAt;
  const spoken = sentencesHeard(receipt);
  const first = spoken[0]?.startedAt ?? null;
  if (began === null || first === null) return undefined;
  const start = Date.parse(first);
  const ms = (Date.parse(began) - start) / 0.9;
  if (ms <= 0) return undefined;
  const place = (iso: string): number => (Date.parse(iso) - start) / ms;
  const { at } = receipt.consent;
  const bars = spoken.map(({ number, startedAt, finishedAt }) => {
    if (startedAt === null) return '';
    const [from, to] = [place(startedAt), place(finishedAt ?? at ?? startedAt)];

    return html`<rect class="said" x="${percent(from)}" y="8" width="${percent(to - from)}" height="34" rx="3" /><text
        class="number"
        x="${percent((from + to) / 2)}"
        y="30"
        >${`${number}`}</text
      >`;
  });
  const mark = (iso: string, name: string, kind: string): Markup =>
    html`<line class="${kind}" x1="${percent(place(iso))}" x2="${percent(place(iso))}" y1="2" y2="52" />
      <title>${name}</title>`;

  return html`<svg class="strip" role="img" aria-label="${figure.noticeTrack}" width="100%" height="72">
    ${bars} ${at === null ? '' : mark(at, figure.saidYes, 'yes')} ${mark(began, figure.begins, 'began')}
    ${scale(ms, 52)}
  </svg>`;
}

const heightOfSound = 64;

/** Each pair of peaks as one upright line; the loudest fills the strip. */
function soundPath(peaks: Int8Array): string {
  const loudest = Math.max(1, ...Array.from(peaks, Math.abs));
  const lines: string[] = [];
  for (let at = 0; at + 1 < peaks.length; at += 2) {
    const [low, high] = [peaks[at] ?? 0, peaks[at + 1] ?? 0].map((peak) => Math.round((peak * 127) / loudest));
    if (low === undefined || high === undefined) continue;
    lines.push(`M${at / 2}.5 ${127 - high}V${Math.max(127 - low, 128 - high).toFixed(0)}`);
  }

  return lines.join('');
}

/** What is drawn of the recording itself. */
type Drawn = { peaks: Int8Array | undefined; silent: readonly SilentSpan[] };

function soundStrip(receipt: ReceiptFacts, { peaks, silent }: Drawn, { figure }: ExplanationTexts): Part {
  const { durationMs } = receipt.recording;
  if (peaks === undefined || peaks.length < 2 || durationMs === null || durationMs === 0) {
    return html`<p class="note">${figure.noSound}</p>`;
  }
  const silences = silent.map(
    ({ fromMs, toMs }) =>
      html`<rect
        class="silence"
        x="${percent(fromMs / durationMs)}"
        y="0"
        width="${percent((toMs - fromMs) / durationMs)}"
        height="${`${heightOfSound}`}"
      />`,
  );
  const marks = placesOfPauses(receipt).map((place) => {
    const at = percent(place / durationMs);

    return html`<line class="pause" x1="${at}" x2="${at}" y1="0" y2="${`${heightOfSound}`}" />`;
  });

  return html`<svg class="strip" role="img" aria-label="${figure.recordingTrack}" width="100%" height="84">
    ${silences}
    <svg
      viewBox="0 0 ${`${peaks.length / 2}`} 256"
      width="100%"
      height="${`${heightOfSound}`}"
      preserveAspectRatio="none"
    >
      <path class="sound" d="${soundPath(peaks)}" />
    </svg>
    ${marks} ${scale(durationMs, heightOfSound)}
  </svg>`;
}

const key = (kind: string, name: string): Markup => html`<li class="${kind}">${name}</li>`;

export function soundFigure(receipt: ReceiptFacts, drawn: Drawn, say: ExplanationTexts): Markup {
  const { figure } = say;
  const notice = noticeStrip(receipt, say);
  const hasYes = receipt.consent.at !== null;
  const hasSound = drawn.peaks !== undefined;
  const hasPause = hasSound && placesOfPauses(receipt).length > 0;
  const hasSilence = hasSound && drawn.silent.length > 0;

  return html`<figure>
    ${
      notice === undefined
        ? ''
        : html`<h3>${figure.noticeTrack}</h3>
            ${notice}`
    }
    <h3>${figure.recordingTrack}</h3>
    ${soundStrip(receipt, drawn, say)}
    <ul class="legend">
      ${notice === undefined ? '' : key('began', figure.begins)}
      ${notice !== undefined && hasYes ? key('yes', figure.saidYes) : ''} ${hasPause ? key('pause', figure.pause) : ''}
      ${hasSilence ? key('silence', figure.silence) : ''}
    </ul>
    <figcaption>${figure.caption}</figcaption>
  </figure>`;
}
