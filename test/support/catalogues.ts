import { ulid } from 'ulid';
import { openCatalogue, type Catalogue } from '../../src/catalogue/catalogue.ts';
import { decide } from '../../src/call/decide.ts';
import type { CallEvent } from '../../src/call/events.ts';
import type { CallState, Facts, Order } from '../../src/call/state.ts';
import type { Clock } from '../../src/core/clock.ts';
import { makeIds, type RecordingId } from '../../src/core/ids.ts';
import { beginning, callStart, eventsTo, someFacts } from './calls.ts';

/** A clock that stands until a test moves it. */
export type TestClock = Clock & { at: number };

export function clockAt(at: number): TestClock {
  return {
    at,
    now() {
      return this.at;
    },
  };
}

export const dayMs = 86_400_000;
/** Asterisk's time of the end of the recorder in every call of `endedCall`. */
export const recorderEnd = callStart + 80_010;

export type SavedCall = { facts: Facts & { order: Order }; id: RecordingId; state: CallState };

/** A call that went well to its end, or took another course, saved at every step as a session saves it. */
export async function saveCall(
  catalogue: Catalogue,
  {
    until = 'ended',
    keepDays = 28,
    shape = {},
    events: given,
  }: {
    until?: CallState['kind'];
    keepDays?: number;
    shape?: Parameters<typeof someFacts>[1];
    events?: (facts: SavedCall['facts']) => CallEvent[];
  } = {},
): Promise<SavedCall> {
  const made = someFacts(
    makeIds(() => ulid()),
    shape,
  );
  // Another storage time is another policy.
  const policyVersion = keepDays === 28 ? made.policyVersion : `policy-of-${keepDays}-days`;
  const facts = { ...made, policyVersion, order: { ...made.order, keepDays } };
  await catalogue.savePolicy(
    facts.policyVersion,
    JSON.stringify({ purposes: { training: { justification: 'to learn', legalBasis: 'law', keepDays } } }),
  );
  const events = given?.(facts) ?? eventsTo(until, facts);
  let { state } = beginning(facts);
  await catalogue.save(state);
  for (const event of events) {
    ({ state } = decide(state, event));
    await catalogue.save(state);
  }

  return { facts, id: facts.order.recording, state };
}

/** Catalogues that are closed after each test. */
export function catalogues(): (file: string, clock?: Clock) => Catalogue {
  const opened: Catalogue[] = [];
  afterEach(() => {
    for (const catalogue of opened.splice(0)) catalogue.close();
  });

  return (file, clock = clockAt(callStart)) => {
    const catalogue = openCatalogue(file, clock);
    opened.push(catalogue);

    return catalogue;
  };
}
