import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { serveLease } from '../../../src/catalogue/jobs/leases.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { ownCalls } from '../../../src/serve/ownCalls.ts';
import { beginning, callStart, countingIds, someFacts } from '../../support/call/calls.ts';
import { catalogues, clockAt } from '../../support/catalogue/catalogues.ts';
import { beside } from '../../support/catalogue/holders.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const all = [undefined, 'preavis', 'preavis-a', 'preavis-b', 'beside', 'gone'];
let files = 0;

/** An open call of each of these; `beside` is served by another process. */
async function catalogueOfAll(): Promise<Catalogue> {
  const catalogue = open(folder.path(`${(files += 1)}.db`), clockAt(callStart));
  const ids = countingIds();
  for (const application of all) await catalogue.journal.save(beginning(someFacts(ids)).state, {}, application);
  await catalogue.leases.take(serveLease({ pbx: undefined, application: 'beside' }), beside(process.ppid));

  return catalogue;
}

const serving = (catalogue: Catalogue, application: string, peer?: string) =>
  ownCalls({
    catalogue,
    serve: { pbx: undefined, application },
    workers: peer === undefined ? undefined : { own: application, peer },
  });

/** Whose the calls are, in the order in which they came. */
const applications = async ({ journal, calls }: Catalogue): Promise<unknown[]> => {
  const found: unknown[] = [];
  for (const call of await journal.open())
    found.push((await calls.find('facts' in call ? call.facts.id : call.id))?.application);

  return found;
};

it('one serve has what was left by itself, by two workers and by a serve of before, and nothing of one beside it', async () => {
  const catalogue = await catalogueOfAll();
  const journal = serving(catalogue, 'preavis');
  expect(await journal.open()).toHaveLength(5);
  expect(await applications(catalogue)).toEqual(['preavis', 'preavis', 'preavis', 'preavis', 'beside', 'preavis']);
  expect(await journal.openOfOthers()).toHaveLength(1);
  const { state } = beginning(someFacts(makeIds()));
  await journal.save(state);
  expect((await catalogue.calls.find(state.facts.id))?.application).toBe('preavis');
});

it('the first of two workers has what one serve has left, and the other one its own calls alone', async () => {
  const catalogue = await catalogueOfAll();
  expect(await serving(catalogue, 'preavis-b', 'preavis-a').open()).toHaveLength(1);
  expect(await applications(catalogue)).toEqual([null, ...all.slice(1)]);
  expect(await serving(catalogue, 'preavis-a', 'preavis-b').open()).toHaveLength(4);
  const first = 'preavis-a';
  expect(await applications(catalogue)).toEqual([first, first, first, 'preavis-b', 'beside', first]);
});
