import type { AuditStep, RecordingDetail } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { useMe } from '../who.ts';
import { fill } from '../text/fill.ts';
import type { Format } from '../text/format.ts';
import type { Messages } from '../messages/en.ts';
import { useSpeech } from '../text/say.tsx';
import { Given } from '../ui/given.tsx';

/** What happened to the recording afterwards, and who has heard or taken it. */

/** What was done, in words; as the trail has it, where there are none. */
export function eventText({ event, from, to, detail }: AuditStep, say: Messages, format: Format): string {
  if (from !== null || to !== null) {
    const statuses = new Map(Object.entries(say.statuses));
    const named = (status: string | null): string => (status === null ? '' : (statuses.get(status) ?? status));

    return from === null
      ? fill(say.audit['began'] ?? '', { to: named(to) })
      : fill(say.audit['status'] ?? '', { from: named(from), to: named(to) });
  }
  const seconds = typeof detail['seconds'] === 'number' ? format.length(detail['seconds'] * 1_000) : '';

  return fill(say.audit[event] ?? event, { seconds });
}

function Steps({ steps }: { steps: readonly AuditStep[] }) {
  const { say, format } = useSpeech();
  if (steps.length === 0) return <p class="quiet">{say.call.historyNone}</p>;

  return (
    // It can be scrolled, by the keyboard as well.
    <ol class="history" tabIndex={0}>
      {steps.map((step, index) => (
        <li key={index}>
          <time dateTime={step.at} title={step.at}>
            {format.day(step.at)} {format.clock(step.at)}
          </time>{' '}
          <strong>{step.actor.replace(/^user:/, '')}</strong> {eventText(step, say, format)}
        </li>
      ))}
    </ol>
  );
}

export function HistoryCard({ recording }: { recording: string }) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const asked = useAsked<RecordingDetail>(acts.includes('read') ? `/recordings/${recording}` : undefined);
  // Who may not read it sees no empty place for it.
  if (asked.kind === 'given' && asked.answer.audit === null) return null;

  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">{say.call.history}</h2>
      <Given asked={asked}>{({ audit }) => <Steps steps={audit ?? []} />}</Given>
    </section>
  );
}
