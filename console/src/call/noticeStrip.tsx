import type { Receipt } from '../../../src/receipt/receipt.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';

/** Before the recording: each sentence of the notice, the yes, and the moment at which the recorder began, on a scale of their own. */

type Drawn = { from: number; ms: number; began: number };

/** undefined where a time is missing. */
function scaleOf({ notice, recording }: Receipt): Drawn | undefined {
  const first = notice.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null;
  const began = recording?.startedAt ?? null;
  if (first === null || began === null) return undefined;
  const [from, to] = [Date.parse(first), Date.parse(began)];

  // Room for a piece of the recording behind the line.
  return to > from ? { from, ms: (to - from) / 0.86, began: to } : undefined;
}

const percent = (part: number): string => `${(100 * Math.min(1, Math.max(0, part))).toFixed(3)}%`;

export function NoticeStrip({ receipt }: { receipt: Receipt }) {
  const { say, format } = useSpeech();
  const scale = scaleOf(receipt);
  if (scale === undefined) return null;
  const place = (iso: string): number => (Date.parse(iso) - scale.from) / scale.ms;
  const { consent, notice, recording } = receipt;
  const gap = recording?.gapMs ?? null;

  return (
    <figure class="strip">
      <figcaption>
        {say.player.before}
        <span class="quiet">{say.player.beforeHelp}</span>
      </figcaption>
      <div class="strip-track" aria-hidden="true">
        {notice.map(({ startedAt, finishedAt, prompt, language }, index) => {
          if (startedAt === null) return null;
          const [from, to] = [place(startedAt), place(finishedAt ?? consent.at ?? startedAt)];

          return (
            <span
              key={`${language} ${prompt} ${startedAt}`}
              class="strip-said"
              style={{ left: percent(from), width: percent(to - from) }}
            >
              {index + 1}
            </span>
          );
        })}
        {consent.at !== null && consent.answer === 'accepted' && (
          <span class="strip-yes" style={{ left: percent(place(consent.at)) }} />
        )}
        <span class="strip-recording" style={{ left: percent((scale.began - scale.from) / scale.ms) }} />
      </div>
      <p class="strip-began">
        {gap === null
          ? say.call.steps.recorderBegan
          : fill(say.call.steps.recorderBeganAfter, { gap: format.length(gap) })}
      </p>
    </figure>
  );
}
