import { useState } from 'preact/hooks';
import { holdGrounds } from '../../../src/catalogue/holdGrounds.ts';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Hold } from '../api/types.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { formText } from '../ui/formText.ts';
import { ProblemNote } from '../ui/notes.tsx';
import { useUnsaved } from '../ui/unsaved.ts';

const dayMs = 86_400_000;

/** As the API has days: of UTC. */
const dayIn = (days: number): string => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10);

function Fields() {
  const { say } = useSpeech();

  return (
    <>
      <div class="field">
        <label for="hold-ground">{say.call.holdGround}</label>
        <select id="hold-ground" name="ground">
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
          name="reason"
          rows={3}
          maxLength={1000}
          required
          aria-describedby="hold-reason-help"
        />
        <p id="hold-reason-help" class="quiet">
          {say.call.holdReasonHelp}
        </p>
      </div>
      <div class="field">
        <label for="hold-until">{say.call.holdEnd}</label>
        <input id="hold-until" name="until" type="date" min={dayIn(0)} defaultValue={dayIn(180)} required />
      </div>
    </>
  );
}

/** What was typed stays until the hold is set: a refusal, or a network that drops, loses nothing of it. */
export function HoldDialog({
  recording,
  onClose,
  onDone,
}: {
  recording: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const { say } = useSpeech();
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const [isTyped, setTyped] = useState(false);
  useUnsaved(isTyped);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(event.currentTarget);
    const body = { ground: formText(data, 'ground'), reason: formText(data, 'reason'), until: formText(data, 'until') };
    setAsking(true);
    setProblem(undefined);
    ask<Hold>(`/recordings/${recording}/holds`, { method: 'POST', body }).then(onDone, (thrown: unknown) => {
      setAsking(false);
      setProblem(asProblem(thrown));
    });
  };

  return (
    <Dialog title={say.call.holdTitle} onClose={onClose}>
      <p>{say.call.holdIntro}</p>
      <form
        class="form"
        onSubmit={submit}
        onInput={() => {
          setTyped(true);
        }}
      >
        <Fields />
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
