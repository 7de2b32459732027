import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { decide } from '../../../../src/call/decide/decide.ts';
import type { Step } from '../../../../src/call/decide/state.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { eventsTo, someFacts, stateAt } from '../../../support/call/calls.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { eventually } from '../../../support/poll.ts';

/** PostgreSQL dies alone: whoever uses the catalogue lives on, and counts on what was committed. */

const server = usePostgres();
let catalogue: Catalogue;

beforeEach(async () => {
  catalogue = await openPostgresCatalogue({ url: await server.newDatabase() }, systemClock);
  // So that it writes nothing down by itself meanwhile.
  await server.lab().shell(`
    psql --quiet --command="ALTER SYSTEM SET wal_writer_delay = '10s'" postgres
    psql --quiet --command='SELECT pg_reload_conf()' postgres`);
});

afterEach(() => {
  catalogue.close();
});

async function crash(): Promise<void> {
  await server.lab().stopServer('kill');
  await server.lab().startServer();
}

it('has the notice of a call whose destination rang when PostgreSQL was killed, in the recording that follows', async () => {
  const facts = someFacts();
  const { id, order } = facts;
  const dialling = stateAt('dialling', facts);
  const talking = eventsTo('talking', facts).slice(eventsTo('dialling', facts).length);
  for (const state of [stateAt('planning', facts), dialling]) await catalogue.journal.save(state);
  await crash();
  const { state } = talking.reduce<Pick<Step, 'state'>>((step, event) => decide(step.state, event), {
    state: dialling,
  });
  await eventually(() => catalogue.journal.save(state));
  expect(await catalogue.calls.notices(id)).toMatchObject(
    order.script.sentences.map(({ prompt }) => ({ prompt: prompt.id, verdict: 'verified' })),
  );
  expect(await catalogue.calls.find(id)).toMatchObject({ line: 'default', phase: 'talking' });
  expect(await catalogue.recordings.find(order.recording)).toMatchObject({ status: 'recording', callId: id });
});

it('has what happened in a talk just before PostgreSQL was killed', async () => {
  const facts = someFacts();
  await catalogue.journal.save(stateAt('talking', facts));
  await catalogue.journal.addToTimeline(facts.id, { kind: 'change', change: 'joined', at: facts.startedAt + 30_000 });
  await crash();
  expect(await eventually(() => catalogue.timeline.changes(facts.id))).toMatchObject([{ change: 'joined' }]);
});

it('has once what it is told again, since nobody knows whether a commit took place whose answer was lost', async () => {
  const facts = someFacts();
  const at = facts.startedAt + 30_000;
  await catalogue.journal.save(stateAt('talking', facts));
  const held = { kind: 'change', change: 'held', party: 'caller' } as const;
  const marked = { kind: 'change', change: 'agreementMarked', at, party: 'destination' } as const;
  const joined = { kind: 'change', change: 'joined', at } as const;
  const happened = [{ ...held, at }, { ...held, at }, marked, { ...held, at: at + 1 }, marked, joined, joined];
  for (const each of happened) await catalogue.journal.addToTimeline(facts.id, each);
  expect((await catalogue.timeline.changes(facts.id)).map(({ change }) => change)).toEqual([
    'held',
    'agreementMarked',
    'held',
    'joined',
    'joined',
  ]);
});
