import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Approval, RecordingDetail } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Waiting } from '../ui/notes.tsx';
import { AskDialog } from './askDialog.tsx';
import { answerText } from './answerText.ts';
import { useOwnApproval } from './useOwnApproval.ts';

/** A recording that is heard only after somebody else has agreed: the way to ask, and what became of it. */

const countsNow = (own: Approval | undefined): boolean =>
  own?.state === 'approved' && own.until !== null && Date.parse(own.until) > Date.now();

function Asking({
  recording,
  purposes,
  own,
  onDone,
}: {
  recording: string;
  purposes: readonly string[];
  own: Approval | undefined;
  onDone: () => void;
}) {
  const { say, format } = useSpeech();
  const [isOpen, open] = useState(false);
  const close = (): void => {
    open(false);
  };

  return (
    <div class="note">
      <p>
        <strong>{say.approvals.needed}</strong>
      </p>
      {own?.state === 'open' ? (
        <p role="status">{fill(say.approvals.waits, { time: format.dayAndTime(own.openUntil) })}</p>
      ) : (
        <>
          <p>{own === undefined ? say.approvals.neededText : answerText(own, say, format)}</p>
          <button
            type="button"
            class="button"
            onClick={() => {
              open(true);
            }}
          >
            <Icon name="hold" />
            {say.approvals.ask}
          </button>
        </>
      )}
      {isOpen && (
        <AskDialog
          recording={recording}
          purposes={purposes}
          onClose={close}
          onDone={() => {
            close();
            onDone();
          }}
        />
      )}
    </div>
  );
}

/**
 * @param otherwise shown where no approval would help
 * @param onOpen once somebody has agreed
 */
export function AskToListen({
  recording,
  otherwise,
  onOpen,
}: {
  recording: string;
  otherwise: ComponentChildren;
  onOpen: () => void;
}) {
  const asked = useAsked<RecordingDetail>(`/recordings/${recording}`);
  const purposes = asked.kind === 'given' ? asked.answer.mayAskFor : [];
  const { own, again } = useOwnApproval(recording);
  const isApproved = countsNow(own);
  useEffect(() => {
    if (isApproved) onOpen();
  }, [isApproved]);
  if (asked.kind === 'waiting') return <Waiting />;
  if (purposes.length === 0) return <>{otherwise}</>;

  return <Asking recording={recording} purposes={purposes} own={own} onDone={again} />;
}
