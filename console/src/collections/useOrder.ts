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
  /** @param toOf the place that the one of this id is to have, by that which it has */
  move: (id: string, toOf: (from: number) => number) => Promise<number | undefined>;
};

/**
 * What they move while another move is under way is moved at once for the eye, and asked of the API behind it: each names its neighbour.
 *
 * @param given as the API told it last
 */
export function useOrder(collection: string, given: readonly RecordingOfList[], again: () => Promise<void>): Order {
  const [wanted, setWanted] = useState<readonly RecordingOfList[]>();
  const [problem, setProblem] = useState<Problem>();
  const shown = useRef(given);
  const under = useRef({ moves: 0, done: 0, sent: Promise.resolve() });
  const list = wanted ?? given;
  if (under.current.moves === 0) shown.current = list;
  const finish = async (): Promise<void> => {
    under.current.moves -= 1;
    if (under.current.moves > 0) return;
    const { done } = under.current;
    // What is moved while it is read waits for that: an older answer would bring an older order back.
    const read = done > 0 ? again() : Promise.resolve();
    under.current = { moves: 0, done: 0, sent: read };
    await read;
    // They may have moved another one while it was read.
    if (under.current.moves === 0) setWanted(undefined);
  };
  const move: Order['move'] = async (id, toOf) => {
    const from = shown.current.findIndex((each) => each.id === id);
    const to = toOf(from);
    if (from === -1 || from === to || to < 0 || to >= shown.current.length) return undefined;
    const next = movedTo(shown.current, from, to);
    shown.current = next;
    setWanted(next);
    setProblem(undefined);
    const after = next[to - 1]?.id ?? null;
    under.current.moves += 1;
    // Behind one that was refused none is asked for: it was meant for another order.
    const sent = under.current.sent.then(async () => {
      await ask(`/recordings/${id}/collections/${collection}`, { method: 'PUT', body: { after } });
    });
    under.current.sent = sent;
    try {
      await sent;
      under.current.done += 1;

      return to;
    } catch (thrown) {
      setProblem(asProblem(thrown));

      return undefined;
    } finally {
      await finish();
    }
  };

  return { list, problem, move };
}
