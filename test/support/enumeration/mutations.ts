/** Ways to break `decide` on purpose: what the enumeration must find, so that it is known to see a broken promise. */
import { decide } from '../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { CallState, Effect, Step } from '../../../src/call/decide/state.ts';
import { closure } from './closure.ts';
import { exactTimes, plainTimes } from './events.ts';
import { factsWith, type CallShape } from './oracle.ts';
import type { Decide } from './rules.ts';

export type Mutation = {
  what: string;
  rule: Decide;
  /** The rule that is seen broken. */
  finds: string;
  /** The call in which it is; one with a notice of two sentences and every cut where this is not given. */
  of?: CallShape;
};

/** The rules that are seen broken in such a call. */
export function foundIn({ rule, finds, of }: Mutation): string[] {
  const { found } =
    of === undefined
      ? closure(rule, factsWith({ sentenceCount: 2 }), exactTimes, finds)
      : closure(rule, factsWith(of), plainTimes, finds);

  return found.map((fault) => fault.rule);
}

/** `decide`, but with the event or the step changed on purpose. */
export const changed =
  (change: {
    event?: (state: CallState, event: CallEvent) => CallEvent;
    step?: (state: CallState, step: Step) => Step;
  }) =>
  (state: CallState, event: CallEvent): Step => {
    const step = decide(state, change.event?.(state, event) ?? event);

    return change.step?.(state, step) ?? step;
  };

export const without = (step: Step, ...types: Effect['type'][]): Step => ({
  ...step,
  effects: step.effects.filter((effect) => !types.includes(effect.type)),
});

/** Passes over one kind of event in one state. */
export const deafTo =
  (kind: CallState['kind'], type: CallEvent['type']): Decide =>
  (state, event) =>
    state.kind === kind && event.type === type ? { state, effects: [] } : decide(state, event);
