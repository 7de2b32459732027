import { callStart } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** Until when every event of Asterisk was seen, as the next process finds it. */

const open = catalogues();
const folder = temporaryFolder();

it('is not known at first, and then what was written last, also where a clock was set back', async () => {
  const file = folder.path('catalogue.sqlite');
  const catalogue = open(file);
  expect(await catalogue.timeline.watchedUntil()).toBeUndefined();
  for (const until of [callStart, callStart + 1_000, callStart - 1_000])
    await catalogue.timeline.saveWatchedUntil(until);
  catalogue.close();
  expect(await open(file).timeline.watchedUntil()).toBe(callStart - 1_000);
});
