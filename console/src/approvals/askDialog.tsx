import { useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Approval } from '../api/types.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useDraft } from '../ui/drafts.tsx';
import { formText } from '../ui/formText.ts';
import { ProblemNote } from '../ui/notes.tsx';

/** As the API takes a reason. */
const reasonLength = { least: 10, most: 500 };

function Fields({
  purposes,
  reason,
  onReason,
}: {
  purposes: readonly string[];
  reason: string;
  onReason: (reason: string) => void;
}) {
  const { say, purposeName } = useSpeech();

  return (
    <>
      <div class="field">
        <label for="ask-purpose">{say.list.purpose}</label>
        <select id="ask-purpose" name="purpose">
          {purposes.map((each) => (
            <option key={each} value={each}>
              {purposeName(each)}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="ask-reason">{say.approvals.reason}</label>
        <textarea
          id="ask-reason"
          rows={4}
          minLength={reasonLength.least}
          maxLength={reasonLength.most}
          required
          aria-describedby="ask-reason-help"
          value={reason}
          onInput={({ currentTarget: { value } }) => {
            onReason(value);
          }}
        />
        <p id="ask-reason-help" class="quiet">
          {say.approvals.reasonHelp}
        </p>
      </div>
    </>
  );
}

const isTyped = (reason: string): boolean => reason.trim() !== '';

/** What was typed stays until the request is sent, also where the dialogue is closed meanwhile. */
export function AskDialog({
  recording,
  purposes,
  onClose,
  onDone,
}: {
  recording: string;
  purposes: readonly string[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { say } = useSpeech();
  const [reason, changeReason] = useDraft<string>(`ask ${recording}`, '', isTyped);
  const setReason = (typed: string): void => {
    changeReason(() => typed);
  };
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const purpose = formText(new FormData(event.currentTarget), 'purpose');
    setAsking(true);
    setProblem(undefined);
    ask<Approval>(`/recordings/${recording}/approvals`, { method: 'POST', body: { purpose, reason } }).then(
      () => {
        setReason('');
        onDone();
      },
      (thrown: unknown) => {
        setAsking(false);
        setProblem(asProblem(thrown));
      },
    );
  };

  return (
    <Dialog title={say.approvals.ask} onClose={onClose}>
      <p>{say.approvals.neededText}</p>
      <form class="form" onSubmit={submit}>
        <Fields purposes={purposes} reason={reason} onReason={setReason} />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {say.list.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={isAsking}>
            {say.approvals.send}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
