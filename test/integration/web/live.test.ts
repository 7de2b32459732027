import { WebSocket } from 'ws';
import { PreavisError } from '../../../src/core/errors.ts';
import { catalogues, saveCall } from '../../support/catalogue/catalogues.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

type Asked = { task: string; call: string };

async function stage(
  answer: () => Promise<never> | undefined = () => undefined,
): Promise<WebStage & { asked: Asked[] }> {
  const asked: Asked[] = [];
  const here = await webStage(folder.path(`${Math.random()}`), open, {
    ports: {
      ask: (task, { id }) => {
        asked.push({ task, call: id });

        return answer() ?? Promise.resolve({ fields: { paused: true, secret: 'x' }, words: '', isFull: true });
      },
    },
  });
  stages.push(here);
  here.door.tokens.set('operator', actorOf('operator'));
  here.door.tokens.set('coach', actorOf('coach', { lines: ['orders'] }));

  return { ...here, asked };
}

type Message = { type: string; calls: { id: string; phase: string }[] };

/** What a socket is told, and how it ends. */
function watch(
  here: WebStage,
  token: string,
  origin?: string,
): { told: Message[]; ended: Promise<number>; socket: WebSocket } {
  const socket = new WebSocket(`${here.server.url.replace('http', 'ws')}/api/v1/live/events`, {
    headers: { authorization: `Bearer ${token}` },
    ...(origin === undefined ? {} : { origin }),
  });
  const told: Message[] = [];
  socket.on('message', (data: Buffer) => told.push(JSON.parse(data.toString()) as Message));
  const ended = new Promise<number>((resolve) => {
    socket.on('close', resolve);
    socket.on('unexpected-response', (_, answer) => {
      resolve(answer.statusCode ?? 0);
      socket.terminate();
    });
    socket.on('error', () => undefined);
  });

  return { told, ended, socket };
}

test('calls that go on are listed and told of when they change, to who may see them', async () => {
  const here = await stage();
  const { told, socket } = watch(here, 'operator');
  await eventually(() => {
    expect(told).toEqual([{ type: 'calls', calls: [] }]);
  });
  const { facts } = await saveCall(here.set.catalogue, { until: 'talking' });
  await eventually(() => {
    expect(told[1]?.calls).toMatchObject([
      { id: facts.id, phase: 'talking', line: 'default', isPaused: false, tasks: ['pause'] },
    ]);
  });
  expect(await here.json('/live', 'operator')).toEqual({ calls: told[1]?.calls });
  expect(await here.json('/live', 'coach')).toEqual({ calls: [] });
  const shape = { asterisk: { version: '22.5.2', node: 'one', pbx: 'north' } };
  const { facts: atNorth } = await saveCall(here.set.catalogue, { until: 'talking', shape });
  expect(await here.json('/live?pbx=north', 'operator')).toMatchObject({ calls: [{ id: atNorth.id, pbx: 'north' }] });
  expect(await here.json('/live?pbx=north', 'coach')).toEqual({ calls: [] });
  expect(await here.json('/live?pbx=south', 'operator')).toEqual({ calls: [] });
  expect((await here.json('/live', 'operator'))['calls']).toHaveLength(2);
  socket.close();
});

test('who watches is cut off when their session ends, and nobody watches from the page of another', async () => {
  const here = await stage();
  const { told, ended } = watch(here, 'operator');
  await eventually(() => told.length === 1);
  here.door.tokens.delete('operator');
  expect(await ended).toBe(4401);
  here.door.tokens.set('operator', actorOf('operator'));
  expect(await watch(here, 'operator', 'https://evil.example').ended).toBe(403);
  expect(await watch(here, 'nobody').ended).toBe(401);
});

test('who sends too much to it is cut off', async () => {
  const here = await stage();
  const { told, ended, socket } = watch(here, 'operator');
  await eventually(() => told.length === 1);
  socket.send('x'.repeat(10_000));
  expect(await ended).toBe(1009);
});

test('the pages of one user take no room from those of others', async () => {
  const here = await stage();
  const theirs = Array.from({ length: 6 }, () => watch(here, 'operator'));
  await eventually(() => theirs.every(({ told }) => told.length === 1));
  expect(await watch(here, 'operator').ended).toBe(503);
  const { told, socket } = watch(here, 'coach');
  await eventually(() => told.length === 1);
  for (const each of [...theirs.map((one) => one.socket), socket]) each.close();
});

test('a page that was left open is no use of the session of who has gone', async () => {
  const here = await stage();
  const uses: boolean[] = [];
  const known = here.door.actorOf.bind(here.door);
  here.door.actorOf = (credentials, how) => {
    uses.push(how?.isUse ?? true);

    return known(credentials);
  };
  const { told, socket } = watch(here, 'operator');
  await eventually(() => told.length === 1 && uses.length >= 3);
  expect(uses).toEqual([true, ...uses.slice(1).map(() => false)]);
  socket.close();
});

test('what is asked of a call goes to the serve that has it, and no more is told than is described', async () => {
  const here = await stage();
  const { facts } = await saveCall(here.set.catalogue, { until: 'talking' });
  const answer = await here.json(`/live/${facts.id}/pause`, 'operator', { method: 'POST' });
  expect(answer).toEqual({ call: facts.id, done: true, paused: true });
  expect(here.asked).toEqual([{ task: 'pause', call: facts.id }]);
  expect((await here.ask(`/live/${facts.id}/pause`, 'coach', { method: 'POST' })).status).toBe(403);
});

test('what serve cannot do is told with its reason', async () => {
  const here = await stage(() => Promise.reject(new PreavisError('pause_not_done', 'nobody talks in this call now')));
  const { facts } = await saveCall(here.set.catalogue, { until: 'talking' });
  const answer = await here.ask(`/live/${facts.id}/pause`, 'operator', { method: 'POST' });
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({ code: 'pause_not_done', detail: 'nobody talks in this call now' });
});
