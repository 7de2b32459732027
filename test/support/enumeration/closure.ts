import type { CallEvent, Timer } from '../../../src/call/decide/events.ts';
import { stay } from '../../../src/call/decide/handlers.ts';
import type { CallState, In, Step } from '../../../src/call/decide/state.ts';
import { beginning } from '../call/calls.ts';
import { everyEvent, type Alphabet } from './events.ts';
import { isCounted } from './followedOracle.ts';
import { makeInterning } from './interning.ts';
import { fresh, isTold, note, witness, type CallFacts, type Monitor, type Noted } from './oracle.ts';
import { brokenBy, brokenIn, isAlwaysJudged, withoutExit, type Decide } from './rules.ts';

export type Fault = { rule: string; path: string };
export type Exploration = {
  /** How many pairs of state and history, or sequences. */
  visited: number;
  states: ReadonlySet<CallState['kind']>;
  found: readonly Fault[];
};

/** With each state in which a call can end. */
export type Closure = Exploration & { endings: readonly In<'ended'>[] };

/** A state that the call can be in. */
type Place = {
  state: CallState;
  /** What the events make of it; undefined until it is asked for. */
  outlook: Outlook<Way> | undefined;
  /** The rules about exits that are broken in it, by the timer that runs. */
  exitFaults: Partial<Record<Timer | 'none', readonly string[]>>;
  /** The indexes of the histories that it was reached with. */
  reachedWith: Set<number>;
};

/** The events that matter to something, by their index and in their order, and what each makes of it; most make one and the same. */
type Outlook<Made> = { indexes: readonly number[]; made: readonly Made[]; otherwise: Made };

/** `asked` is the number of what the effects ask: equal for equal. */
type Way = { step: Step; asked: number; to: Place };

/** What the monitor remembers of a call. */
type History = {
  index: number;
  monitor: Monitor;
  /** What it is with each event; undefined until it is asked for. */
  outlook: Outlook<History> | undefined;
  /** What it is with the effects of a step, by the number of what those ask. */
  noted: (History | undefined)[];
};

/** A place and a history, and how they were first reached together. */
type Pair = { place: Place; history: History; before: Pair | undefined; event: CallEvent | undefined };

function pathTo(pair: Pair | undefined): string {
  if (pair?.event === undefined) return '';
  const { type, ...rest } = pair.event;
  const told = type === 'planned' ? '' : JSON.stringify(rest);

  return `${pathTo(pair.before)} ${type} ${told}`;
}

// Reached for each effect: in a test run a global is slow to reach.
const { stringify } = JSON;

const askedBy = (effects: readonly Noted[]): string =>
  effects
    .map((effect) => {
      if (effect.type === 'hold') return stringify(effect);
      if (effect.type === 'sayPause') return effect.word;
      return effect.type === 'startTimer' ? effect.timer : effect.type;
    })
    .join();

/** Visits the events that matter to either, in their order. It runs for each pair, so it makes no list of them. */
function eachMattering(
  ways: Outlook<Way>,
  witnessed: Outlook<History>,
  visit: (index: number, way: Way, seen: History) => void,
): void {
  let [atWay, atSeen] = [0, 0];
  for (;;) {
    const [ofWay, ofSeen] = [ways.indexes[atWay], witnessed.indexes[atSeen]];
    const isWay = ofWay !== undefined && (ofSeen === undefined || ofWay <= ofSeen);
    const index = isWay ? ofWay : ofSeen;
    if (index === undefined) return;
    const way = (isWay ? ways.made[atWay] : undefined) ?? ways.otherwise;
    const seen = (ofSeen === index ? witnessed.made[atSeen] : undefined) ?? witnessed.otherwise;
    if (isWay) atWay += 1;
    if (ofSeen === index) atSeen += 1;
    visit(index, way, seen);
  }
}

/** For how long it was recorded has no end, and ends no more than a recording: from its end on more is the same. */
function withoutTime(state: CallState): CallState {
  const { recorded, order } = state.facts;
  if (recorded === undefined) return state;
  if (order !== undefined && isCounted(order)) {
    const mostMs = order.maximumSeconds * 1_000;
    if (recorded.ms <= mostMs) return state;
    return { ...state, facts: { ...state.facts, recorded: { ...recorded, ms: mostMs } } };
  }
  const facts = { ...state.facts };
  delete facts.recorded;

  return { ...state, facts };
}

/**
 * Of equal states, and of equal histories, it keeps one. Rule and oracle are functions of nothing but these and the event: what
 * an event makes of each is worked out once, and not again in each of the many pairs that it is part of.
 */
