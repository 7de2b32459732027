import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask } from './client.ts';
import { asProblem, type Problem } from './problem.ts';

export type Asked<Answer> =
  { kind: 'waiting' } | { kind: 'given'; answer: Answer } | { kind: 'failed'; problem: Problem };

/**
 * The answer of the API to this address, asked anew when it changes. What was given for another address is not shown meanwhile.
 *
 * @param path undefined: nothing is asked
 */
export function useAsked<Answer>(path: string | undefined): Asked<Answer> & { again: () => void } {
  const [turn, setTurn] = useState(0);
  const [asked, setAsked] = useState<{ path: string | undefined; result: Asked<Answer> }>();
  useEffect(() => {
    if (path === undefined) return undefined;
    const left = new AbortController();
    ask<Answer>(path, { signal: left.signal }).then(
      (answer) => {
        if (!left.signal.aborted) setAsked({ path, result: { kind: 'given', answer } });
      },
      (thrown: unknown) => {
        if (!left.signal.aborted) setAsked({ path, result: { kind: 'failed', problem: asProblem(thrown) } });
      },
    );

    return () => {
      left.abort();
    };
  }, [path, turn]);
  const again = useCallback(() => {
    setTurn((before) => before + 1);
  }, []);
  const result: Asked<Answer> = asked !== undefined && asked.path === path ? asked.result : { kind: 'waiting' };

  return { ...result, again };
}
