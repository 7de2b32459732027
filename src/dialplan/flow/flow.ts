import type { Edge, Graph } from './graph.ts';
import { after, asNumber, asState, states, type CallState } from './state.ts';

/** Every state that a call may have at each step, whichever way it came. */

/** A state at a step, and the entry by which a call comes to it: the first that was found. */
export type Arrival = CallState & { entry: number };

export type Flow = {
  arrivals(node: number): Arrival[];
  /** False where the dialplan is too entangled to be gone through. */
  isWhole: boolean;
};

/** What runs between a Gosub and its Return, for one state at its beginning. The call itself is one that never returns. */
type Routine = { isMacro: boolean; exits: Set<number>; callers: Caller[]; seen: Set<number> };
type Caller = { routine: Routine; back: number | undefined; entry: number };
type Work = { routine: Routine; node: number; state: number; entry: number };

/** Some seconds of work; a dialplan of 50,000 lines takes a tenth of it. */
const mostWork = 3_000_000;

const newRoutine = (isMacro: boolean): Routine => ({ isMacro, exits: new Set(), callers: [], seen: new Set() });
const atBeginning = asNumber({ told: 'no', answered: false, behind: false, restricted: false });

class Walk {
  readonly #edges: readonly Edge[][];
  /** By node and state. */
  readonly origins = new Map<number, number>();
  readonly #routines = new Map<string, Routine>();
  readonly #work: Work[] = [];
  readonly #call = newRoutine(false);
  done = 0;

  constructor({ edges }: Graph) {
    this.#edges = edges;
  }

  begin(entry: number): void {
    this.#push({ routine: this.#call, node: entry, state: atBeginning, entry });
  }

  hasReached(node: number): boolean {
    for (let state = 0; state < states; state += 1) if (this.origins.has(node * states + state)) return true;

    return false;
  }

  /** False where it took too much. */
  run(): boolean {
    for (let work = this.#work.pop(); work !== undefined; work = this.#work.pop()) {
      for (const edge of this.#edges[work.node] ?? []) {
        this.done += 1;
        this.#follow(edge, work);
      }
      if (this.done > mostWork) return false;
    }

    return true;
  }

  #push(work: Work): void {
    const key = work.node * states + work.state;
    if (work.routine.seen.has(key)) return;
    work.routine.seen.add(key);
    if (!this.origins.has(key)) this.origins.set(key, work.entry);
    this.#work.push(work);
  }

  #follow(edge: Edge, { routine, state, entry }: Work): void {
    const now = after(state, edge.effect);
    switch (edge.kind) {
      case 'go':
        // Another channel has nothing to return to.
        this.#push({
          routine: edge.effect.channel === undefined ? routine : this.#call,
          node: edge.to,
          state: now,
          entry,
        });
        return;
      case 'call':
        this.#enter(edge, now, { routine, back: edge.back, entry });
        return;
      case 'return':
        this.#leave(routine, now);
        return;
      case 'end':
        if (routine.isMacro) this.#leave(routine, now);
    }
  }

  #enter(edge: Extract<Edge, { kind: 'call' }>, state: number, caller: Caller): void {
    const key = `${edge.entry}:${state}:${String(edge.isMacro)}`;
    let routine = this.#routines.get(key);
    if (routine === undefined) {
      routine = newRoutine(edge.isMacro);
      this.#routines.set(key, routine);
    }
    routine.callers.push(caller);
    this.#push({ routine, node: edge.entry, state, entry: caller.entry });
    for (const exit of routine.exits) this.#comeBack(caller, exit);
  }

  /** A macro that ends with another one ends with it, and so on: as a list, since a chain of them may be longer than the stack is deep. */
  #leave(first: Routine, state: number): void {
    const left = [first];
    for (let routine = left.pop(); routine !== undefined; routine = left.pop()) {
      if (routine === this.#call || routine.exits.has(state)) continue;
      routine.exits.add(state);
      for (const caller of routine.callers) {
        if (this.#goesOn(caller, state)) continue;
        if (caller.routine.isMacro) left.push(caller.routine);
      }
    }
  }

  #comeBack(caller: Caller, state: number): void {
    if (!this.#goesOn(caller, state) && caller.routine.isMacro) this.#leave(caller.routine, state);
  }

  /** False where the caller has no step behind the one that called. */
  #goesOn({ routine, back, entry }: Caller, state: number): boolean {
    this.done += 1;
    if (back !== undefined) this.#push({ routine, node: back, state, entry });

    return back !== undefined;
  }
}

/** A call that is told otherwise is followed by nobody who is looked for. */
function ofOthers(edge: Edge, isLookedFor: (given: readonly string[]) => boolean): Edge {
  const { told, given = [] } = edge.effect;

  return told === 'follow' && !isLookedFor(given) ? { ...edge, effect: { ...edge.effect, told: 'bridge' } } : edge;
}

/** @param isFollowed whether calls that are told with these arguments count as followed; default: all that are */
export function makeFlow(whole: Graph, isFollowed?: (given: readonly string[]) => boolean): Flow {
  const graph =
    isFollowed === undefined
      ? whole
      : { ...whole, edges: whole.edges.map((edges) => edges.map((edge) => ofOthers(edge, isFollowed))) };
  const walk = new Walk(graph);
  for (const entry of graph.entries) walk.begin(entry);
  let isWhole = walk.run();
  for (const entry of graph.laterEntries) {
    if (!isWhole) break;
    if (walk.hasReached(entry)) continue;
    walk.begin(entry);
    isWhole = walk.run();
  }
  const byNode = new Map<number, Arrival[]>();
  for (const [key, entry] of walk.origins) {
    const node = Math.floor(key / states);
    const list = byNode.get(node) ?? [];
    list.push({ ...asState(key % states), entry });
    byNode.set(node, list);
  }

  return { arrivals: (node) => byNode.get(node) ?? [], isWhole };
}
