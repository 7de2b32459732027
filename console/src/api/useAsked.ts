import { useCallback, useEffect, useState } from 'preact/hooks';
import { useIsUnseen } from '../who.ts';
import { ask } from './client.ts';
import { asProblem, type Problem } from './problem.ts';

/** `fault`: it was asked again, in vain; what is shown may be old. */
export type Asked<Answer> =
  | { kind: 'waiting' }
  | { kind: 'given'; answer: Answer; fault: Problem | undefined }
  | { kind: 'failed'; problem: Problem };

/** These say that it is not to be seen any more. A network that drops, and a session that can begin again, say nothing of it. */
const isWithdrawn = ({ status }: Problem): boolean => [403, 404, 410].includes(status);

/** What is shown when it was asked again, in vain: what stands there, with all that was typed in it, as long as it may be seen. */
export const afterFault = <Answer>(before: Asked<Answer> | undefined, problem: Problem): Asked<Answer> =>
  before?.kind === 'given' && !isWithdrawn(problem) ? { ...before, fault: problem } : { kind: 'failed', problem };

/**
 * The answer of the API to this address, asked anew when it changes, and when somebody has signed in again. What was given for another address is
 * not shown meanwhile.
 *
 * @param path undefined: nothing is asked
 */
export function useAsked<Answer>(path: string | undefined): Asked<Answer> & { again: () => void } {
  const isUnseen = useIsUnseen();
  const [turn, setTurn] = useState(0);
  const [asked, setAsked] = useState<{ path: string | undefined; result: Asked<Answer> }>();
  useEffect(() => {
    if (path === undefined || isUnseen) return undefined;
    const left = new AbortController();
    ask<Answer>(path, { signal: left.signal }).then(
      (answer) => {
        if (!left.signal.aborted) setAsked({ path, result: { kind: 'given', answer, fault: undefined } });
      },
      (thrown: unknown) => {
        if (left.signal.aborted) return;
        setAsked((before) => ({
          path,
          result: afterFault(before?.path === path ? before.result : undefined, asProblem(thrown)),
        }));
      },
    );

    return () => {
      left.abort();
    };
  }, [path, turn, isUnseen]);
  const again = useCallback(() => {
    setTurn((before) => before + 1);
  }, []);
  const result: Asked<Answer> = asked !== undefined && asked.path === path ? asked.result : { kind: 'waiting' };

  return { ...result, again };
}
