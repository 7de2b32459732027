import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/problem.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import type { Messages } from '../messages/en.ts';

export function problemText(problem: Pick<Problem, 'code'>, say: Messages): string {
  const known = new Map(Object.entries(say.problems));

  return known.get(problem.code) ?? fill(say.problems.other, { code: problem.code });
}

/** What went wrong, and a way to try again. */
export function ProblemNote({ problem, onRetry }: { problem: Problem; onRetry?: (() => void) | undefined }) {
  const { say } = useSpeech();

  return (
    <div class="note note-problem" role="alert">
      <p>{problemText(problem, say)}</p>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          {say.app.retry}
        </button>
      )}
    </div>
  );
}

type EmptyProps = { title: string; text: string; isPage?: boolean; children?: ComponentChildren };

/** Where there is nothing to show: why, and what to do. `isPage`: it is all that the page has, and its title that of the page. */
export function Empty({ title, text, isPage = false, children }: EmptyProps) {
  return (
    <div class="empty">
      <svg class="empty-picture" viewBox="0 0 120 32" aria-hidden="true">
        <path d="M2 16h26M92 16h26" />
        <path d="M34 11v10M42 7v18M50 12v8M60 3v26M70 12v8M78 7v18M86 11v10" />
      </svg>
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p>{text}</p>
      {children}
    </div>
  );
}

export function Waiting() {
  const { say } = useSpeech();

  return (
    <p class="waiting" role="status">
      <span class="spinner" aria-hidden="true" />
      {say.app.loading}
    </p>
  );
}