function makeMap(rule: Decide, facts: CallFacts, alphabet: Alphabet, events: readonly CallEvent[]) {
  const intern = makeInterning();
  const places = new Map<CallState, Place>();
  const histories = new Map<Monitor, History>();
  const askedNumbers = new Map<string, number>();
  const isLeftOut = (event: CallEvent, told: boolean): boolean =>
    event.type === 'callerHeld' && told && alphabet.holds === 'nobody';
  const placeOf = (given: CallState): Place => {
    const state = intern(withoutTime(given));
    let place = places.get(state);
    if (place === undefined) {
      place = { state, outlook: undefined, exitFaults: {}, reachedWith: new Set() };
      places.set(state, place);
    }

    return place;
  };
  const historyOf = (given: Monitor): History => {
    const monitor = intern(given);
    let history = histories.get(monitor);
    if (history === undefined) {
      history = { index: histories.size, monitor, outlook: undefined, noted: [] };
      histories.set(monitor, history);
    }

    return history;
  };
  const numberOf = (asked: string): number => {
    let number = askedNumbers.get(asked);
    if (number === undefined) {
      number = askedNumbers.size;
      askedNumbers.set(asked, number);
    }

    return number;
  };

  const wayOf = (from: Place, step: Step): Way => {
    const to = step.state === from.state ? from : placeOf(step.state);

    return { step: { state: to.state, effects: step.effects }, asked: numberOf(askedBy(step.effects)), to };
  };

  return {
    placeOf,
    endings: () => [...places.keys()].filter((state) => state.kind === 'ended'),
    historyOf,
    waysFrom: (place: Place): Outlook<Way> => {
      if (place.outlook !== undefined) return place.outlook;
      const { state } = place;
      const otherwise: Way = { step: stay(state), asked: 0, to: place };
      const told = ['asking', 'accepting', 'dialling', 'releasing', 'following', 'talking'].includes(state.kind);
      const indexes: number[] = [];
      const made: Way[] = [];
      events.forEach((event, index) => {
        const step = isLeftOut(event, told) ? otherwise.step : rule(state, event);
        const stays = step.state === state && step.effects.length === 0;
        if (stays && (state.kind === 'ended' || !isAlwaysJudged(event))) return;
        indexes.push(index);
        made.push(stays ? otherwise : wayOf(place, step));
      });

      return (place.outlook = { indexes, made, otherwise });
    },
    witnessedFrom: (history: History): Outlook<History> => {
      if (history.outlook !== undefined) return history.outlook;
      const told = isTold(history.monitor, facts);
      const indexes: number[] = [];
      const made: History[] = [];
      events.forEach((event, index) => {
        const monitor = isLeftOut(event, told) ? history.monitor : witness(history.monitor, event, facts);
        const seen = monitor === history.monitor ? history : historyOf(monitor);
        if (seen === history) return;
        indexes.push(index);
        made.push(seen);
      });

      return (history.outlook = { indexes, made, otherwise: history });
    },
    exitFaultsOf: ({ state, exitFaults }: Place, { monitor: { timer } }: History): readonly string[] =>
      (exitFaults[timer ?? 'none'] ??= withoutExit(state, timer, rule)),
    notedFrom: (history: History, { step: { effects }, asked }: Way): History => {
      if (effects.length === 0) return history;

      return (history.noted[asked] ??= historyOf(note(history.monitor, effects)));
    },
  };
}

/** Visits every pair of state and history that can be reached, breadth first, until a fault (of this name) is found. */
export function closure(rule: Decide, facts: CallFacts, alphabet: Alphabet, wanted?: string): Closure {
  const events = everyEvent(facts, alphabet);
  const map = makeMap(rule, facts, alphabet, events);
  const queue: Pair[] = [];
  const states = new Set<CallState['kind']>();
  let found: Fault[] = [];
  const blame = (pair: Pair, rules: readonly string[]): void => {
    for (const broken of rules) found.push({ rule: broken, path: pathTo(pair) });
  };
  const visit = (pair: Pair): void => {
    const { place, history } = pair;
    place.reachedWith.add(history.index);
    queue.push(pair);
    states.add(place.state.kind);
    blame(pair, brokenIn(place.state, history.monitor, facts));
    blame(pair, map.exitFaultsOf(place, history));
  };
  const start = beginning(facts);
  const history = map.historyOf(note(fresh, start.effects));
  visit({ place: map.placeOf(start.state), history, before: undefined, event: undefined });
  // The queue grows while it is walked.
  for (const before of queue) {
    if (wanted === undefined ? found.length > 0 : found.some((fault) => fault.rule === wanted)) break;
    if (wanted !== undefined) found = [];
    const { place, history } = before;
    const ways = map.waysFrom(place);
    // What happens after the end only the state could tell.
    const isOver = place.state.kind === 'ended';
    if (isOver && ways.indexes.length === 0) continue;
    const witnessed = map.witnessedFrom(history);
    // What is nothing to the state and nothing new to the history leads nowhere.
    eachMattering(ways, witnessed, (index, way, seen) => {
      const event = events[index];
      const { step, to } = way;
      if (event === undefined || (isOver && way === ways.otherwise)) return;
      const next = map.notedFrom(seen, way);
      const faults = brokenBy({ from: place.state, event, step, before: history.monitor, seen: seen.monitor }, facts);
      if (faults.length > 0) blame({ place: to, history: next, before, event }, faults);
      if (to === place && (next === history || isOver)) return;
      if (!to.reachedWith.has(next.index)) visit({ place: to, history: next, before, event });
    });
  }

  return { visited: queue.length, states, endings: map.endings(), found };
}
