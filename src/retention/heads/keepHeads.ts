import { text } from 'node:stream/consumers';
import { everyArchive, type Archives } from '../../archive/archives.ts';
import { lockObject } from '../../archive/lockUploads.ts';
import { wholeSecond, type Lock } from '../../store/objectLock.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { HeadRow } from '../../catalogue/retention/chainHeads.ts';
import type { LockMode } from '../../config/objectLockModes.ts';
import { chainStart } from '../../core/crypto/hashChain.ts';
import { isoTime, type Clock } from '../../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { Logger } from '../../core/log.ts';
import type { Signer } from '../../core/crypto/signing.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { headKey, headOfKey, headPrefix, issueHead, readHead, type Head } from './chainHead.ts';
import type { Ledger } from '../certificates/ledger.ts';

/** Signs the head of the audit trail once a day, and sees that it comes into the ledger and into the archive. */
export type HeadPorts = Archives & {
  catalogue: CataloguePart<{
    auditTrail: 'head';
    file: 'identity';
    chainHeads: 'last' | 'keep' | 'list' | 'withoutCopy' | 'noteCopy' | 'remove';
  }>;
  ledger: Ledger;
  signer: () => Promise<Signer>;
  log: Logger;
  clock: Clock;
  /** How a head is locked in the archive; undefined: it is not. */
  headLock: HeadLock | undefined;
};

/** @see headLockOf */
export type HeadLock = { mode: LockMode; keptMs: number };

const mostTries = 20;
/** For one head in the archive, ms. */
const copyLimitMs = 60_000;

/**
 * Signs what the newest line is, unless that was signed already.
 *
 * @param restored who says that an older catalogue was put back on purpose; null where nobody does
 * @throws PreavisError `signing_key_unusable`
 */
export async function signHead(ports: HeadPorts, restored: Head['restored'] = null): Promise<Head | undefined> {
  const { catalogue } = ports;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const last = await catalogue.chainHeads.last();
    const newest = await catalogue.auditTrail.head();
    if (restored === null && (newest === undefined || (await isSigned(newest, last, catalogue)))) return undefined;
    const content: Head = {
      head: 1,
      number: (last?.number ?? 0) + 1,
      catalogue: await catalogue.file.identity(),
      signedAt: isoTime(ports.clock.now()),
      line: newest?.id ?? 0,
      chain: newest?.chain ?? chainStart,
      previous: last?.sha256 ?? null,
      restored,
    };
    if (await catalogue.chainHeads.keep(await issueHead(content, await ports.signer()), last?.sha256 ?? null)) {
      failPoint?.('retention, head signed');
      return content;
    }
  }
  throw new PreavisError('internal', 'other heads were written first, in every attempt');
}

async function isSigned(
  { id, chain }: { id: number; chain: string },
  last: HeadRow | undefined,
  catalogue: CataloguePart<{ file: 'identity' }>,
): Promise<boolean> {
  const read = last === undefined ? undefined : await readHead(last.jws).catch(() => undefined);
  const signed = read?.content;

  return signed?.line === id && signed.chain === chain && signed.catalogue === (await catalogue.file.identity());
}

/** Puts the heads that are only in the catalogue into the ledger, and then into the archive. Throws what those throw. */
export async function copyHeads({ catalogue, ledger, store, clock, headLock }: HeadPorts): Promise<void> {
  for (const { jws, sha256 } of await catalogue.chainHeads.withoutCopy('ledger')) {
    await ledger.append(jws);
    failPoint?.('retention, head in the ledger');
    await catalogue.chainHeads.noteCopy(sha256, 'ledger', true);
  }
  for (const row of await catalogue.chainHeads.withoutCopy('archive')) {
    const lock = headLock && { mode: headLock.mode, until: wholeSecond(clock.now() + headLock.keptMs) };
    await putHead(row, store, lock);
    await catalogue.chainHeads.noteCopy(row.sha256, 'archive', true);
  }
}

async function putHead(row: HeadRow, store: ObjectStore, lock: Lock | undefined): Promise<void> {
  const key = headKey(row);
  const there = await store.stat(key);
  // An attempt before may have stored it, and failed to lock it.
  const isThere =
    there !== undefined && (await text(await store.read(key, there.versionId, timeLimit(copyLimitMs)))) === row.jws;
  const stored = isThere ? there : await store.putText(key, row.jws, 'application/jose', timeLimit(copyLimitMs));
  if (lock === undefined) return;
  await lockObject(store, stored, lock, Number.POSITIVE_INFINITY, timeLimit(copyLimitMs));
}

