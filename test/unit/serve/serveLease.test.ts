import { jest } from '@jest/globals';
import { PreavisError } from '../../../src/core/errors.ts';
import { ServeLease } from '../../../src/serve/serveLease.ts';
import { collectingLog } from '../../support/logLines.ts';

/** How it is with each catalogue is in `leaseContract`; here, what is asked of one, and one that does not answer. */

const heldMs = 12_000;
let lease: ServeLease;

function stage() {
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const scene = { asked: [] as string[], isAway: false, isAnothers: false, isAnothersNow: false, lost: [] as string[] };
  const other = { id: 'other', host: 'host', pid: 2, machine: null, started: null };
  const turn = { job: 'serve', holder: 'me', number: 1 };
  const answer = <T>(what: string, value: T): Promise<T> => {
    scene.asked.push(what);

    return scene.isAway ? Promise.reject(new PreavisError('catalogue_unusable', 'away')) : Promise.resolve(value);
  };
  lease = new ServeLease({
    catalogue: {
      leases: {
        take: () => answer('take', { kind: 'taken' as const, turn }),
        renew: () =>
          answer('renew', scene.isAnothers ? { kind: 'lost' as const, to: other } : { kind: 'held' as const }),
        release: () => answer('release', undefined),
        otherHolder: () => answer('look', scene.isAnothersNow ? other : undefined),
        hasPassed: () => answer('look', scene.isAnothers),
      },
    },
    serve: { pbx: undefined, application: 'preavis-a' },
    log: collectingLog().log,
    failing: () => undefined,
    lost: ({ code }) => scene.lost.push(code),
    heldMs,
  });

  return {
    scene,
    passes: (ms: number) => {
      now += ms;
    },
  };
}

afterEach(async () => {
  await lease.stop().catch(() => undefined);
  jest.restoreAllMocks();
});

test('while the catalogue is away it is its own until it may have run out', async () => {
  const { scene, passes } = stage();
  await lease.start();
  passes(5_000);
  expect(await lease.isOwn()).toBe(true);
  scene.isAway = true;
  passes(heldMs - 1);
  expect(await lease.isOwn()).toBe(true);
  passes(1);
  await expect(lease.isOwn()).rejects.toMatchObject({ code: 'catalogue_unusable' });
});

test('once it is given back it is not its own, and is not taken again by asking', async () => {
  const { scene } = stage();
  await lease.start();
  await lease.stop();
  expect([await lease.isOwn(), await lease.isStillOwn()]).toEqual([false, false]);
  expect(scene.asked).not.toContain('renew');
  expect(scene.lost).toEqual([]);
});

test.each([
  ['has it', true],
  ['has had it since, and let it run out', false],
])('who only looks whether it is its own does not renew it, and is told where another %s', async (_, isNow) => {
  const { scene } = stage();
  await lease.start();
  expect(await lease.isStillOwn()).toBe(true);
  expect(scene.asked).toEqual(['take', 'look', 'look']);
  scene.isAnothers = true;
  scene.isAnothersNow = isNow;
  expect(await lease.isStillOwn()).toBe(false);
  expect(scene.lost).toEqual(['lease_lost']);
});
