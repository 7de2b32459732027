import type { CallEvent } from '../../../src/call/events.ts';
import { stay } from '../../../src/call/handlers.ts';
import type { CallState, Step } from '../../../src/call/state.ts';
import { beginning } from '../calls.ts';
import { everyEvent, type Alphabet } from './events.ts';
import { makeInterning } from './interning.ts';
import { fresh, isTold, note, witness, type CallFacts, type Monitor, type Noted } from './oracle.ts';
import { brokenBy, brokenIn, withoutExit, type Decide } from './rules.ts';

export type Fault = { rule: string; path: string };
export type Exploration = {
  /** How many pairs of state and history, or sequences. */
  visited: number;
  states: ReadonlySet<CallState['kind']>;
  found: readonly Fault[];
};

/** A state that the call can be in. */
type Place = {
  state: CallState;
  /** What each event makes of it; undefined until it is asked for. */
  ways: readonly Way[] | undefined;
  /** The histories with which the call was in it. */
  reached: Set<History>;
};

type Way = { step: Step; asked: string; to: Place };

/** What the monitor remembers of a call. */
type History = {
  monitor: Monitor;
  /** What it is with each event; undefined until it is asked for. */
  witnessed: readonly History[] | undefined;
  /** What it is with the effects of a step, by what those ask. */
  noted: Map<string, History>;
};

/** A place and a history, and how they were first reached together. */
type Pair = { place: Place; history: History; before: Pair | undefined; event: CallEvent | undefined };

function pathTo(pair: Pair | undefined): string {
  if (pair?.event === undefined) return '';
  const { type, ...rest } = pair.event;
  const told = type === 'planned' ? '' : JSON.stringify(rest);

  return `${pathTo(pair.before)} ${type} ${told}`;
}

const askedBy = (effects: readonly Noted[]): string =>
  effects
    .map((effect) => {
      if (effect.type === 'hold') return JSON.stringify(effect);
      return effect.type === 'startTimer' ? effect.timer : effect.type;
    })
    .join();

/**
 * Of equal states, and of equal histories, it keeps one. Rule and oracle are functions of nothing but these and the event: what
 * an event makes of each is worked out once, and not again in each of the many pairs that it is part of.
 */
function makeMap(rule: Decide, facts: CallFacts, alphabet: Alphabet, events: readonly CallEvent[]) {
  const intern = makeInterning();
  const places = new Map<CallState, Place>();
  const histories = new Map<Monitor, History>();
  const isLeftOut = (event: CallEvent, told: boolean): boolean =>
    event.type === 'callerHeld' && told && alphabet.holds === 'nobody';
  const placeOf = (given: CallState): Place => {
    const state = intern(given);
    let place = places.get(state);
    if (place === undefined) {
      place = { state, ways: undefined, reached: new Set() };
      places.set(state, place);
    }

    return place;
  };
  const historyOf = (given: Monitor): History => {
    const monitor = intern(given);
    let history = histories.get(monitor);
    if (history === undefined) {
      history = { monitor, witnessed: undefined, noted: new Map() };
      histories.set(monitor, history);
    }

    return history;
  };

  return {
    placeOf,
    historyOf,
    waysFrom: (place: Place): readonly Way[] => {
      if (place.ways !== undefined) return place.ways;
      // Most events make nothing of a call, and there are too many to keep an object for each.
      const staying: Way = { step: stay(place.state), asked: '', to: place };
      const told = ['asking', 'accepting', 'dialling', 'talking'].includes(place.state.kind);
      place.ways = events.map((event) => {
        if (isLeftOut(event, told)) return staying;
        const step = rule(place.state, event);
        if (step.state === place.state && step.effects.length === 0) return staying;
        const to = step.state === place.state ? place : placeOf(step.state);

        return { step: to === place ? step : { ...step, state: to.state }, asked: askedBy(step.effects), to };
      });

      return place.ways;
    },
    witnessedFrom: (history: History): readonly History[] =>
      (history.witnessed ??= events.map((event) => {
        if (isLeftOut(event, isTold(history.monitor, facts))) return history;
        const monitor = witness(history.monitor, event, facts);

        return monitor === history.monitor ? history : historyOf(monitor);
      })),
    notedFrom: (history: History, { step: { effects }, asked }: Way): History => {
      if (effects.length === 0) return history;
      let noted = history.noted.get(asked);
      if (noted === undefined) {
        noted = historyOf(note(history.monitor, effects));
        history.noted.set(asked, noted);
      }

      return noted;
    },
  };
}

/** Visits every pair of state and history that can be reached, breadth first, until a fault (of this name) is found. */
export function closure(rule: Decide, facts: CallFacts, alphabet: Alphabet, wanted?: string): Exploration {
  const events = everyEvent(facts, alphabet);
  const { placeOf, historyOf, waysFrom, witnessedFrom, notedFrom } = makeMap(rule, facts, alphabet, events);
  const queue: Pair[] = [];
  const states = new Set<CallState['kind']>();
  let found: Fault[] = [];
  const blame = (pair: Pair, rules: readonly string[]): void => {
    for (const broken of rules) found.push({ rule: broken, path: pathTo(pair) });
  };
  const visit = (pair: Pair): void => {
    const { place, history } = pair;
    if (place.reached.has(history)) return;
    place.reached.add(history);
    queue.push(pair);
    states.add(place.state.kind);
    blame(pair, brokenIn(place.state, history.monitor, facts));
    blame(pair, withoutExit(place.state, history.monitor, rule));
  };
  const start = beginning(facts);
  const history = historyOf(note(fresh, start.effects));
  visit({ place: placeOf(start.state), history, before: undefined, event: undefined });
  // The queue grows while it is walked.
  for (const before of queue) {
    if (wanted === undefined ? found.length > 0 : found.some((fault) => fault.rule === wanted)) break;
    if (wanted !== undefined) found = [];
    const { place, history } = before;
    const witnessed = witnessedFrom(history);
    waysFrom(place).forEach((way, index) => {
      const { step, to } = way;
      const event = events[index];
      if (event === undefined) return;
      const seen = witnessed[index] ?? history;
      const next = notedFrom(seen, way);
      const move = { from: place.state, event, step, before: history.monitor, seen: seen.monitor };
      const faults = brokenBy(move, facts);
      if (faults.length > 0) blame({ place: to, history: next, before, event }, faults);
      if (to === place && (next === history || place.state.kind === 'ended')) return;
      visit({ place: to, history: next, before, event });
    });
  }

  return { visited: queue.length, states, found };
}
