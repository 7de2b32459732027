import { useEffect, useState } from 'preact/hooks';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from './dialog.tsx';
import { askedNow, leaveAll, leaving, stay } from './unsaved.ts';

/** Asks whoever would lose what they have typed. */
export function LeaveDialog() {
  const { say } = useSpeech();
  const [asked, setAsked] = useState(askedNow);
  useEffect(() => {
    const look = (): void => {
      setAsked(askedNow());
    };
    leaving.addEventListener('asked', look);

    return () => {
      leaving.removeEventListener('asked', look);
    };
  }, []);
  if (asked === undefined) return null;

  return (
    <Dialog title={say.leave.title} onClose={stay}>
      <p>{say.leave.text}</p>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={leaveAll}>
          {say.leave.leave}
        </button>
        <button type="button" class="button button-main" onClick={stay}>
          {say.leave.stay}
        </button>
      </div>
    </Dialog>
  );
}
