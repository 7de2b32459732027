/**
 * An archive in a folder: the default, and any mounted network folder. An object is written under a temporary name, flushed,
 * renamed to where it will lie, and its folder flushed: after a crash at any point it is complete or absent.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat as statPath, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { flushFolder, isNotThere, withFile, writeNew } from '../../core/files.ts';
import { nothingTried } from '../capabilities.ts';
import { assertMarked, mark, type KnownObject } from './marker.ts';
import { ignoreMissing, toArchiveError } from './errors.ts';
import {
  createBelow,
  folderMode,
  partialOf,
  removeEmptyFolders,
  removeObject,
  removePartialsOf,
  walk,
} from './files.ts';
import { onArchiveThreads } from './threads.ts';
import { openVerified } from '../verifiedSource.ts';
import { digestOf } from '../digest.ts';
import { readFully } from '../../audio/recordingFile.ts';
import { assertKey, assertKeyPrefix, mapFailures, otherLength, type RawStore, type StoredObject } from '../store.ts';
import { stoppedBy, within } from '../stoppable.ts';

export type DirectoryStoreOptions = {
  /** The archive's folder. */
  folder: string;
  /**
   * Let `check` make a missing root (default). Set it to false for a network folder: when that is not mounted, the
   * archive must be missing and not quietly begin anew on the local disk.
   */
  create?: boolean;
  /** What the catalogue knows to be in this archive (default: nothing ever was); only asked when the marker is missing. */
  known?: () => Promise<KnownObject>;
};

export type DirectoryStore = RawStore & { readonly kind: 'directory' };

const copyBytes = 1024 * 1024;
const chunkBytes = 64 * 1024;
/** Enough to need a block of its own on any file system, so that a full one refuses it. */
const probeBytes = 64 * 1024;

/** Settles at the latest when the signal fires; what has not begun by then does not begin. */
function limited<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return within(signal, () =>
    onArchiveThreads(() => {
      if (signal.aborted) throw stoppedBy(signal);
      return work();
    }),
  );
}

