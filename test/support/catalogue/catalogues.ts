import { spawnSync } from 'node:child_process';
import { ulid } from 'ulid';
import { openCatalogue, type Catalogue, type CatalogueOptions } from '../../../src/catalogue/catalogue.ts';
import { onlyHere, type Here } from '../../../src/catalogue/here.ts';
import type { Subscriber } from '../../../src/catalogue/jobs/deliveries.ts';
import { decide } from '../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { CallState, Facts } from '../../../src/call/decide/state.ts';
import type { Order } from '../../../src/call/decide/order.ts';
import type { Unwatched } from '../../../src/call/watch/timeline.ts';
import type { Clock, ClockReading } from '../../../src/core/clock.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';
import { beginning, callStart, eventsTo, someFacts } from '../call/calls.ts';
import { beside, onlyServe } from './holders.ts';

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

/** That nobody has watched its parties since then, ms: no end of it is known. */
export const unwatchedFrom = (
  { facts: { order, callerChannel } }: Pick<SavedCall, 'facts'>,
  from: number,
): Unwatched => ({
  from,
  to: null,
  heardAgainAt: null,
  why: 'process_ended',
  bridge: order.bridge,
  parties: [callerChannel, order.destination],
});

let made = 0;

/** A call that went well to its end, or took another course, saved at every step as a session saves it. */
export async function saveCall(
  catalogue: Catalogue,
  {
    until = 'ended',
    keepDays = 28,
    shape = {},
    events: given,
    idsAt = callStart,
    heard,
    application,
  }: {
    until?: CallState['kind'];
    keepDays?: number;
    shape?: Parameters<typeof someFacts>[1];
    events?: (facts: SavedCall['facts']) => CallEvent[];
    /** Our clock when the call came. */
    idsAt?: number;
    /** Our clocks when the end of the recorder was heard of. */
    heard?: ClockReading;
    /** Of the worker that has it. */
    application?: string;
  } = {},
): Promise<SavedCall> {
  const call = someFacts(
    // Of the time of the call, as ids are, and in rising order.
    makeIds(() => ulid(idsAt + (made += 1))),
    shape,
  );
  // Another storage time is another policy.
  const policyVersion = keepDays === 28 ? call.policyVersion : `policy-of-${keepDays}-days`;
  const facts = { ...call, policyVersion, order: { ...call.order, keepDays } };
  await catalogue.calls.savePolicy(
    facts.policyVersion,
    JSON.stringify({ purposes: { training: { justification: 'to learn', legalBasis: 'law', keepDays } } }),
  );
  const events = given?.(facts) ?? eventsTo(until, facts);
  let { state } = beginning(facts);
  await catalogue.journal.save(state, {}, application);
  for (const event of events) {
    ({ state } = decide(state, event));
    await catalogue.journal.save(state, state.kind === 'ended' ? { heard } : {}, application);
  }

  return { facts, id: facts.order.recording, state };
}

/** Catalogues that are closed after each test. */
export function catalogues(): (
  file: string,
  clock?: Clock,
  webhooks?: readonly Subscriber[],
  here?: Here,
) => Catalogue {
  const opened: Catalogue[] = [];
  afterEach(() => {
    for (const catalogue of opened.splice(0)) catalogue.close();
  });

  return (file, clock = clockAt(callStart), webhooks = [], here = onlyHere) => {
    const catalogue = openCatalogue(file, clock, { webhooks, here });
    opened.push(catalogue);

    return catalogue;
  };
}

/** Connects to a database as one more process does, by whose clock it then counts; it writes what is to be told to these webhooks. */
export type ConnectCatalogue = (
  clock: Clock,
  webhooks?: readonly Subscriber[],
  here?: Here,
  unreadable?: CatalogueOptions['unreadable'],
) => Promise<Catalogue>;

/** A recording that is archived, and the time at which its only purpose ends. */
export async function archivedRecording(catalogue: Catalogue, keepUntil = callStart + dayMs): Promise<SavedCall> {
  const call = await saveCall(catalogue);
  const note = { event: 'test', actor: 'test' };
  const ends = { keepUntil, keptFrom: recorderEnd, purposeEnds: [{ purpose: 'training', keepUntil }] };
  await catalogue.recordings.move(call.id, 'recording', 'recorded', ends, note);
  await catalogue.recordings.move(call.id, 'recorded', 'archived', { archive: 'one', objectKey: 'a.wav' }, note);

  return call;
}

/** A serve that has died served last at this time, ms since 1970 UTC, by the clock that can be set. */
export async function servedLast(file: string, at: number): Promise<void> {
  const catalogue = openCatalogue(file, clockAt(at));
  try {
    await catalogue.leases.noteServing(onlyServe, beside(spawnSync('true').pid));
  } finally {
    catalogue.close();
  }
}

/** For passes by the clock of a test: PostgreSQL compares its own with it, which no test can set. */
export function withClockOfTest(catalogue: Catalogue): Catalogue {
  return { ...catalogue, leases: { ...catalogue.leases, clockAheadMs: () => Promise.resolve(0) } };
}
