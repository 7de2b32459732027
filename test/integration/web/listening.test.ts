import { once } from 'node:events';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { ListeningLog } from '../../../src/web/listening.ts';
import { keyringOf, newKey } from '../../support/archive/encryption.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { eventually } from '../../support/poll.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages = new Set<WebStage>();
let made = 0;

afterEach(async () => {
  const all = [...stages];
  stages.clear();
  await Promise.all(all.map(({ server }) => server.stop()));
});

async function stage(store: (at: string) => ObjectStore): Promise<WebStage> {
  const at = folder.path(`${(made += 1)}`);
  const here = await webStage(at, open, { store: () => store(at) });
  stages.add(here);
  for (const role of ['coach', 'officer'] as const) here.door.tokens.set(role, actorOf(role));

  return here;
}

const inFolder = (at: string) => makeDirectoryStore({ folder: `${at}/archive` });
const play = (here: WebStage, id: string, range?: string): Promise<Response> =>
  here.ask(`/recordings/${id}/audio`, 'coach', range === undefined ? {} : { headers: { range } });
const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

/** The archive as it is when the recording is stored, and as it is when it is played. */
const archives: Readonly<Record<string, (at: string) => { then: ObjectStore; now: ObjectStore }>> = {
  'as it is': (at) => ({ then: inFolder(at), now: inFolder(at) }),
  'encrypted, by a key that has become an old one': (at) => {
    const [before, after] = [newKey(), newKey()];

    return {
      then: makeEncryptedStore(inFolder(at), keyringOf(before)),
      now: makeEncryptedStore(inFolder(at), keyringOf(after, newKey(), before)),
    };
  },
  'not encrypted, in an archive that encrypts by now': (at) => ({
    then: inFolder(at),
    now: makeEncryptedStore(inFolder(at), keyringOf(newKey())),
  }),
};

test('a player says what was heard some times in a minute: nobody fills the trail, which is kept for good', async () => {
  const here = await stage(inFolder);
  const { id } = await here.archived();
  const statuses = new Map<number, number>();
  for (let time = 0; time < 302; time += 1) {
    const { status } = await here.ask(`/recordings/${id}/heard`, 'coach', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ parts: [[0, 100]] }),
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  // A minute may end meanwhile.
  expect([...statuses.keys()]).toEqual([204, 429]);
});

test.each(Object.entries(archives))(
  'two parts of a recording that is kept %s join to the whole, wherever it is cut',
  async (_, make) => {
    let isThen = true;
    const here = await stage((at) => {
      const { then, now } = make(at);

      return new Proxy(now, {
        get: (__, name): unknown => Reflect.get(isThen ? then : now, name),
      });
    });
    const { id, wav } = await here.archived(['training'], toneWav(440, 9_000));
    isThen = false;
    expect((await bytesOf(await play(here, id))).equals(wav)).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: wav.length - 1 }), async (cut) => {
        const parts = [await play(here, id, `bytes=0-${cut - 1}`), await play(here, id, `bytes=${cut}-`)];
        expect(parts.map(({ status }) => status)).toEqual([206, 206]);
        const bytes = Buffer.concat(await Promise.all(parts.map(bytesOf)));
        expect(bytes.equals(wav)).toBe(true);
      }),
      tried(20),
    );
  },
);

/** A store that answers when it is told to. */
function lateStore(store: ObjectStore): { store: ObjectStore; asked: () => boolean; answer: () => void } {
  let isAsked = false;
  let answer = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });

  return {
    store: {
      ...store,
      readPart: async (...given) => {
        isAsked = true;
        await told;

        return store.readPart(...given);
      },
    },
    asked: () => isAsked,
    answer: () => {
      answer();
    },
  };
}

test('nothing is handed out by an archive that answers after access has ended', async () => {
  let late: ReturnType<typeof lateStore> | undefined;
  const here = await stage((at) => {
    late = lateStore(inFolder(at));

    return late.store;
  });
  const { id } = await here.archived(['training'], toneWav(440, 2_000));
  const answer = play(here, id, 'bytes=0-9999');
  await eventually(() => late?.asked() === true);
  const since = performance.now();
  here.set.clock.at = recorderEnd + 28 * dayMs + 1;
  // A quick answer is one of the moment in which it was decided.
  await eventually(() => performance.now() - since > 1_100);
  late?.answer();
  const { status } = await answer;
  expect(status).toBe(403);
});

test('what was sent is written while somebody goes on listening, so that little is lost with the process', async () => {
  const here = await stage(inFolder);
  const { id } = await here.archived();
  const log = new ListeningLog(here.set.catalogue, collectingLog().log, 0);
  for (const from of [0, 8_000]) {
    const playing = await log.begin(actorOf('coach'), 'listen', { id, msPerByte: 1 / 16 }, { from, purposes: [] });
    playing.end(8_000);
  }
  // Whoever died here has not stopped.
  await eventually(async () => {
    const steps = await here.set.catalogue.auditTrail.of(id);
    expect(
      steps.filter(({ event }) => event.startsWith('listen')).map(({ event, detail }) => [event, detail['parts']]),
    ).toEqual([
      ['listening begun', undefined],
      ['listened', [[0, 0.5]]],
      ['listened', [[0.5, 1]]],
    ]);
  });
});

/** Sends so much of a recording, and then nothing. */
function stopsBehind(store: ObjectStore, bytes: number): ObjectStore {
  return {
    ...store,
    read: async (key, version, signal) => {
      const whole = await store.read(key, version, signal);
      const some = async function* (): AsyncGenerator<Buffer> {
        let left = bytes;
        for await (const chunk of whole as AsyncIterable<Buffer>) {
          yield chunk.subarray(0, left);
          left -= chunk.length;
          // Until it is given up.
          if (left <= 0) await once(signal, 'abort');
        }
      };

      return Readable.from(some(), { objectMode: false });
    },
  };
}

test.each([
  ['the purpose ends', (here: WebStage) => void (here.set.clock.at = recorderEnd + 28 * dayMs + 1)],
  ['the session is revoked', (here: WebStage) => void here.door.tokens.delete('officer')],
])('a selection is cut in the middle of a recording when %s', async (_, end) => {
  const here = await stage((at) => inFolder(at));
  const { id } = await here.archived(['training'], toneWav(440, 20_000));
  Object.assign(here.ports, { store: stopsBehind(here.set.store, 100_000) });
  const answer = await here.ask('/selections', 'officer', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ recordings: [id] }),
  });
  expect(answer.status).toBe(200);
  const reader = answer.body?.getReader();
  let read = 0;
  while (read < 60_000) read += ((await reader?.read()) as { value?: Uint8Array } | undefined)?.value?.length ?? 0;
  end(here);
  const rest = async (): Promise<void> => {
    for (;;) if (((await reader?.read()) as { done: boolean } | undefined)?.done === true) return;
  };
  await expect(rest()).rejects.toThrow();
  const events = (await here.set.catalogue.auditTrail.of(id)).map(({ event }) => event);
  expect(events.at(-1)).toBe('download begun');
});
