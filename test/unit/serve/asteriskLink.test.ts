import { jest } from '@jest/globals';
import type { AriEvent } from '../../../src/ari/events.ts';
import type { AriListener } from '../../../src/ari/port.ts';
import { AsteriskLink } from '../../../src/serve/asteriskLink.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';

/** The acceptance test `reconnect` shows it on Asterisk, which cannot be made to answer at a given moment. */
function stage({ size = 0, hasHeir = false } = {}) {
  const { log, lines } = collectingLog('info');
  const done: string[] = [];
  const scene = { size, isListening: false, answers: true, told: 0, compared: [] as ('whole' | 'partly')[] };
  let listener: AriListener | undefined;
  let goOn: (() => void) | undefined;
  const note =
    (what: string) =>
    (...details: unknown[]): Promise<void> => {
      done.push([what, ...details].join(' '));

      return Promise.resolve();
    };
  const link = new AsteriskLink({
    connection: {
      isOpen: true,
      answers: () => Promise.resolve(scene.answers),
      listen: (given) => {
        listener = given;
      },
      start: note('open'),
      stop: note('close'),
    },
    registry: {
      get size() {
        return scene.size;
      },
      handle: ({ type }) => void note(type)(),
      connectionLost: (why) => void note(why)(),
      resync: async () => {
        done.push('resync');
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });

        return scene.compared.shift() ?? 'whole';
      },
      abandon: note('abandon'),
    },
    watch: {
      get isListening() {
        return scene.isListening;
      },
      seen: (at) => void note('seen')(at),
      goDeaf: () => {
        scene.isListening = false;
      },
      listenAgain: (at) => {
        done.push(`listen from ${at}`);
        scene.isListening = true;
      },
    },
    deadman: {
      callCame: () => void note('call came')(),
      lookBack: note('look back'),
      lookNow: () => void note('look now')(),
    },
    asterisk: {
      identity: () => Promise.resolve({ version: '22.10', node: 'second' }),
      time: () => Promise.resolve(1_000),
    },
    identity: { version: '22.9', node: 'first' },
    isHeld: undefined,
    tellDialplan: () => {
      scene.told += 1;

      return Promise.resolve();
    },
    noteServing: note('note serving'),
    hasHeir: () => Promise.resolve(hasHeir),
    heartbeatMs: 1_000,
    log,
  });
  if (listener === undefined) throw new Error('nobody listens');
  const compared = async (): Promise<void> => {
    await eventually(() => goOn !== undefined);
    goOn?.();
    goOn = undefined;
  };

  return { link, listener, done, lines, scene, compared };
}

const event = (type: string, at: number): AriEvent => ({ type, at }) as AriEvent;
const once = ['look back', 'resync', 'listen from 1000', 'look now', 'note serving'];

test('after a connection the calls are compared, and only then counts as watched what comes', async () => {
  const { link, listener, done, scene, compared } = stage();
  expect(link.identity.node).toBe('first');
  listener.connected();
  expect(scene.isListening).toBe(false);
  await compared();
  await link.compared();
  expect(done).toEqual(once);
  expect(link.identity.node).toBe('second');
  listener.event(event('channelArrived', 1_100));
  expect(done.slice(once.length)).toEqual(['channelArrived', 'seen 1100', 'call came']);
});

test('a comparison is repeated until it was made for every call', async () => {
  const { link, listener, done, scene, compared } = stage();
  scene.compared = ['partly', 'whole'];
  listener.connected();
  await compared();
  await compared();
  await link.compared();
  expect(done.filter((what) => what === 'resync')).toHaveLength(2);
  expect(done.filter((what) => what.startsWith('listen from'))).toHaveLength(1);
});

test('a comparison that fails is logged and repeated', async () => {
  const { link, listener, lines, scene, compared } = stage();
  scene.answers = false;
  listener.connected();
  await eventually(() => lines.length === 1);
  scene.answers = true;
  await compared();
  await link.compared();
  expect(lines).toMatchObject([{ level: 'error', code: 'ari_unreachable' }]);
});

test('what is lost or taken while calls are compared makes nobody believe that they are watched', async () => {
  for (const lose of [
    (listener: AriListener) => {
      listener.disconnected();
    },
    (listener: AriListener) => {
      listener.event(event('applicationReplaced', 1_050));
    },
  ]) {
    const { link, listener, done, scene, compared } = stage();
    listener.connected();
    await eventually(() => done.includes('resync'));
    lose(listener);
    await compared();
    await link.compared();
    expect(scene.isListening).toBe(false);
    expect(done).not.toContain('listen from 1000');
    expect(done).not.toContain('note serving');
  }
});

test('an application that was taken is ours again after the next connection was lost', () => {
  const { link, listener, done } = stage();
  listener.event(event('applicationReplaced', 1_050));
  expect(link.isReplaced).toBe(true);
  expect(done).toEqual(['application_taken', 'applicationReplaced', 'seen 1050']);
  listener.disconnected();
  expect(link.isReplaced).toBe(false);
});

test('leaving waits for the calls, and then compares none after a new connection', async () => {
  const { link, listener, done, scene } = stage({ size: 1 });
  const left = link.leave(new AbortController().signal);
  await eventually(() => done.length === 0);
  scene.size = 0;
  await left;
  expect(done).toEqual(['abandon']);
  listener.connected();
  await link.compared();
  expect(done).toEqual(['abandon']);
});

test('calls are left to the next start at once where that is wanted', async () => {
  const { link, done, lines } = stage({ size: 2 });
  await link.leave(AbortSignal.abort());
  expect(done).toEqual(['abandon']);
  expect(lines).toMatchObject([{ level: 'warn', calls: 2 }]);
});

test('that calls are left to the other worker is no warning', async () => {
  const { link, lines } = stage({ size: 2, hasHeir: true });
  await link.leave(AbortSignal.abort());
  expect(lines).toMatchObject([{ level: 'info', calls: 2 }]);
});

test('what the dialplan decides by itself is told again each minute, since Asterisk may have forgotten it', async () => {
  jest.useFakeTimers();
  try {
    const { link, scene } = stage();
    await link.start();
    const before = scene.told;
    await jest.advanceTimersByTimeAsync(120_000);
    expect(scene.told - before).toBe(2);
    await link.stop();
  } finally {
    jest.useRealTimers();
  }
});
