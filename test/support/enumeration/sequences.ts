import { decide } from '../../../src/call/decide.ts';
import type { CallEvent } from '../../../src/call/events.ts';
import type { CallState } from '../../../src/call/state.ts';
import { beginning } from '../calls.ts';
import type { Exploration, Fault } from './closure.ts';
import { fresh, note, witness, type CallFacts, type Monitor } from './oracle.ts';
import { brokenBy, brokenIn } from './rules.ts';

/** Every sequence of at most `length` of these events, none merged with another; an ended call ends its sequence. */
export function sequences(
  facts: CallFacts,
  events: readonly CallEvent[],
  length: number,
  before: readonly CallEvent[],
): Exploration {
  const found: Fault[] = [];
  const states = new Set<CallState['kind']>();
  let visited = 0;
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
  const extend = (state: CallState, monitor: Monitor, left: number): void => {
    visited += 1;
    states.add(state.kind);
    if (left === 0 || state.kind === 'ended') return;
    for (const event of events) {
      const [nextState, nextMonitor] = advance(state, monitor, event);
      path.push(event);
      extend(nextState, nextMonitor, left - 1);
      path.pop();
    }
  };
  const start = beginning(facts);
  let [state, monitor]: [CallState, Monitor] = [start.state, note(fresh, start.effects)];
  for (const event of before) [state, monitor] = advance(state, monitor, event);
  extend(state, monitor, length);

  return { visited, states, found };
}
