import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import { uploadPass, type UploadPorts } from '../../../src/archive/uploadPass.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { beside } from '../../support/catalogue/holders.ts';
import { archiveStage, killedAt, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const never = new AbortController().signal;
const pass = (ports: UploadPorts, options: Partial<Parameters<typeof uploadPass>[1]> = {}) =>
  uploadPass(ports, { waitMs: 0, signal: never, ...options });
const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

const nothingTold = { aside: [], covered: [] };

describe('an upload pass', () => {
  test('stores recording and receipt, and then removes the local file', async () => {
    const set = await stage();
    const { id, wav, file } = await set.finished();
    expect(await pass(set)).toEqual({
      sent: 1,
      bytes: wav.length,
      waiting: 0,
      failures: {},
      ...nothingTold,
      archive: { state: 'working' },
    });
    const keys = objectKeys(id, callStart + 20_000);
    const objects = await set.objects();
    expect([...objects.keys()]).toEqual([keys.receipt, keys.wav]);
    expect(objects.get(keys.wav)?.equals(wav)).toBe(true);
    expect(JSON.parse(objects.get(keys.receipt)?.toString() ?? '')).toMatchObject({
      recording: { id, sha256: createHash('sha256').update(wav).digest('hex'), gapMs: 16_980 },
      notice: [{ verified: true }, { verified: true }],
    });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'archived',
      objectKey: keys.wav,
      receiptKey: keys.receipt,
      receipt: objects.get(keys.receipt)?.toString(),
    });
    expect(await exists(file)).toBe(false);
  });

  test('removes the local file only after the object was read back and the row says archived', async () => {
    const set = await stage();
    const { id, file } = await set.finished();
    const seen: string[] = [];
    const watched = <P extends object>(port: P): P =>
      new Proxy(port, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          return async (...args: unknown[]) => {
            const result: unknown = await (member as (...given: unknown[]) => unknown).apply(target, args);
            if (['putFile', 'putText', 'digest', 'move'].includes(String(name))) seen.push(String(name));
            expect([name, await exists(file)]).toEqual([name, !seen.includes('removed')]);
            if (name === 'move') {
              expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
              // From here on it may go.
              seen.push('removed');
            }
            return result;
          };
        },
      });
    const row = await set.catalogue.recordings.find(id);
    expect(row?.status).toBe('recorded');
    await pass({
      ...set,
      store: watched(set.store),
      catalogue: {
        ...set.catalogue,
        recordings: { ...set.catalogue.recordings, move: (...args) => watched(set.catalogue.recordings).move(...args) },
      },
    });
    expect(seen).toEqual(['putFile', 'digest', 'putText', 'digest', 'move', 'removed']);
    expect(await exists(file)).toBe(false);
  });

  test('sends the oldest first, some at a time', async () => {
    const set = await stage();
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await set.finished()).id);
    const begun: string[] = [];
    let atOnce = 0;
    let most = 0;
    const store: ObjectStore = {
      ...set.store,
      // With this each begins. What is done at once may overtake each other as often as it likes after it.
      stat: (key) => {
        if (key.endsWith('.wav')) {
          begun.push(key.slice(-30, -4));
          most = Math.max(most, (atOnce += 1));
        }

        return set.store.stat(key);
      },
    };
    const progress: number[] = [];
    const done = (count: number): void => {
      atOnce -= 1;
      progress.push(count);
    };
    expect(await pass({ ...set, store, atOnce: 2 }, { progress: done })).toMatchObject({ sent: 5 });
    expect(most).toBe(2);
    expect(begun).toEqual(ids.toSorted());
    expect(progress).toEqual([1, 2, 3, 4, 5]);
  });

  test('with nothing to send does nothing', async () => {
    const set = await stage();
    await set.recorded(undefined, { until: 'talking' });
    expect(await pass(set)).toEqual({
      sent: 0,
      bytes: 0,
      waiting: 0,
      failures: {},
      ...nothingTold,
      archive: { state: 'unknown' },
    });
    expect((await set.spooled()).length).toBe(1);
  });

  test('that is cut short by the end of the process says nothing against the archive or the recording', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const stop = new AbortController();
    const hanging: ObjectStore = {
      ...set.store,
      putFile: (_key, _file, _expected, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new PreavisError('archive_unreachable', 'cut'));
          });
          stop.abort();
        }),
    };
    expect(await pass({ ...set, store: hanging }, { signal: stop.signal })).toEqual({
      sent: 0,
      bytes: 0,
      failures: {},
      ...nothingTold,
      waiting: 1,
      archive: { state: 'unknown' },
    });
    expect(set.lines.filter(({ code }) => code !== undefined)).toEqual([]);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ attempts: 0, nextAttemptAt: 0 });
  });

  test('that was asked to stop sends no more', async () => {
    const set = await stage();
    await set.finished();
    const stop = new AbortController();
    stop.abort();
    expect(await pass(set, { signal: stop.signal })).toMatchObject({ sent: 0, waiting: 1, failures: {} });
  });
});

