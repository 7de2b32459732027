import { useState } from 'preact/hooks';
import type { PersonFound } from '../api/types.ts';
import { counted } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useWarningBeforeEnd } from '../ui/beforeEnd.ts';
import { ProblemNote } from '../ui/notes.tsx';
import { isNothing } from './request.ts';
import type { RequestControl } from './useRequest.ts';

/** Erasing what may be erased, said before it is done, and what stays. */

const countOf = ({ recordings }: PersonFound, kind: 'erase' | 'kept'): number =>
  recordings.filter(({ outcome }) => outcome.kind === kind).length;

function Confirm({ found, onClose, onConfirm }: { found: PersonFound; onClose: () => void; onConfirm: () => void }) {
  const { language, say } = useSpeech();
  const kept = countOf(found, 'kept');

  return (
    <Dialog title={say.persons.confirmTitle} onClose={onClose}>
      <ul class="confirm">
        <li>
          <strong>{counted(language, say.persons.willErase, countOf(found, 'erase'))}</strong>
        </li>
        {kept > 0 && <li>{counted(language, say.persons.willKeep, kept)}</li>}
        {found.unrecordedCalls > 0 && <li>{say.persons.willForget}</li>}
      </ul>
      <p>{say.persons.confirmText}</p>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          {say.list.cancel}
        </button>
        <button type="button" class="button button-main" onClick={onConfirm}>
          {say.persons.confirm}
        </button>
      </div>
    </Dialog>
  );
}

function Evidence({ control, isAsking }: { control: RequestControl; isAsking: boolean }) {
  const { say } = useSpeech();
  const { includeEvidence } = control.request;

  return (
    <div class="field">
      <label class="tick">
        <input
          type="checkbox"
          checked={includeEvidence}
          disabled={isAsking}
          aria-describedby="evidence-help"
          onChange={() => {
            // What would become of each recording is asked anew.
            control.find({ includeEvidence: !includeEvidence });
          }}
        />
        {say.persons.includeEvidence}
      </label>
      <p id="evidence-help" class="quiet">
        {say.persons.includeEvidenceHelp}
      </p>
    </div>
  );
}

export function EraseCard({ control, found }: { control: RequestControl; found: PersonFound }) {
  const { language, say } = useSpeech();
  const [isOpen, open] = useState(false);
  const { step, includeEvidence } = control.request;
  const isAsking = step.kind === 'erasing';
  const isLooking = step.kind === 'searching';
  // Whoever leaves now gets no answer to hand on.
  useWarningBeforeEnd(isAsking);
  const count = countOf(found, 'erase');
  const hasEvidence = found.recordings.some(({ outcome }) =>
    (outcome.exceptions ?? []).some(({ ground }) => ground === 'evidence'),
  );
  const words =
    count > 0
      ? counted(language, say.persons.eraseSome, count)
      : isNothing(found)
        ? say.persons.answerOnly
        : say.persons.eraseNone;

  return (
    <section class="card" aria-labelledby="erase">
      <h2 id="erase">{say.persons.steps.erase}</h2>
      <p>{say.persons.eraseText}</p>
      {(hasEvidence || includeEvidence) && <Evidence control={control} isAsking={isAsking || isLooking} />}
      {step.kind === 'refused' && <ProblemNote problem={step.problem} />}
      <p class="tasks">
        {isAsking ? (
          <span role="status">
            <span class="spinner" aria-hidden="true" /> {say.persons.erasing}
          </span>
        ) : (
          <button
            type="button"
            class="button button-main"
            disabled={isLooking}
            onClick={() => {
              open(true);
            }}
          >
            {words}
          </button>
        )}
      </p>
      {isOpen && (
        <Confirm
          found={found}
          onClose={() => {
            open(false);
          }}
          onConfirm={() => {
            open(false);
            control.erase();
          }}
        />
      )}
    </section>
  );
}
