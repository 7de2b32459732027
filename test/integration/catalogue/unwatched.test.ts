import type { Unwatched } from '../../../src/call/watch/timeline.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, saveCall } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** Intervals in which nobody listened to a call. */

const open = catalogues();
const folder = temporaryFolder();

it('has at its end what was not known at its beginning: when it was over, and that a party is a Local/ channel', async () => {
  const catalogue = open(folder.path('catalogue.sqlite'));
  const { facts } = await saveCall(catalogue, { until: 'talking' });
  const { callerChannel, order } = facts;
  const interval: Unwatched = {
    from: callStart + 25_000,
    to: null,
    heardAgainAt: null,
    why: 'process_ended',
    bridge: order.bridge,
    parties: [callerChannel, order.destination],
  };
  await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval });
  const end = { to: callStart + 30_000, heardAgainAt: callStart + 30_000, parties: [] };
  await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval: { ...interval, ...end } });
  expect(await catalogue.timeline.unwatched(facts.id)).toMatchObject([{ from: interval.from, ...end }]);
});

it('is over with the comparison of the next process where the one that began it has died', async () => {
  const catalogue = open(folder.path('died.sqlite'));
  const { facts } = await saveCall(catalogue, { until: 'talking' });
  const { callerChannel, order } = facts;
  const known = { bridge: order.bridge, parties: [callerChannel, order.destination], to: null, heardAgainAt: null };
  const begun: Unwatched = { ...known, from: callStart + 25_000, why: 'connection_lost' };
  const died: Unwatched = { ...known, from: callStart + 26_000, why: 'process_ended' };
  for (const interval of [begun, died])
    await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval });
  const end = { to: callStart + 30_000, heardAgainAt: callStart + 30_001 };
  await catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval: { ...died, ...end } });
  expect(await catalogue.timeline.unwatched(facts.id)).toMatchObject([
    { from: begun.from, ...end },
    { from: died.from, ...end },
  ]);
});
