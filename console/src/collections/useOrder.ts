import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { RecordingOfList } from '../api/types.ts';

/** The order of a collection, changed by whoever may write. */

/** With the one at `from` put to the place `to`. */
export function movedTo<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_each, place) => place !== from);
  const moved = list[from];

  return moved === undefined ? [...list] : [...rest.slice(0, to), moved, ...rest.slice(to)];
}

export type Order = {
  /** As it is shown: at once as they want it, and as the API has it where that failed. */
  list: readonly RecordingOfList[];
  problem: Problem | undefined;
  isMoving: boolean;
  move: (from: number, to: number) => Promise<boolean>;
};

/** @param given as the API told it last */
export function useOrder(collection: string, given: readonly RecordingOfList[], again: () => Promise<void>): Order {
  const [wanted, setWanted] = useState<readonly RecordingOfList[]>();
  const [problem, setProblem] = useState<Problem>();
  const isMoving = useRef(false);
  const list = wanted ?? given;
  const move = async (from: number, to: number): Promise<boolean> => {
    const moved = list[from];
    if (isMoving.current || from === to || to < 0 || to >= list.length || moved === undefined) return false;
    isMoving.current = true;
    const next = movedTo(list, from, to);
    setWanted(next);
    setProblem(undefined);
    try {
      const after = next[to - 1]?.id ?? null;
      await ask(`/recordings/${moved.id}/collections/${collection}`, { method: 'PUT', body: { after } });
      await again();

      return true;
    } catch (thrown) {
      setProblem(asProblem(thrown));

      return false;
    } finally {
      isMoving.current = false;
      setWanted(undefined);
    }
  };

  return { list, problem, isMoving: wanted !== undefined, move };
}
