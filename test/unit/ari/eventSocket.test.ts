import { EventEmitter } from 'node:events';
import { EventSocket } from '../../../src/ari/eventSocket.ts';

/** A socket of which the test says when an answer to a ping is read: a live one cannot be made to be read late. */
function stage() {
  const pings: string[] = [];
  const events = new EventEmitter();
  const socket = Object.assign(events, {
    ping: (payload: string) => pings.push(payload),
    close: () => undefined,
    terminate: () => events.emit('close'),
  });
  const client = Object.assign(new EventEmitter(), { start: () => Promise.resolve(), _ws: socket });
  const nothing = (): void => undefined;
  const options = { application: 'preavis', heartbeatMs: 60_000, openLimitMs: 1_000 };
  const eventSocket = new EventSocket(client, options, {
    message: nothing,
    silent: nothing,
    closed: nothing,
  });
  events.emit('open');
  const answer = (ping: number): boolean => events.emit('pong', Buffer.from(pings[ping] ?? ''));

  return { eventSocket, pings, answer };
}

describe('whether Asterisk answers on the event socket', () => {
  it('is not told by the answer to a ping from before the question', async () => {
    const { eventSocket, pings, answer } = stage();
    expect(pings).toHaveLength(1);
    const answers = eventSocket.answers(20);
    answer(0);
    expect(await answers).toBe(false);
    eventSocket.end();
  });

  it('is told by the answer to a later one: it stands for all before it', async () => {
    const { eventSocket, answer } = stage();
    const [first, second] = [eventSocket.answers(10_000), eventSocket.answers(10_000)];
    answer(2);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    eventSocket.end();
  });

  it('is not, when it ends instead', async () => {
    const { eventSocket } = stage();
    const answers = eventSocket.answers(10_000);
    eventSocket.end();
    expect(await answers).toBe(false);
  });
});
