import { jest } from '@jest/globals';
import type { LeaseHolder } from '../../../src/catalogue/jobs/leases.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { LaterLook, placeOfPeer, type PeerPlace } from '../../../src/serve/peerElsewhere.ts';
import { collectingLog } from '../../support/logLines.ts';

/** The acceptance test `workers/elsewhere` shows it with two Asterisks; here, what cannot be made to happen at a given moment. */

const heartbeatMs = 4_000;
const notesEveryMs = 5_000;
const holder = (id: string): LeaseHolder => ({ id, host: 'host', pid: 2, machine: null, started: null });

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** As timers/promises, whose timers jest does not have. */
const pauseUnless = (signal: AbortSignal) => (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

type Known = boolean | 'unreachable';
type Scene = {
  holds: string | undefined;
  /** Who notes every five seconds that it serves, until when, ms. */
  notes: { by: string; until: number };
  /** The clock of the database was set back by so much, ms. */
  setBackMs: number;
  /** What Asterisk says at a time, ms. */
  known: (at: number) => Known;
};

/** Where it is, and after how long that is known, ms. */
async function lookedFor(changes: Partial<Scene> = {}, abortAt?: number): Promise<[PeerPlace, number]> {
  const scene: Scene = {
    ...{ holds: 'peer', notes: { by: 'peer', until: Infinity }, setBackMs: 0, known: () => false },
    ...changes,
  };
  const began = performance.now();
  const at = (): number => performance.now() - began;
  const leaving = new AbortController();
  if (abortAt !== undefined) {
    setTimeout(() => {
      leaving.abort();
    }, abortAt);
  }
  let found: [PeerPlace, number] | undefined;
  const looking = placeOfPeer({
    leases: {
      otherHolder: () => Promise.resolve(scene.holds === undefined ? undefined : holder(scene.holds)),
      lastServed: () => {
        const notedAt = Math.min(scene.notes.until, Math.floor(at() / notesEveryMs) * notesEveryMs - 1_000);

        return Promise.resolve({ by: holder(scene.notes.by), agoMs: at() - notedAt - scene.setBackMs });
      },
    },
    serve: { pbx: undefined, application: 'preavis-a' },
    isKnown: () => {
      const known = scene.known(at());
      if (known === 'unreachable') return Promise.reject(new PreavisError('ari_unreachable', 'no answer in time'));

      return Promise.resolve(known);
    },
    heartbeatMs,
    signal: leaving.signal,
    pause: pauseUnless(leaving.signal),
  }).then((place) => {
    found = [place, at()];
  });
  for (let waited = 0; waited < 60_000 && found === undefined; waited += 100) await jest.advanceTimersByTimeAsync(100);
  await looking;
  if (found === undefined) throw new Error('it is not known after a minute');

  return found;
}

test('who has no lease is away, and whose application is known is here: at once', async () => {
  expect(await lookedFor({ holds: undefined })).toEqual(['away', 0]);
  expect(await lookedFor({ known: () => true })).toEqual(['here', 0]);
});

test('who notes again and again that it serves, and is not known here, is elsewhere', async () => {
  const [place, afterMs] = await lookedFor();
  expect(place).toEqual({ elsewhere: holder('peer') });
  // Longer than one with a dead connection notes it, and not for ever.
  expect(afterMs).toBeGreaterThan(2 * heartbeatMs);
  expect(afterMs).toBeLessThan(20_000);
});

test('who notes it for as long as a dead connection is not noticed is not taken for one that is elsewhere', async () => {
  const [place] = await lookedFor({ notes: { by: 'peer', until: 2 * heartbeatMs } });
  expect(place).toBe('unclear');
});

test('who has connected while it was looked for is here, also where it has noted that it serves behind the question', async () => {
  expect(await lookedFor({ known: (at) => at > 3_000 })).toEqual(['here', 3_500]);
  let questions = 0;
  const [place] = await lookedFor({
    known: (at) => {
      if (at > 10_000) questions += 1;

      return questions > 1;
    },
  });
  expect(place).toBe('here');
});

test.each<[string, Partial<Scene>]>([
  ['who is starting, as the process before it was the last to note it,', { notes: { by: 'before', until: Infinity } }],
  ['who has noted nothing for long', { notes: { by: 'peer', until: -10_000 } }],
  ['who noted it by a clock that was set back since', { setBackMs: 3_600_000 }],
  ['an Asterisk that does not answer', { known: () => 'unreachable' }],
])('%s leaves it unclear, at once', async (_, changes) => {
  expect(await lookedFor(changes)).toEqual(['unclear', 0]);
});

test('a look is cut short when this worker leaves, and tells what broke', async () => {
  expect(await lookedFor({}, 1_200)).toEqual(['unclear', 1_200]);
  await expect(
    placeOfPeer({
      leases: { otherHolder: () => Promise.resolve(holder('peer')), lastServed: () => Promise.resolve(undefined) },
      serve: { pbx: undefined, application: 'preavis-a' },
      isKnown: () => Promise.reject(new PreavisError('internal', 'broken')),
      heartbeatMs,
      signal: new AbortController().signal,
      pause: () => Promise.resolve(),
    }),
  ).rejects.toMatchObject({ code: 'internal' });
});

describe('a later look', () => {
  function later(answers: ('here' | 'away' | 'unclear' | PreavisError)[], isFirst = false) {
    const refused: string[] = [];
    let looks = 0;
    const leaving = new AbortController();
    const look = new LaterLook({
      isFirst,
      look: () => {
        const answer = answers[looks];
        looks += 1;

        return answer instanceof PreavisError ? Promise.reject(answer) : Promise.resolve(answer ?? 'here');
      },
      log: collectingLog().log,
      refused: ({ code }) => refused.push(code),
      signal: leaving.signal,
      pause: pauseUnless(leaving.signal),
    });
    look.start();

    return { refused, looks: () => looks, look, leaving };
  }

  it('is made again while it is unclear or fails, until the other worker is found', async () => {
    const { refused, looks } = later(['unclear', new PreavisError('catalogue_unusable', 'away'), 'here']);
    await jest.advanceTimersByTimeAsync(14_900);
    expect(looks()).toBe(0);
    await jest.advanceTimersByTimeAsync(120_000);
    expect([looks(), refused]).toEqual([3, []]);
  });

  it('tells once that the other worker is elsewhere', async () => {
    const { refused, looks } = later(['unclear', new PreavisError('job_busy', 'elsewhere')]);
    await jest.advanceTimersByTimeAsync(120_000);
    expect([looks(), refused]).toEqual([2, ['job_busy']]);
  });

  it('is not made by the first worker, nor by one that leaves', async () => {
    const first = later(['here'], true);
    const second = later(['here']);
    second.leaving.abort();
    await second.look.stop();
    await jest.advanceTimersByTimeAsync(120_000);
    expect([first.looks(), second.looks()]).toEqual([0, 0]);
  });
});
