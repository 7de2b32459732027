import type { CallEvent } from '../../../../src/call/decide/events.ts';
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import { askedChange, pauseChange, pauseOf } from '../../../../src/call/session/pauseNotes.ts';
import { countingIds, eventsTo, course, someFacts, stateAt } from '../../../support/call/calls.ts';

const facts = someFacts(countingIds());
const talking = stateAt('talking', facts);
const onRequest = { ...facts, order: { ...facts.order, records: 'onRequest' as const } };
const waiting = course(onRequest, [
  ...eventsTo('dialling', onRequest),
  { type: 'destinationAnswered', at: 5_000 },
]).state;

const noted = (before: CallState, event: CallEvent): [CallState, ReturnType<typeof askedChange>] => {
  const { state } = decide(before, event);

  return [state, askedChange(before, state, event) ?? pauseChange(before, state, event)];
};

test('what somebody marks is noted once, with the party, or with none for a program', () => {
  const mark: CallEvent = { type: 'markAsked', mark: 'exemplary', by: 'operator', at: 7 };
  const [marked, first] = noted(talking, mark);
  expect(first).toEqual({ kind: 'change', change: 'exemplaryMarked', at: 7 });
  expect(noted(marked, { ...mark, by: 'caller' })[1]).toBeUndefined();
});

test('an erasure is noted once, and by whom', () => {
  const erase: CallEvent = { type: 'eraseAsked', by: 'destination', at: 7 };
  const [erased, first] = noted(talking, erase);
  expect(first).toEqual({ kind: 'change', change: 'eraseAsked', at: 7, party: 'destination' });
  expect(noted(erased, erase)[1]).toBeUndefined();
});

test('that a line records on request is no pause; that it begins is noted with who asked and when both knew', () => {
  expect(pauseOf(waiting)).toBeUndefined();
  const [asked, first] = noted(waiting, { type: 'recordAsked', by: 'caller', at: 7 });
  expect(first).toBeUndefined();
  const [, begun] = noted(asked, { type: 'pauseSaid', word: 'resumed', at: 9 });
  expect(begun).toEqual({ kind: 'change', change: 'recordAsked', at: 9, party: 'caller' });
});
