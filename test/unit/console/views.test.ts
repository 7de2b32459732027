import { viewOf, viewsIn, viewsText, filtersNow, mostViews, withView } from '../../../console/src/calls/views.ts';

/** Filters that somebody has saved under a name, in the browser. */

const now = new Date(2026, 10, 30, 15).getTime();
const later = new Date(2026, 11, 3, 9).getTime();

test('a view that reaches up to today is so many days back from the day on which it is opened', () => {
  const view = viewOf('week', { from: '2026-11-24', line: 'sales' }, now);
  expect(view.lastDays).toBe(7);
  expect(filtersNow(view, now)).toEqual({ from: '2026-11-24', line: 'sales' });
  expect(filtersNow(view, later)).toEqual({ from: '2026-11-27', line: 'sales' });
  expect(filtersNow(viewOf('today', { from: '2026-11-30' }, now), later)).toEqual({ from: '2026-12-03' });
});

test('a view of yesterday is of the day before the one on which it is opened', () => {
  const view = viewOf('yesterday', { from: '2026-11-29', to: '2026-11-29', line: 'sales' }, now);
  expect(filtersNow(view, now)).toEqual({ from: '2026-11-29', to: '2026-11-29', line: 'sales' });
  expect(filtersNow(view, later)).toEqual({ from: '2026-12-02', to: '2026-12-02', line: 'sales' });
  expect(viewsIn(viewsText([view]))).toEqual([view]);
});

test('a view of certain days, or of days to come, keeps them', () => {
  const certain = { from: '2026-11-01', to: '2026-11-07' };
  expect(filtersNow(viewOf('then', certain, now), later)).toEqual(certain);
  expect(filtersNow(viewOf('to come', { from: '2026-12-24' }, now), later)).toEqual({ from: '2026-12-24' });
});

test('views come back from the browser as they were kept', () => {
  const views = [viewOf('a', { tag: 'été', from: '2026-11-24' }, now), viewOf('b', { result: 'unrecorded' }, now)];
  expect(viewsIn(viewsText(views))).toEqual(views);
});

test.each([
  ['nothing', null],
  ['no JSON', '{'],
  ['no list', '{"name":"a"}'],
  ['other things', '[1,null,{"name":3,"address":"/calls"},{"name":"a"},{"name":"","address":"/calls"}]'],
])('of what stands in the browser %s is no view', (_name, text) => {
  expect(viewsIn(text)).toEqual([]);
});

test('of a view that somebody has changed only filters are left, and a number is none', () => {
  const text = JSON.stringify([
    { name: 'a', address: '//evil.example/calls?line=sales&number=%2B32&held=no', lastDays: -1 },
  ]);
  expect(viewsIn(text)).toEqual([{ name: 'a', filters: { line: 'sales' }, lastDays: undefined }]);
});

test('there are not more views than can be looked through', () => {
  const many = Array.from({ length: mostViews + 5 }, (_none, place) => viewOf(`view ${place}`, { line: 'sales' }, now));
  expect(viewsIn(viewsText(many))).toHaveLength(mostViews);
});

test('a view of the same name takes the place of the one before, and they stand by name', () => {
  const views = withView([viewOf('b', { line: 'desk' }, now)], viewOf('a', { line: 'sales' }, now));
  expect(views.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(withView(views, viewOf('b', { line: 'orders' }, now)).at(-1)?.filters).toEqual({ line: 'orders' });
});