/** Signs and copies it; what goes wrong is logged, and its code given. The copies are made by a later pass then. */
export async function keepHead(ports: HeadPorts, signal: AbortSignal): Promise<'kept' | ErrorCode> {
  try {
    await signHead(ports);
    // An archive that does not answer must not hold up a process that is being stopped.
    if (signal.aborted) return 'interrupted';
    await copyHeads(ports);

    return 'kept';
  } catch (thrown) {
    return report(thrown, ports.log);
  }
}

function report(thrown: unknown, log: Logger): ErrorCode {
  const error = asPreavisError(thrown);
  log.error({ code: error.code, err: error }, 'audit trail head not signed or not stored; will retry');

  return error.code;
}

/** Copies what still waits, as often as it is called; the same failure is reported once. */
export function makeHeadCopier(ports: HeadPorts): () => Promise<void> {
  let reported: ErrorCode | undefined;

  return async () => {
    try {
      await copyHeads(ports);
      reported = undefined;
    } catch (thrown) {
      const { code } = asPreavisError(thrown);
      if (code !== reported) report(thrown, ports.log);
      reported = code;
    }
  };
}

/**
 * Removes those from before a time from all three places, but never the newest; how many. What was signed says of when one is, not the
 * catalogue, and one of a clock that was wrong goes with those before it: else the ones behind it would follow nothing.
 */
export async function removeOldHeads({ catalogue, store, former, ledger }: HeadPorts, before: number): Promise<number> {
  const newest = await catalogue.chainHeads.last();
  const old: HeadRow[] = [];
  for (const row of await catalogue.chainHeads.list()) {
    const read = await readHead(row.jws).catch(() => undefined);
    if (read?.row.sha256 !== row.sha256) continue;
    if (read.row.signedAt >= before || row.sha256 === newest?.sha256) break;
    old.push(row);
  }
  const gone = new Set<string>();
  for (const row of old) {
    try {
      for (const archive of everyArchive({ store, former })) await archive.erase(headKey(row));
      gone.add(row.sha256);
    } catch (thrown) {
      // It goes once the lock is over.
      if (asPreavisError(thrown).code !== 'archive_locked') throw thrown;
    }
  }
  if (gone.size === 0) return 0;
  const lines = new Set(old.filter(({ sha256 }) => gone.has(sha256)).map(({ jws }) => jws));
  await ledger.prune((line) => !lines.has(line));
  for (const sha256 of gone) await catalogue.chainHeads.remove(sha256);

  return gone.size;
}

/** No head is longer, bytes. */
const mostBytes = 8 * 1024;

/** A key under which heads lie in the archive, and what it says; `none`: it is not of our making. */
export type HeadObject = 'none' | { sha256: string; read: () => Promise<string | undefined> };

/**
 * All of them, also those over which something else was written, or a delete marker: `read` gives that version whose hash the key
 * names, undefined where there is none.
 */
export async function* headObjects(
  store: Pick<ObjectStore, 'keysBelow' | 'versions' | 'read'>,
): AsyncGenerator<HeadObject> {
  for (const key of await store.keysBelow(headPrefix)) {
    const named = headOfKey(key);
    yield named === undefined
      ? 'none'
      : { sha256: named.sha256, read: async () => (await headVersion(store, key, named.sha256))?.jws };
  }
}

/** The version under this key that is the head whose hash the key names; undefined where there is none. */
export async function headVersion(
  store: Pick<ObjectStore, 'versions' | 'read'>,
  key: string,
  sha256: string,
): Promise<{ jws: string; version: string } | undefined> {
  for (const version of await store.versions(key)) {
    try {
      const jws = await start(await store.read(key, version, timeLimit(copyLimitMs)));
      if ((await readHead(jws)).row.sha256 === sha256) return { jws, version };
    } catch (thrown) {
      // A delete marker has nothing to read, and what somebody wrote over it is no head.
      if (asPreavisError(thrown).wholeArchive !== undefined) throw thrown;
    }
  }

  return undefined;
}

/** Who can write there could fill the memory. */
async function start(stream: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > mostBytes) break;
  }

  return Buffer.concat(pieces).toString('utf8');
}
