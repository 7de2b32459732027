import { useEffect } from 'preact/hooks';
import type { Approval, ApprovalPage } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';

/** So often it is asked whether somebody has answered, ms; and for so long, since a session that is asked for something does not end. */
const askAgainMs = 5_000;
const mostAsked = 120;
const longestTimer = 2_147_000_000;

/**
 * What this user asked last of a recording; undefined where they did not, or it is not known yet. While it is open, it is asked again.
 *
 * @param recording undefined: nothing is asked
 */
export function useOwnApproval(recording: string | undefined): { own: Approval | undefined; again: () => void } {
  const asked = useAsked<ApprovalPage>(recording === undefined ? undefined : '/approvals/own?limit=200');
  const own = asked.kind === 'given' ? asked.answer.approvals.find((each) => each.recording === recording) : undefined;
  const { again } = asked;
  const isOpen = own?.state === 'open';
  useEffect(() => {
    if (!isOpen) return undefined;
    let left = mostAsked;
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return;
      again();
      left -= 1;
      if (left === 0) clearInterval(timer);
    }, askAgainMs);

    return () => {
      clearInterval(timer);
    };
  }, [isOpen, again]);

  return { own, again };
}

/** Tells when the time has come, once. @param iso undefined: nothing is waited for */
export function useMoment(iso: string | undefined, come: () => void): void {
  useEffect(() => {
    if (iso === undefined) return undefined;
    const left = Date.parse(iso) - Date.now();
    if (left <= 0) return undefined;
    // A clock of theirs that runs ahead of the server's would ask a little too early.
    const timer = setTimeout(come, Math.min(longestTimer, left + 1_000));

    return () => {
      clearTimeout(timer);
    };
  }, [iso, come]);
}
