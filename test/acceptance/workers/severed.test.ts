/**
 * One of two workers loses the database alone: the other one has its calls, and the two do not take them from each other. Where both lose it, each has its
 * own again afterwards.
 */
import { startAriProxy } from '../../support/ari/ariProxy.ts';
import { startTcpProxy, type TcpProxy } from '../../support/ari/tcpProxy.ts';
import { workerNames } from '../../../src/config/workerNames.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { useCatalogueIn } from '../../support/rig/catalogueStores.ts';
import { useRig } from '../../support/rig/rigs.ts';
import { callsAt, endRecorded, hearsAgent, outlastLeases, workersRig } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const workers = useWorkers(() => at.rig);
const notice = useBriefNotice();
const database = useCatalogueIn('postgres');
const at = useRig(async () => ({
  ...(await workersRig(() => at, ['severed', 'both'], notice)),
  ...(await database()),
}));

beforeAll(() => notice.install(at.rig.asterisk.soundsFolder));

/** A way to the database that can be broken, and the variables by which a worker goes there. */
async function wayToDatabase(): Promise<{ proxy: TcpProxy; through: Record<string, string> }> {
  const proxy = await at.keep(startTcpProxy());
  proxy.leadTo(`http://${new URL(at.rig.database ?? '').host}`);

  return {
    proxy,
    through: { PREAVIS_CATALOGUE_POSTGRES_HOST: '127.0.0.1', PREAVIS_CATALOGUE_POSTGRES_PORT: String(proxy.port) },
  };
}

it('a worker without the database leaves its calls to the other one, asks nothing about them, and ends when the database is back', async () => {
  const { proxy, through } = await wayToDatabase();
  const line = await at.keep(startAriProxy());
  line.leadTo(at.rig.asterisk.ariUrl);
  await workers.start('a', { ...through, PREAVIS_ARI_URL: line.url });
  await workers.start('b');
  const placed = await callsAt(at, 'severed', ['a', 'b']);
  const since = { a: workers.log('a').length, b: workers.log('b').length };
  proxy.impair({ hole: ['toServer', 'toClient'] });
  proxy.reset();
  await workers.says('b', 'other worker away; its calls taken over', since.b);
  const asked = line.requests().length;
  await workers.says('a', 'Stasis application taken over by another process', since.a);
  await workers.says('a', 'Stasis application not opened while its owner is unknown', since.a);
  await eventually(async () => {
    expect(await workers.health('b')).toMatchObject({ calls: placed.length });
  });
  for (const each of placed) await hearsAgent(each);

  proxy.mend();
  expect(await workers.ended('a')).toBe(1);
  expect(workers.log('a').at(-1)).toMatchObject({ code: 'lease_lost' });
  const taken = workers.log('b').filter(({ code }, line) => line >= since.b && code === 'application_taken');
  expect(taken).toEqual([]);
  const changing = line.requests().slice(asked);
  expect(changing.filter((request) => !request.startsWith('GET '))).toEqual([]);
  await endRecorded(at, 'severed', placed);
});

it('where both were without the database until their leases had run out, each has its own calls again, and neither ends the other', async () => {
  await workers.kill('b');
  const { proxy, through } = await wayToDatabase();
  await Promise.all(workerNames.map((worker) => workers.start(worker, through)));
  await outlastLeases(at, workers, 'both', proxy);
});
