import type { ComponentChildren } from 'preact';
import type { Asked } from '../api/useAsked.ts';
import { ProblemNote, Waiting } from './notes.tsx';

/** What was asked of the API: that it is waited for, why it did not come, or what it is; and that it may be old where it was asked again, in vain. */
export function Given<Answer>({
  asked,
  children,
}: {
  asked: Asked<Answer> & { again: () => void };
  children: (answer: Answer) => ComponentChildren;
}) {
  switch (asked.kind) {
    case 'waiting':
      return <Waiting />;
    case 'failed':
      return <ProblemNote problem={asked.problem} onRetry={asked.again} />;
    case 'given':
      return (
        <>
          {asked.fault !== undefined && <ProblemNote problem={asked.fault} onRetry={asked.again} />}
          {children(asked.answer)}
        </>
      );
  }
}
