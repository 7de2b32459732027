import { useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Approval } from '../api/types.ts';
import { counted } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';

/** How long a yes counts, h; without one it is what the company has set, which is the most as well. */
const choices = [1, 4, 8, 24, 72] as const;

function HoursField({ id, hours, onHours }: { id: string; hours: string; onHours: (hours: string) => void }) {
  const { language, say } = useSpeech();

  return (
    <div class="field">
      <label for={id}>{say.approvals.hours}</label>
      <select
        id={id}
        value={hours}
        onChange={({ currentTarget: { value } }) => {
          onHours(value);
        }}
      >
        <option value="">{say.approvals.usual}</option>
        {choices.map((each) => (
          <option key={each} value={String(each)}>
            {counted(language, say.approvals.hoursCounted, each)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Yes, for so long, or no. What was chosen stays where the answer was not taken. */
export function AnswerForm({ approval, onDone }: { approval: Approval; onDone: (answered: Approval) => void }) {
  const { say } = useSpeech();
  const [hours, setHours] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const answer = (verdict: 'approved' | 'refused'): void => {
    setAsking(true);
    setProblem(undefined);
    const body = verdict === 'approved' && hours !== '' ? { verdict, hours: Number(hours) } : { verdict };
    ask<Approval>(`/approvals/${approval.id}/answer`, { method: 'POST', body }).then(onDone, (thrown: unknown) => {
      setAsking(false);
      setProblem(asProblem(thrown));
    });
  };

  return (
    <div class="decide">
      <HoursField id={`hours-${approval.id}`} hours={hours} onHours={setHours} />
      <button
        type="button"
        class="button button-main"
        disabled={isAsking}
        onClick={() => {
          answer('approved');
        }}
      >
        <Icon name="check" />
        {say.approvals.approve}
      </button>
      <button
        type="button"
        class="button"
        disabled={isAsking}
        onClick={() => {
          answer('refused');
        }}
      >
        {say.approvals.refuse}
      </button>
      {problem !== undefined &&
        (problem.places.includes('body.hours') ? (
          <p class="note note-problem" role="alert">
            {say.approvals.tooLong}
          </p>
        ) : (
          <ProblemNote problem={problem} />
        ))}
    </div>
  );
}
