/** One of two workers loses the database alone: the other one has its calls, and the two do not take them from each other. */
import { startTcpProxy } from '../../support/ari/tcpProxy.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { useCatalogueIn } from '../../support/rig/catalogueStores.ts';
import { expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';
import { callsAt, callsOf, hearsAgent, recordingOf, workersRig } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const database = useCatalogueIn('postgres');
const at = useRig(async () => ({
  ...(await workersRig(() => at, ['severed'], notice)),
  ...(await database()),
}));

beforeAll(() => notice.install(at.rig.asterisk.soundsFolder));

it('leaves its calls to the other one, asks nothing of Asterisk about them, and ends when the database is back', async () => {
  const { host } = new URL(at.rig.database ?? '');
  const proxy = await at.keep(startTcpProxy());
  proxy.leadTo(`http://${host}`);
  await workers.start('a', {
    PREAVIS_CATALOGUE_POSTGRES_HOST: '127.0.0.1',
    PREAVIS_CATALOGUE_POSTGRES_PORT: String(proxy.port),
  });
  await workers.start('b');
  const placed = await callsAt(at, 'severed', ['a', 'b']);
  const since = { a: workers.log('a').length, b: workers.log('b').length };
  proxy.impair({ hole: ['toServer', 'toClient'] });
  proxy.reset();
  await workers.says('b', 'other worker away; its calls taken over', since.b);
  await workers.says('a', 'Stasis application taken over by another process', since.a);
  // It wants its application back soon, and must not have it.
  await workers.says('a', 'Stasis application reclaimed; reconnecting', since.a);
  await eventually(async () => {
    expect(await workers.health('b')).toMatchObject({ calls: placed.length });
  });
  for (const each of placed) await hearsAgent(each);

  proxy.mend();
  expect(await workers.ended('a')).toBe(1);
  expect(workers.log('a').at(-1)).toMatchObject({ code: 'lease_lost' });
  const taken = workers.log('b').filter(({ code }, line) => line >= since.b && code === 'application_taken');
  expect(taken).toEqual([]);
  for (const { call } of placed) await call.hangUp();
  await eventually(async () => {
    for (const call of await callsOf(at, 'severed')) {
      expect(call).toMatchObject({ phase: 'ended', result: 'recorded' });
      expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
    }
  });
  await expectNobodyConnected(at.rig);
});
