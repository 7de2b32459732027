import { jest } from '@jest/globals';
import { noteDraft } from '../../../console/src/ui/unsaved.ts';

/** What is not saved, for who closes the window. */

let asking = new Set<string>();
const before = { add: globalThis.addEventListener, remove: globalThis.removeEventListener };

beforeEach(() => {
  asking = new Set();
  globalThis.addEventListener = jest.fn((name: string) => void asking.add(name)) as typeof addEventListener;
  globalThis.removeEventListener = jest.fn((name: string) => void asking.delete(name)) as typeof removeEventListener;
});

afterEach(() => {
  globalThis.addEventListener = before.add;
  globalThis.removeEventListener = before.remove;
});

test('the browser asks before it closes the window as long as any draft is unsaved, on whichever page it was typed', () => {
  noteDraft('person', true);
  noteDraft('report', true);
  expect([...asking]).toEqual(['beforeunload']);
  noteDraft('person', false);
  expect([...asking]).toEqual(['beforeunload']);
  noteDraft('report', false);
  expect([...asking]).toEqual([]);
});
