/** Each of two workers is stopped and started in turn, as by an upgrade, while callers come in: each of them is told, and none is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected } from '../../support/rig/rigs.ts';
import {
  callIn,
  callsOf,
  hearsAgent,
  place,
  recordingOf,
  useWorkersAnd,
  type Placed,
} from '../../support/rig/workerCalls.ts';

/** Between two callers, ms. */
const everyMs = 1_000;

/**
 * Longer than from a caller's arrival to the end of their notice, which is two seconds long, also on a busy machine: whoever has just come to a worker
 * that is told to leave hears it to its end there. One that gives them less time sends them to the other one in the middle of it.
 */
const graceSeconds = 6;

const { workers, at } = useWorkersAnd(['long', 'coming'], 'sqlite', graceSeconds);

/** Callers who come one after another until this is ended. */
function comeIn(): { stop(): Promise<Placed[]> } {
  const ending = new AbortController();
  const coming = (async () => {
    const placed: Placed[] = [];
    while (!ending.signal.aborted) {
      placed.push(await place(at, 'coming'));
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }

    return placed;
  })();

  return {
    stop: () => {
      ending.abort();

      return coming;
    },
  };
}

it('every caller hears a whole notice and is recorded, and a talk that outlives both stays one recording', async () => {
  const long = await place(at, 'long');
  const made = await callIn(at, 'long', 'talking');
  const callers = comeIn();
  for (const worker of ['a', 'b'] as const) {
    await eventually(async () => (await callsOf(at, 'coming')).length > 0);
    expect(await workers.drain(worker)).toBe(0);
    await workers.start(worker);
    expect(await workers.health(worker)).toMatchObject({ status: 'ok' });
  }
  const placed = await callers.stop();
  for (const each of placed) await hearsAgent(each);
  await hearsAgent(long);
  await eventually(async () => {
    expect((await callsOf(at, 'coming')).filter(({ phase }) => phase === 'talking')).toHaveLength(placed.length);
  });
  for (const { call } of [...placed, long]) await call.hangUp();
  expect(await callIn(at, 'long', 'ended')).toMatchObject({ id: made.id, result: 'recorded' });
  await eventually(async () => {
    const calls = await callsOf(at, 'coming');
    const recorded = calls.filter(({ result }) => result === 'recorded');
    expect(recorded).toHaveLength(placed.length);
    // Nobody was cut off in the middle of the notice, and told anew by the other worker.
    expect(new Set(calls.filter((each) => !recorded.includes(each)).map(({ reason }) => reason))).toEqual(new Set());
    for (const call of [...recorded, made]) {
      expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
    }
  });
  await expectNobodyConnected(at.rig);
});
