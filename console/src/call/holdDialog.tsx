import type { CallDetail } from '../api/types.ts';
import type { Problem } from '../api/problem.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { dayIn, lastDay, type HoldDraft } from './holdDraft.ts';

type Grounds = CallDetail['holdGrounds'];
type FieldsProps = { grounds: Grounds; draft: HoldDraft; onDraft: (draft: HoldDraft) => void };

function GroundField({ grounds, draft, onDraft }: FieldsProps) {
  const { say } = useSpeech();

  return (
    <div class="field">
      <label for="hold-ground">{say.call.holdGround}</label>
      <select
        id="hold-ground"
        value={draft.ground}
        onChange={({ currentTarget: { value } }) => {
          onDraft({ ...draft, ground: grounds.find((each) => each === value) ?? draft.ground });
        }}
      >
        {grounds.map((ground) => (
          <option key={ground} value={ground}>
            {say.call.grounds[ground]}
          </option>
        ))}
      </select>
    </div>
  );
}

function Fields({ grounds, draft, onDraft }: FieldsProps) {
  const { say } = useSpeech();

  return (
    <>
      <GroundField grounds={grounds} draft={draft} onDraft={onDraft} />
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
          min={dayIn(0, Date.now())}
          max={lastDay(Date.now())}
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

/** What is asked, and what was typed, is with who opens this: it may be closed meanwhile. */
export type Setting = { draft: HoldDraft; isAsking: boolean; problem: Problem | undefined };

/** What was typed stays until the hold is set: a refusal, a network that drops, or Escape loses nothing of it. */
export function HoldDialog({
  grounds,
  setting: { draft, isAsking, problem },
  onDraft,
  onClose,
  onSubmit,
}: {
  grounds: Grounds;
  setting: Setting;
  onDraft: (draft: HoldDraft) => void;
  onClose: () => void;
  onSubmit: () => void;
}) {
  const { say } = useSpeech();

  return (
    <Dialog title={say.call.holdTitle} onClose={onClose}>
      <p>{say.call.holdIntro}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <Fields grounds={grounds} draft={draft} onDraft={onDraft} />
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
