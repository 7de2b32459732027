import { idleLeft, noteAnswer } from '../../../console/src/api/idle.ts';
import { Problem } from '../../../console/src/api/problem.ts';
import { afterFault, type Asked } from '../../../console/src/api/useAsked.ts';

/** What the console keeps in sight of what it was given, and for how long. */

const given: Asked<string> = { kind: 'given', answer: 'a call', fault: undefined };
const problem = (status: number): Problem => new Problem({ code: 'any', status });

test.each([0, 401, 412, 500, 503])('what is asked again in vain stays, with what was typed in it: %i', (status) => {
  const fault = problem(status);
  expect(afterFault(given, fault)).toEqual({ ...given, fault });
});

test.each([403, 404, 410])('what may not be seen any more is taken away: %i', (status) => {
  expect(afterFault(given, problem(status))).toEqual({ kind: 'failed', problem: problem(status) });
});

test('what was never given has failed', () => {
  expect(afterFault(undefined, problem(0))).toEqual({ kind: 'failed', problem: problem(0) });
  expect(afterFault({ kind: 'waiting' }, problem(503))).toEqual({ kind: 'failed', problem: problem(503) });
});

const minute = 60_000;

test('a session has ended when nothing was asked for so long, and an answer lets it go on', () => {
  noteAnswer(10 * minute);
  expect(idleLeft(30, 10 * minute)).toBe(30 * minute);
  expect(idleLeft(30, 39 * minute)).toBe(minute);
  expect(idleLeft(30, 40 * minute)).toBe(0);
  noteAnswer(39 * minute);
  expect(idleLeft(30, 40 * minute)).toBe(29 * minute);
});