/** Each read is work of its own: who reads slowly keeps no thread. */
async function* chunksOf(
  handle: FileHandle,
  { from, bytes }: { from: number; bytes: number } = { from: 0, bytes: Infinity },
): AsyncGenerator<Buffer> {
  for (let given = 0; given < bytes;) {
    const length = Math.min(chunkBytes, bytes - given);
    const chunk = Buffer.allocUnsafe(length);
    const position = from + given;
    const { bytesRead } = await onArchiveThreads(() => handle.read(chunk, 0, length, position));
    if (bytesRead === 0) return;
    given += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

// eslint-disable-next-line max-lines-per-function -- The methods of one store, each short.
export function makeDirectoryStore(options: DirectoryStoreOptions): DirectoryStore {
  const root = resolve(options.folder);
  const known = options.known ?? (() => Promise.resolve<KnownObject>('never'));
  const inArchive = (error: unknown): PreavisError => toArchiveError(error, root);
  /** Gives the failure of a step the code of an archive. */
  const mapped = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw inArchive(error);
    }
  };
  /** The folder is there and is the archive. */
  const assertArchive = async (): Promise<void> => {
    await assertRoot(root);
    await mapped(() => assertMarked(root, known));
  };
  const markArchive = async (): Promise<void> => {
    await assertRoot(root);
    await mark(root, known);
  };
  const pathOf = (key: string): string => {
    assertKey(key);
    return join(root, key);
  };

  /** As mapped; `ENOENT` is left to `missing`, in the archive itself. */
  const guarded = <T>(step: () => Promise<T>, missing: () => T): Promise<T> =>
    mapped(() =>
      step().catch(async (error: unknown) => {
        if (!isNotThere(error)) throw error;
        await assertArchive();
        return missing();
      }),
    );

  const stat = (key: string): Promise<StoredObject | undefined> =>
    onArchiveThreads(() =>
      guarded(
        async () => {
          const found = await statPath(pathOf(key));
          return found.isFile() ? { key, bytes: found.size, versionId: null } : undefined;
        },
        () => undefined,
      ),
    );

  const openObject = (key: string): Promise<FileHandle> =>
    guarded(
      () => open(pathOf(key), constants.O_RDONLY | constants.O_NOFOLLOW),
      () => {
        throw new PreavisError('archive_object_missing', 'The archive folder has no object under this key.');
      },
    );

  const put = (key: string, signal: AbortSignal, write: (target: FileHandle) => Promise<number>) =>
    limited(signal, () =>
      mapped(async (): Promise<StoredObject> => {
        const file = pathOf(key);
        const partial = partialOf(file);
        await markArchive();
        const target = await createBelow(root, partial);
        try {
          const bytes = await withFile(target, write);
          if (signal.aborted) throw stoppedBy(signal);
          await rename(partial, file);
          await flushFolder(dirname(file));
          // Else its temporary name may be back after a loss of power, with what was erased since. An erasure may have removed that folder.
          await flushFolder(dirname(partial)).catch(ignoreMissing);
          return { key, bytes, versionId: null };
        } catch (error) {
          await unlink(partial).catch(ignoreMissing);
          throw error;
        }
      }),
    );

  const store: DirectoryStore = {
    kind: 'directory',
    location: root,
    encryption: null,
    encryptionFor: () => null,

    check: ({ create } = { create: options.create ?? true }) =>
      onArchiveThreads(() =>
        mapped(async () => {
          if (create) await makeRoot(root);
          await markArchive();
          const probe = join(root, `.check.${randomBytes(8).toString('hex')}`);
          try {
            await writeNew(probe, Buffer.alloc(probeBytes));
          } finally {
            await unlink(probe).catch(ignoreMissing);
          }
          await flushFolder(root);
          await readdir(root);
        }),
      ),

    putFile: (key, file, expected, signal) =>
      store.putSource(key, () => openVerified(file, expected), expected, signal),

    putSource: (key, openSource, expected, signal) =>
      put(key, signal, async (target) => {
        const source = await openSource();
        try {
          const buffer = Buffer.allocUnsafe(copyBytes);
          let bytes = 0;
          do {
            if (signal.aborted) throw stoppedBy(signal);
            const piece = await source.next(buffer);
            // Unlike one write, this ends only when all is written: a disk that is nearly full takes a part, and then says so.
            await target.writeFile(piece);
            bytes += piece.length;
          } while (bytes < expected.bytes);
          await target.sync();
          const written = (await target.stat()).size;
          if (written !== expected.bytes) {
            throw new PreavisError('archive_mismatch', 'The archive folder took fewer bytes than were written.');
          }
          return bytes;
        } finally {
          await source.close();
        }
      }),

    putText: (key, text, _contentType, signal) =>
      put(key, signal, async (target) => {
        const content = Buffer.from(text, 'utf8');
        await target.writeFile(content);
        await target.sync();
        return content.length;
      }),

    stat,

    read: (key, _versionId, signal) =>
      limited(signal, async () => {
        const handle = await openObject(key);
        const stream = Readable.from(mapFailures(chunksOf(handle), inArchive), { objectMode: false });
        // Also one that nobody begins to read. Behind a read that is under way.
        return stream.once('close', () => void onArchiveThreads(() => handle.close()).catch(() => undefined));
      }),

    readPart: (key, _versionId, { from, bytes, of }, signal) =>
      limited(signal, async () => {
        const handle = await openObject(key);
        const close = (): void => void onArchiveThreads(() => handle.close()).catch(() => undefined);
        try {
          const { size } = await mapped(() => handle.stat());
          if (size !== of) throw otherLength(size, of);
        } catch (error) {
          close();
          throw error;
        }
        const stream = Readable.from(mapFailures(chunksOf(handle, { from, bytes }), inArchive), { objectMode: false });

        return { stream: stream.once('close', close), proved: 'length' };
      }),

    digest: (key, _versionId, signal) =>
      within(signal, async () =>
        digestOf(await store.read(key, null, signal), () => {
          if (signal.aborted) throw stoppedBy(signal);
        }),
      ),

    readStart: (key, _versionId, bytes, signal) =>
      limited(signal, () =>
        mapped(() =>
          withFile(openObject(key), async (handle) => {
            const start = Buffer.alloc(bytes);

            return start.subarray(0, await readFully(handle, start, 0));
          }),
        ),
      ),

    versions: async (key) => ((await stat(key)) ? ['null'] : []),

    keysBelow: async (prefix) => {
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) keys.push(key);

      return keys;
    },

    eraseVersion: async (key, versionId) => {
      if (versionId === 'null') await store.erase(key);
    },

    erase: (key) =>
      onArchiveThreads(() =>
        guarded(
          async () => {
            const file = pathOf(key);
            const folder = dirname(file);
            const removed = await removeObject(file);
            await removePartialsOf(file);
            if (removed === 0) await assertArchive();
            // Another erasure may have removed the folder already, which is what both want.
            await flushFolder(folder).catch(ignoreMissing);
            await removeEmptyFolders(folder, root);
            return removed;
          },
          () => 0,
        ),
      ),

    list: async function* (prefix) {
      assertKeyPrefix(prefix);
      await assertArchive();
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      yield* walk(root, folder, prefix);
    },

    protect: async (key) => {
      await (await openObject(key)).close();
      throw new PreavisError('archive_unsupported', 'An archive in a folder has no Object Lock.');
    },

    // What the disk does is not to be seen from here.
    encryptionOf: async (key) => {
      await (await openObject(key)).close();
      return null;
    },

    protection: async (key) => {
      await (await openObject(key)).close();
      return { lock: undefined, longest: undefined, legalHold: 'off' };
    },

    // True of every folder, whether it is mounted now or not. Whether its disk is encrypted is not to be seen from here.
    capabilities: () =>
      Promise.resolve({
        versioning: 'off',
        objectLock: 'off',
        defaultRetention: 'none',
        lifecycle: 'unsupported',
        encryption: 'unknown',
      }),

    tryOut: async () => {
      await store.check({ create: false });
      return { ...nothingTried, put: 'yes', get: 'yes', list: 'yes', delete: 'yes', ...lacking };
    },

    lifecycle: () => Promise.reject(withoutRules()),
    setLifecycle: () => Promise.reject(withoutRules()),
  };
  return store;
}

/** What a folder cannot do, and need not be tried. */
const lacking = {
  listVersions: 'no',
  listUploads: 'no',
  putRetention: 'no',
  getRetention: 'no',
  lockHolds: 'no',
  checksum: 'none',
} as const;

function withoutRules(): PreavisError {
  return new PreavisError('archive_unsupported', 'An archive in a folder has no lifecycle rules.');
}

async function makeRoot(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true, mode: folderMode });
  } catch (error) {
    // A file has the name; assertRoot says so in words.
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

async function assertRoot(root: string): Promise<void> {
  let isFolder = false;
  try {
    isFolder = (await statPath(root)).isDirectory();
  } catch (error) {
    if (!isNotThere(error)) throw toArchiveError(error, root);
  }
  if (isFolder) return;
  throw new PreavisError('archive_bucket_missing', `The archive folder ${root} does not exist.`, {
    hint: 'Create it, mount it, or correct archive.directory.folder.',
  });
}
