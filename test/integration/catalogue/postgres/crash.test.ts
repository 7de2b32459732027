import { openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { decide } from '../../../../src/call/decide/decide.ts';
import type { Step } from '../../../../src/call/decide/state.ts';
import { SavedCall } from '../../../../src/call/session/savedCall.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { makeIds } from '../../../../src/core/ids.ts';
import { makeLog } from '../../../../src/core/log.ts';
import { startTcpProxy } from '../../../support/ari/tcpProxy.ts';
import { eventsTo, someFacts, stateAt } from '../../../support/call/calls.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { eventually } from '../../../support/poll.ts';

/** PostgreSQL dies alone: whoever uses the catalogue lives on, and counts on what was committed. */

const server = usePostgres();
let url: string;
let catalogue: Catalogue;

beforeEach(async () => {
  url = await server.newDatabase();
  catalogue = await openPostgresCatalogue({ url }, systemClock);
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

it('has once what happened where the answer to its commit was lost, and each of two that are the same in the same millisecond', async () => {
  const facts = someFacts();
  await catalogue.journal.save(stateAt('talking', facts));
  // From its commit on, whoever is behind it hears nothing.
  const proxy = await startTcpProxy({ committing: /COMMIT\0/ });
  const address = new URL(url);
  proxy.leadTo(`http://${address.host}`);
  address.port = String(proxy.port);
  const behind = await openPostgresCatalogue({ url: address.href, connections: 1 }, systemClock);
  try {
    const saved = new SavedCall({
      journal: behind.journal,
      log: makeLog('silent'),
      ids: makeIds(),
      endSaved: () => undefined,
      state: () => stateAt('talking', facts),
      measured: () => ({}),
      inTurn: (step) => void step(),
    });
    const joined = { kind: 'change', change: 'joined', at: facts.startedAt + 30_000 } as const;
    proxy.impair({ hole: ['toClient'] }, ['committing']);
    const first = saved.keep(joined);
    const known = async () => (await catalogue.timeline.changes(facts.id)).map(({ change }) => change);
    await eventually(async () => {
      expect(await known()).toEqual(['joined']);
    });
    proxy.mend();
    proxy.reset();
    expect(await first).toBe(false);
    // Whoever tells of the next thing tells what was not kept before it.
    expect(await saved.keep(joined)).toBe(true);
    saved.stop();
    expect(await known()).toEqual(['joined', 'joined']);
  } finally {
    behind.close();
    proxy.close();
  }
});
