import type { ComponentChildren } from 'preact';
import type { SystemState } from '../../../src/web/routes/system.ts';
import { counted, fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { causeText } from './cause.ts';

/** What waits for the archive, and why. */

export function UploadsCard({ uploads, children }: Pick<SystemState, 'uploads'> & { children?: ComponentChildren }) {
  const { language, say, format } = useSpeech();
  const { figures } = say;
  const most = Math.max(1, ...uploads.map(({ recordings }) => recordings));

  return (
    <section class="card" aria-labelledby="uploads">
      <h2 id="uploads">{figures.uploads}</h2>
      {uploads.length === 0 ? (
        <p class="quiet">{figures.uploadsNone}</p>
      ) : (
        <ul class="bars">
          {uploads.map(({ failure, recordings, oldestAt }) => (
            <li key={failure ?? ''} class={failure === null ? undefined : 'bars-fault'}>
              <span>
                {causeText(failure, say)}
                {oldestAt !== null && (
                  <span class="quiet"> {fill(figures.uploadsOldest, { time: format.shortTime(oldestAt) })}</span>
                )}
              </span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${(100 * recordings) / most}%` }} />
              </span>
              <span class="bar-count">{counted(language, figures.recordings, recordings)}</span>
            </li>
          ))}
        </ul>
      )}
      {children}
    </section>
  );
}
