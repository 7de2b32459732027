import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { CallState } from '../../../src/call/decide/state.ts';
import { beginning } from '../call/calls.ts';
import type { Exploration, Fault } from './closure.ts';
import { makeInterning } from './interning.ts';
import { fresh, note, witness, type CallFacts, type Monitor } from './oracle.ts';
import { brokenBy, brokenIn } from './rules.ts';

/** Of data that is equal in every part it gives one and the same object. Node itself is asked whether it is. */
function makeMerging(): <Value extends object>(value: Value) => Value {
  const intern = makeInterning();

  return (value) => {
    const kept = intern(value);
    if (kept !== value && !isDeepStrictEqual(kept, value)) throw new Error('what is not equal was merged');

    return kept;
  };
}

/**
 * Every sequence of at most `length` of these events; an ended call ends its sequence. Each step is by `decide` and the oracle
 * themselves. Where two sequences have come to a state and a history that are equal in every part, with as many events to come,
 * what follows is the same: it is walked once, and counted for each.
 */
export function sequences(
  facts: CallFacts,
  events: readonly CallEvent[],
  length: number,
  before: readonly CallEvent[],
): Exploration {
  const found: Fault[] = [];
  const states = new Set<CallState['kind']>();
  const merge = makeMerging();
  const path: CallEvent[] = [];
  const blame = (event: CallEvent, rules: readonly string[]): void => {
    for (const rule of rules) found.push({ rule, path: JSON.stringify([...path, event].map(({ type }) => type)) });
  };
  const advance = (state: CallState, monitor: Monitor, event: CallEvent): [CallState, Monitor] => {
    const step = decide(state, event);
    const seen = witness(monitor, event, facts);
    const after = note(seen, step.effects);
    blame(event, brokenBy({ from: state, event, step, before: monitor, seen }, facts));
    blame(event, brokenIn(step.state, after, facts));

    return [step.state, after];
  };
  /** How many sequences follow, by the state, the history and how many events are to come. */
  const counted = new Map<CallState, Map<Monitor, (number | undefined)[]>>();
  const countsOf = (state: CallState, monitor: Monitor): (number | undefined)[] => {
    const ofState = counted.get(state) ?? new Map<Monitor, (number | undefined)[]>();
    counted.set(state, ofState);
    const counts = ofState.get(monitor) ?? [];
    ofState.set(monitor, counts);

    return counts;
  };
  const extend = (state: CallState, monitor: Monitor, left: number): number => {
    if (left === 0 || state.kind === 'ended') {
      states.add(state.kind);
      return 1;
    }
    const [sameState, sameMonitor] = [merge(state), merge(monitor)];
    const counts = countsOf(sameState, sameMonitor);
    const known = counts[left];
    if (known !== undefined) return known;
    states.add(state.kind);
    let count = 1;
    for (const event of events) {
      const [nextState, nextMonitor] = advance(sameState, sameMonitor, event);
      path.push(event);
      count += extend(nextState, nextMonitor, left - 1);
      path.pop();
    }
    counts[left] = count;

    return count;
  };
  const start = beginning(facts);
  let [state, monitor]: [CallState, Monitor] = [start.state, note(fresh, start.effects)];
  for (const event of before) [state, monitor] = advance(state, monitor, event);
  const visited = extend(state, monitor, length);
  return { visited, states, found };
}