describe('a pass that is killed', () => {
  const whens = ['before', 'after'] as const;

  test.each(whens)('%s any one of its steps loses nothing and doubles nothing', async (when) => {
    let killed = 0;
    for (let step = 1; ; step += 1) {
      const set = await stage();
      const { id, wav, file } = await set.finished();
      const mortal = killedAt(set, step, when);
      await pass(mortal.ports).catch(() => undefined);
      if (!mortal.wasKilled()) break;
      killed += 1;
      const at = `${when} step ${step}, ${mortal.steps.at(-1) ?? ''}`;
      const keys = objectKeys(id, callStart + 20_000);
      const row = await set.catalogue.recordings.find(id);
      const stored = (await set.objects()).get(keys.wav);
      // Whatever happened, the recording is whole in one place at least.
      expect([at, (await exists(file)) || (row?.status === 'archived' && stored?.equals(wav))]).toEqual([at, true]);
      set.clock.at += 3_600_000;
      await pass(set);
      const objects = await set.objects();
      expect([at, [...objects.keys()]]).toEqual([at, [keys.receipt, keys.wav]]);
      expect([at, objects.get(keys.wav)?.equals(wav)]).toEqual([at, true]);
      expect([at, (await set.catalogue.recordings.find(id))?.status]).toEqual([at, 'archived']);
      expect([at, await set.spooled()]).toEqual([at, []]);
      const moves = (await set.catalogue.auditTrail.of(id)).filter((line) => line.to === 'archived');
      expect([at, moves.length]).toEqual([at, 1]);
    }
    expect(killed).toBeGreaterThan(9);
  });

  test('after the object was stored does not send it again', async () => {
    const set = await stage();
    await set.finished();
    const mortal = killedAt(set, 4, 'after');
    await pass(mortal.ports).catch(() => undefined);
    expect(mortal.steps.at(-1)).toBe('putFile');
    let sent = 0;
    const store: ObjectStore = {
      ...set.store,
      putFile: (...args) => {
        sent += 1;
        return set.store.putFile(...args);
      },
    };
    set.clock.at += 3_600_000;
    expect(await pass({ ...set, store })).toMatchObject({ sent: 1 });
    expect(sent).toBe(0);
  });
});

describe('a local file that was left of an archived recording', () => {
  async function left() {
    const set = await stage();
    const { id, wav, file } = await set.finished();
    await pass(set);
    await writeFile(file, wav);
    const keys = objectKeys(id, callStart + 20_000);

    return { set, file, keys };
  }

  test('goes when the archive still has it whole', async () => {
    const { set, file } = await left();
    await pass(set);
    expect(await exists(file)).toBe(false);
  });

  test('and cannot be removed keeps no other from being sent, and is told once', async () => {
    const { set, file } = await left();
    await unlink(file);
    await mkdir(file);
    for (let count = 0; count < 3; count += 1) {
      await set.finished();
      expect(await pass(set)).toMatchObject({ sent: 1 });
    }
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { code: 'spool_unusable', msg: 'local file not deleted' },
    ]);
  });

  test('is not looked at while the archive does not work', async () => {
    const { set, file } = await left();
    await set.finished();
    const refused = () => Promise.reject(new PreavisError('archive_unreachable', 'not now'));
    await pass({ ...set, store: { ...set.store, stat: refused, check: refused } });
    expect(await exists(file)).toBe(true);
    expect(set.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('and cannot be compared keeps no other from being sent', async () => {
    const { set, file } = await left();
    const { id } = await set.finished();
    const store: ObjectStore = { ...set.store, stat: (key) => (key.includes(id) ? set.store.stat(key) : refuse()) };
    const refuse = () => Promise.reject(new PreavisError('archive_failed', 'not now'));
    expect(await pass({ ...set, store })).toMatchObject({ sent: 1 });
    expect(await exists(file)).toBe(true);
  });

  test.each<[string, (set: ArchiveStage, key: string) => Promise<unknown>]>([
    ['has lost it', (set, key) => set.store.erase(key)],
    [
      'has something else',
      async (set, key) => {
        await set.store.erase(key);
        await set.store.putText(key, 'something else', 'audio/wav', never);
      },
    ],
  ])('is kept, with an alarm, when the archive %s: it is the last one', async (_, change) => {
    const { set, file, keys } = await left();
    await change(set, keys.wav);
    await pass(set);
    await pass(set);
    expect(await exists(file)).toBe(true);
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { msg: 'archived recording not verified; local file kept' },
    ]);
  });
});

