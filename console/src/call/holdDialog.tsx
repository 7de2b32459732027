import { useState } from 'preact/hooks';
import { holdGrounds, type HoldGround } from '../../../src/catalogue/holdGrounds.ts';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Hold } from '../api/types.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ProblemNote } from '../ui/notes.tsx';

const dayMs = 86_400_000;

/** As the API has days: of UTC. */
const dayIn = (days: number, from = Date.now()): string => new Date(from + days * dayMs).toISOString().slice(0, 10);

/** What was typed for a hold that is not set yet. */
export type HoldDraft = { ground: HoldGround; reason: string; until: string };

/** @param keptUntil when it would be erased without one: a hold that ends before keeps nothing longer */
export const freshHold = (keptUntil: string | null): HoldDraft => ({
  ground: holdGrounds[0],
  reason: '',
  until: dayIn(180, Math.max(Date.now(), Date.parse(keptUntil ?? '') || 0)),
});

function Fields({ draft, onDraft }: { draft: HoldDraft; onDraft: (draft: HoldDraft) => void }) {
  const { say } = useSpeech();

  return (
    <>
      <div class="field">
        <label for="hold-ground">{say.call.holdGround}</label>
        <select
          id="hold-ground"
          value={draft.ground}
          onChange={({ currentTarget: { value } }) => {
            onDraft({ ...draft, ground: holdGrounds.find((each) => each === value) ?? draft.ground });
          }}
        >
          {holdGrounds.map((ground) => (
            <option key={ground} value={ground}>
              {say.call.grounds[ground]}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="hold-reason">{say.call.holdReason}</label>
        <textarea
          id="hold-reason"
          rows={3}
          maxLength={1000}
          required
          aria-describedby="hold-reason-help"
          value={draft.reason}
          onInput={({ currentTarget: { value } }) => {
            onDraft({ ...draft, reason: value });
          }}
        />
        <p id="hold-reason-help" class="quiet">
          {say.call.holdReasonHelp}
        </p>
      </div>
      <div class="field">
        <label for="hold-until">{say.call.holdEnd}</label>
        <input
          id="hold-until"
          type="date"
          min={dayIn(0)}
          required
          value={draft.until}
          onInput={({ currentTarget: { value } }) => {
            onDraft({ ...draft, until: value });
          }}
        />
      </div>
    </>
  );
}

/** What was typed stays until the hold is set, with who opens this: a refusal, a network that drops, or Escape loses nothing of it. */
export function HoldDialog({
  recording,
  draft,
  onDraft,
  onClose,
  onDone,
}: {
  recording: string;
  draft: HoldDraft;
  onDraft: (draft: HoldDraft) => void;
  onClose: () => void;
  onDone: () => void;
}) {
  const { say } = useSpeech();
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setAsking(true);
    setProblem(undefined);
    ask<Hold>(`/recordings/${recording}/holds`, { method: 'POST', body: draft }).then(onDone, (thrown: unknown) => {
      setAsking(false);
      setProblem(asProblem(thrown));
    });
  };

  return (
    <Dialog title={say.call.holdTitle} onClose={onClose}>
      <p>{say.call.holdIntro}</p>
      <form class="form" onSubmit={submit}>
        <Fields draft={draft} onDraft={onDraft} />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {say.list.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={isAsking}>
            {say.call.holdSubmit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