describe('a store that lies', () => {
  test.each<[string, (set: ArchiveStage) => Partial<ObjectStore>]>([
    [
      'keeps other bytes of the same length',
      (set) => ({
        putFile: async (key, file, expected, signal) => {
          const stored = await set.store.putFile(key, file, expected, signal);
          await set.store.putText(key, 'x'.repeat(expected.bytes), 'audio/wav', signal);
          return stored;
        },
      }),
    ],
    [
      'keeps fewer bytes',
      (set) => ({
        putFile: (key, _file, _expected, signal) => set.store.putText(key, 'short', 'audio/wav', signal),
      }),
    ],
    [
      'keeps another receipt',
      (set) => ({
        putText: (key, text, type, signal) =>
          set.store.putText(key, text.replace('training', 'mischief'), type, signal),
      }),
    ],
  ])('and %s is not believed: the local file is kept and sent again later', async (_, lie) => {
    const set = await stage();
    const { id, file, wav } = await set.finished();
    expect(await pass({ ...set, store: { ...set.store, ...lie(set) } })).toEqual({
      sent: 0,
      bytes: 0,
      waiting: 1,
      failures: { archive_mismatch: 1 },
      aside: [{ recording: id, error: expect.objectContaining({ code: 'archive_mismatch' }) as unknown }],
      covered: [],
      archive: { state: 'working' },
    });
    expect(await exists(file)).toBe(true);
    // What is wrong there was made by this attempt alone.
    expect([...(await set.objects()).values()].filter((content) => !content.equals(wav))).toEqual([]);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', attempts: 1 });
    set.clock.at += 3_600_000;
    expect(await pass(set)).toMatchObject({ sent: 1 });
    expect((await set.objects()).get(objectKeys(id, callStart + 20_000).wav)?.equals(wav)).toBe(true);
  });
});

describe('a recording that was erased while it was being sent', () => {
  test.each([true, false])('leaves nothing in the archive where a certificate says so: %s', async (isProved) => {
    const set = { ...(await stage()), isRemovalProved: () => Promise.resolve(isProved) };
    const { id } = await set.finished();
    const store: ObjectStore = {
      ...set.store,
      putText: async (...args) => {
        const stored = await set.store.putText(...args);
        await set.catalogue.recordings.move(id, 'recorded', 'erased', {}, { event: 'erased', actor: 'retention' });
        return stored;
      },
    };
    expect(await pass({ ...set, store })).toMatchObject({ sent: 0, failures: { status_conflict: 1 } });
    expect((await set.objects()).size).toBe(isProved ? 0 : 2);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
    set.clock.at += 3_600_000;
    for (let passes = 0; passes < 2; passes += 1) await pass(set);
    expect(await set.spooled()).toHaveLength(isProved ? 0 : 1);
    const told = set.lines.filter(({ msg }) => msg.includes('no certificate'));
    expect(told).toHaveLength(isProved ? 0 : 1);
  });
});

test('one that another process archives while its WAV is being sent keeps the receipt of that process', async () => {
  const set = await stage();
  const { id, wav } = await set.finished();
  const keys = objectKeys(id, callStart + 20_000);
  const receipt = await set.receiptOf(id);
  const store: ObjectStore = {
    ...set.store,
    putFile: async (...args) => {
      const stored = await set.store.putFile(...args);
      await set.store.putText(keys.receipt, receipt, 'application/json', never);
      await set.catalogue.recordings.move(
        id,
        'recorded',
        'archived',
        { archive: set.store.location, objectKey: keys.wav, receiptKey: keys.receipt, receipt },
        { event: 'stored and read back', actor: 'other' },
      );
      return stored;
    },
  };
  expect(await pass({ ...set, store })).toMatchObject({ sent: 0, failures: { status_conflict: 1 } });
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived', receipt });
  expect([...(await set.objects())].map(([key, content]) => [key, content.toString('latin1')])).toEqual(
    expect.arrayContaining([
      [keys.wav, wav.toString('latin1')],
      [keys.receipt, Buffer.from(receipt).toString('latin1')],
    ]),
  );
});

describe('two passes at once', () => {
  test('are one: the other is told which process has it, and runs when that is dead', async () => {
    const set = await stage();
    await set.finished();
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      await once(other, 'spawn');
      await set.catalogue.leases.take('upload', beside(other.pid ?? 0));
      await expect(pass(set)).rejects.toMatchObject({ code: 'job_busy' });
      await expect(pass(set)).rejects.toThrow(String(other.pid));
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    expect(await pass(set)).toMatchObject({ sent: 1 });
  });
});

describe('what lies in the spool and is not ours to send', () => {
  test('stays: files of others, and recordings under way', async () => {
    const set = await stage();
    await writeFile(`${set.spoolFolder}/voicemail.wav`, 'x');
    await writeFile(`${set.spoolFolder}/preavis-not-an-id.wav`, 'x');
    await writeFile(`${set.spoolFolder}/preavis-01ARZ3NDEKTSV4RRFFQ69G5FAV.wav`, 'x');
    const { file } = await set.recorded(undefined, { until: 'talking' });
    await utimes(file, 1, 1);
    await pass(set);
    expect((await set.spooled()).length).toBe(4);
  });
});
