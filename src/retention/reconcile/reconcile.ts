/**
 * Compares spool, catalogue and archive in all directions: each row with its file and its objects, each file and each
 * object with its row. It repairs what is proved: what the archive has whole leaves the spool, what must not be kept is removed
 * from it, what nobody took up is taken up. Everything else is told and left as it is.
 *
 * Finishing, sending and retention may run beside it: a row that has moved is looked at again, and what retention has begun
 * with is left to it. So recordings do not wait for it, however large the archive.
 */
import pLimit from 'p-limit';
import { archiveAt, everyArchive, type Archives } from '../../archive/archives.ts';
import { findInArchives } from '../../archive/archivedCopy.ts';
import { textDigest } from '../../store/digest.ts';
import { doubtAgain } from '../../archive/finish/endOfRecording.ts';
import { finishRecording, keepingOf, takeUp, type FinishPorts } from '../../archive/finish/finish.ts';
import { idOfKey, keysOf, objectPrefix } from '../../store/objectKeys.ts';
import {
  lastWritten,
  removeSpooled,
  spooledBytes,
  spooledDigest,
  spooledRecordings,
  spoolFile,
} from '../../archive/finish/spool.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { withLease } from '../../catalogue/jobs/lease.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import type { Clock } from '../../core/clock.ts';
import { asPreavisError, type ErrorCode, type PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { pagesOf } from '../../core/pages.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { erasureBegun } from '../../catalogue/retention/auditTrail.ts';
import {
  compare,
  compareObject,
  discrepancyKinds,
  type DiscrepancyKind,
  type Found,
  type Measured,
  type ObjectFacts,
} from './compare.ts';
import { isCompared, type ArchiveSharing } from './sharing.ts';

export type ReconcilePorts = Archives & {
  catalogue: CataloguePart<{
    recordings: 'listBeyond' | 'find' | 'makerOf' | 'finishable' | 'counts' | 'isHere';
    auditTrail: 'of' | 'append';
    leases: 'take' | 'renew' | 'release';
    passes: 'noteDone' | 'last' | 'note';
    askedErasures: 'askedAt';
  }>;
  /** Whose spool it is, where the PBX has a name: that of another says nothing of its recordings. */
  pbx?: string | undefined;
  spool?: 'shared' | 'collected';
  spoolFolder: string;
  clock: Clock;
  log: Logger;
  actor: string;
  /** Whether a certificate or the audit trail bears out that it is gone. */
  isRemovalProved: (row: Pick<RecordingRow, 'id' | 'status'>) => Promise<boolean>;
  atOnce: number;
  /** How long reading one object back may take, ms. */
  attemptMs: number;
  /** What repairs are done with; undefined in a dry run, which so cannot change anything. */
  repairs: FinishPorts | undefined;
};

export type Discrepancy = {
  kind: DiscrepancyKind;
  /** null for an object whose key holds no id of ours. */
  recording: string | null;
  /** The file in the spool, or the object's key. */
  where: string;
  /** In which one the object lies, where that is an earlier archive. */
  archive?: string;
  /** `repairable` in a dry run; the code of an error where a repair or the look at it failed. */
  done: 'repaired' | 'repairable' | 'nothing' | ErrorCode;
};

/** How many of each were compared; `archive`: only where it was left to another process, with what is in it. */
export type Reconciled = { recordings: number; files: number; objects: number; archive?: 'left to another process' };

export type ReconcileOptions = {
  /** Read every object back, and look for earlier versions of what must be gone. */
  verify: boolean;
  /** Where several PBXs share the archive: whether it is left to another one. */
  sharing?: ArchiveSharing | undefined;
  /** How long to wait while another process reconciles, ms. */
  waitMs: number;
  /** Ends it between two steps; its reason is thrown. */
  signal: AbortSignal;
  /** Gets each finding at once: with the wrong archive there are as many as recordings. */
  found: (finding: Discrepancy) => void;
  progress?: (done: number, total: number) => void;
};

/** Rows of the catalogue in memory at a time. */
const batch = 500;

/** With these, nothing further can be compared. */
const isFatal = ({ code, wholeArchive }: PreavisError): boolean =>
  wholeArchive !== undefined || code === 'catalogue_unusable' || code === 'interrupted';

/**
 * Throws job_busy while another process reconciles, the signal's reason, and what the catalogue, the spool folder or an archive
 * that does not work at all throw: nothing of it is a finding.
 */
export async function reconcile(ports: ReconcilePorts, options: ReconcileOptions): Promise<Reconciled> {
  const run = (catalogue: ReconcilePorts['catalogue']): Promise<Reconciled> =>
    new Reconciliation({ ...ports, catalogue }, options).run();

  return withLease(ports.catalogue, 'reconcile', options.waitMs, run, options.signal);
}

class Reconciliation {
  readonly #ports: ReconcilePorts;
  readonly #options: ReconcileOptions;
  readonly #reconciled: Reconciled = { recordings: 0, files: 0, objects: 0 };
  /** Objects that were reported beside the row of their recording. */
  readonly #reported = new Set<string>();
  /** What the archive has of recordings that are compared now, which was read to its end for that. */
  readonly #copies = new Map<RecordingId, Awaited<ReturnType<typeof findInArchives>>>();
  /** The configured one, and those of before it that answer. */
  readonly #archives: ObjectStore[];
  #ended: ReadonlySet<string> = new Set();
  #total = 0;
  /** Also what is local to no PBX. */
  #withArchive = true;
  /** Why the rows under way are the last ones: none may still be looked at, or repaired, once the lease is given back. */
  #stoppedBy: PreavisError | undefined;

  constructor(ports: ReconcilePorts, options: ReconcileOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#archives = [ports.store];
  }

  async run(): Promise<Reconciled> {
    const { catalogue, spoolFolder, repairs, clock } = this.#ports;
    const { sharing } = this.#options;
    this.#withArchive = sharing === undefined || (await sharing.isDue(catalogue, clock.now()));
    if (!this.#withArchive) this.#reconciled.archive = 'left to another process';
    // A spool that cannot be read would make a finding of every row.
    this.#reconciled.files = (await spooledRecordings(spoolFolder)).length;
    this.#ended = new Set((await catalogue.recordings.finishable()).map(({ id }) => id));
    const counts = await catalogue.recordings.counts();
    const recordings = Object.values(counts).reduce((sum, count) => sum + count, 0);
    this.#total = recordings + 2 * (counts.archived ?? 0);
    for (const store of this.#ports.former ?? []) await this.#takeFormer(store);
    await this.#compareRows();
    await this.#compareFiles();
    if (this.#withArchive) for (const store of this.#archives) await this.#compareObjects(store);
    if (repairs !== undefined) await catalogue.passes.noteDone('reconcile', clock.now());
    if (repairs !== undefined && this.#withArchive) await sharing?.noteCompared(catalogue, clock.now());

    return this.#reconciled;
  }

  /** An earlier archive may be gone: that is told, and keeps nothing else from being compared. */
  async #takeFormer(store: ObjectStore): Promise<void> {
    try {
      await store.list(objectPrefix)[Symbol.asyncIterator]().next();
      this.#archives.push(store);
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      const about = { recording: null, where: objectPrefix, archive: store.location };
      this.#options.found({ kind: 'notComparable', ...about, done: asPreavisError(thrown).code });
    }
  }

  async #compareRows(): Promise<void> {
    const limit = pLimit(this.#ports.atOnce);
    const { listBeyond } = this.#ports.catalogue.recordings;
    for await (const rows of pagesOf(batch, '', listBeyond, ({ id }) => id)) {
      await Promise.all(rows.map((row) => limit(() => this.#compareRow(row))));
      if (this.#stoppedBy !== undefined) throw this.#stoppedBy;
    }
  }

  /** Every file in the spool that no row knows. */
  async #compareFiles(): Promise<void> {
    const { catalogue, spoolFolder } = this.#ports;
    for (const id of await spooledRecordings(spoolFolder)) {
      this.#options.signal.throwIfAborted();
      const known = await this.#rowOf(id);
      const where = spoolFile(spoolFolder, id);
      if (known === 'unreadable')
        this.#options.found({ kind: 'notComparable', recording: id, where, done: 'row_unreadable' });
      if (known !== undefined) continue;
      const maker = await catalogue.recordings.makerOf(id);
      // Its recorder may have been reported just now, and its file removed.
      if (maker === 'open' || (await catalogue.recordings.find(id)) !== undefined) continue;
      if ((await lastWritten(spoolFolder, id)) === undefined) continue;
      const kind = maker === 'adoptable' ? 'fileNotAdopted' : 'fileOfNobody';
      const done = await this.#repair({ kind, place: 'spool' }, id, where);
      this.#options.found({ kind, recording: id, where, done });
    }
  }

  /** Every object that no row knows, or whose row says that it must not be there. */
  async #compareObjects(store: ObjectStore): Promise<void> {
    const { signal } = this.#options;
    const place = store === this.#ports.store ? {} : { archive: store.location };
    for await (const { key: where } of store.list(objectPrefix)) {
      signal.throwIfAborted();
      this.#reconciled.objects += 1;
      this.#advance();
      const id = idOfKey(where);
      const about = { recording: id ?? null, where };
      const row = id === undefined ? undefined : await this.#rowOf(id);
      if (row === 'unreadable') {
        this.#options.found({ kind: 'notComparable', ...about, done: 'row_unreadable', ...place });
        continue;
      }
      const kind = compareObject(where, row, row !== undefined && (await this.#ports.isRemovalProved(row)));
      if (kind === undefined || this.#reported.has(where)) continue;
      // Retention may be erasing it. A foreign key may be one that the store's port does not even take.
      if (id !== undefined && (await store.stat(where)) === undefined) continue;
      const done = row === undefined ? 'nothing' : await this.#repair({ kind, place: 'wav' }, row.id, where);
      this.#options.found({ kind, ...about, done, ...place });
    }
  }

  async #rowOf(id: string): Promise<RecordingRow | 'unreadable' | undefined> {
    try {
      return await this.#ports.catalogue.recordings.find(id);
    } catch (thrown) {
      if (asPreavisError(thrown).code === 'row_unreadable') return 'unreadable';
      throw thrown;
    }
  }

  async #compareRow(row: RecordingRow): Promise<void> {
    if (this.#stoppedBy !== undefined) return;
    try {
      this.#options.signal.throwIfAborted();
      if (!(await isCompared(row, this.#withArchive, this.#ports))) return;
      for (const each of await this.#foundOf(row)) {
        this.#report(row, each, await this.#repair(each, row.id, this.#whereOf(row, each)));
      }
    } catch (thrown) {
      const { signal } = this.#options;
      const error = asPreavisError(signal.aborted ? signal.reason : thrown);
      if (signal.aborted || isFatal(error)) {
        this.#stoppedBy ??= error;
        return;
      }
      const place = error.code === 'spool_unusable' ? 'spool' : 'wav';
      this.#report(row, { kind: 'notComparable', place }, this.#survivable(error).code);
    } finally {
      this.#copies.delete(row.id);
      this.#reconciled.recordings += 1;
      this.#advance();
    }
  }

  /** What does not hold with the row that there is now: it may just have been finished, or erased. */
  async #foundOf(given: RecordingRow): Promise<Found[]> {
    for (let row = given; ;) {
      const found = await this.#look(row);
      const now = found.length === 0 ? undefined : await this.#ports.catalogue.recordings.find(row.id);
      // Rows only move forward, so this comes to an end.
      if (now === undefined || now.status === row.status) return found;
      row = now;
    }
  }

  async #look(row: RecordingRow): Promise<Found[]> {
    const { catalogue, spoolFolder, clock } = this.#ports;
    const writtenAt = await lastWritten(spoolFolder, row.id);
    const isMeasured = row.status === 'recorded' || row.status === 'archived';
    const digest = writtenAt === undefined || !isMeasured ? undefined : await this.#measured(row);
    const file = writtenAt === undefined || (isMeasured && digest === undefined) ? undefined : { writtenAt, digest };
    const elsewhere =
      row.archive !== null && everyArchive(this.#ports).every(({ location }) => location !== row.archive);
    const { wav, receipt } = elsewhere ? { wav: undefined, receipt: undefined } : await this.#objectsOf(row, file);
    const facts = {
      row,
      now: clock.now(),
      callEnded: this.#ended.has(row.id) && (file !== undefined || this.#isMissing(row)),
      file,
      elsewhere,
      wav,
      receipt,
      receiptDigest: row.receipt === null ? undefined : textDigest(row.receipt),
      isInArchive: file === undefined && !elsewhere && (await this.#copyOf(row)) !== undefined,
      // Asked for below, where something is left: it costs a signature, and there are many erased ones.
      isRemovalProved: false,
      erasureBegun: undefined,
    };
    const found = compare(facts);
    if (found.length === 0) return found;
    const steps = await catalogue.auditTrail.of(row.id);

    const begun = steps.findLast(({ event }) => event === erasureBegun)?.at;
    // Begun by a clock that was wrong: retention does not come back to it before its time. To what somebody has decided it does.
    const isDue =
      (row.keepUntil !== null && row.keepUntil <= facts.now) ||
      (await catalogue.askedErasures.askedAt(row.id)) !== undefined;

    const isRemovalProved = await this.#ports.isRemovalProved(row);

    return compare({ ...facts, isRemovalProved, erasureBegun: isDue ? begun : undefined });
  }

  /** What may still have to be collected from an Asterisk on another machine is not missing. */
  #isMissing(row: RecordingRow): boolean {
    const { spool, repairs } = this.#ports;

    return spool !== 'collected' || repairs?.collected?.isWhole(row) === true;
  }

  /** What only waits is compared by its size, as objects are; what may be removed is read. */
  async #measured({ id, status }: RecordingRow): Promise<Measured | undefined> {
    const { spoolFolder } = this.#ports;
    const { verify, signal } = this.#options;
    if (verify || status !== 'recorded') return spooledDigest(spoolFolder, id, signal);
    const bytes = await spooledBytes(spoolFolder, id);

    return bytes === undefined ? undefined : { bytes, sha256: undefined };
  }

  async #objectsOf(
    row: RecordingRow,
    file: unknown,
  ): Promise<{ wav: ObjectFacts | undefined; receipt: ObjectFacts | undefined }> {
    const { verify } = this.#options;
    const keys = keysOf(row);
    if (row.status === 'archived') {
      const store = row.archive === null ? this.#ports.store : archiveAt(row.archive, this.#ports);

      return {
        // A local file is only removed for what was read back.
        wav: await this.#objectFacts(store, keys.wav, row.objectVersion, verify || file !== undefined),
        receipt: await this.#objectFacts(store, keys.receipt, null, verify),
      };
    }
    if (!verify || (row.status !== 'erased' && row.status !== 'discarded')) {
      return { wav: undefined, receipt: undefined };
    }

    return { wav: await this.#anyVersion(keys.wav), receipt: await this.#anyVersion(keys.receipt) };
  }

  async #objectFacts(store: ObjectStore, key: string, version: string | null, read: boolean): Promise<ObjectFacts> {
    const newest = await store.stat(key);
    const isCovered = version !== null && newest?.versionId !== version;
    const isThere = isCovered ? (await store.versions(key)).includes(version) : newest !== undefined;
    if (!isThere) return { state: 'missing' };
    const state = isCovered ? 'covered' : 'there';
    if (!read) return { state, bytes: isCovered ? undefined : newest?.bytes, sha256: undefined };
    try {
      return { state, ...(await store.digest(key, version, this.#limit())) };
    } catch (thrown) {
      const { code } = asPreavisError(thrown);
      if (code === 'archive_object_missing') return { state: 'missing' };
      // An encrypted object that does not fit its tags: whatever it is, it is not what was recorded.
      if (code === 'archive_mismatch') return { state, bytes: newest?.bytes, sha256: 'unreadable' };
      throw thrown;
    }
  }

  #limit(): AbortSignal {
    return AbortSignal.any([this.#options.signal, timeLimit(this.#ports.attemptMs)]);
  }

  /** Of one that has no file: what an archive has of it, whole. It is read once for each recording, however often it is asked for. */
  async #copyOf(row: RecordingRow): ReturnType<typeof findInArchives> {
    const hasEnded = row.status === 'lost' || (row.status === 'recording' && this.#ended.has(row.id));
    if (!hasEnded) return undefined;
    if (this.#copies.has(row.id)) return this.#copies.get(row.id);
    const copy = await findInArchives(row, keysOf(row), this.#archives, this.#ports.clock.now(), this.#limit());
    this.#copies.set(row.id, copy);

    return copy;
  }

  /** P5: a guarded step, with its line in the audit trail; the catalogue knew less than the archive. */
  async #archiveAgain(id: RecordingId, { catalogue }: FinishPorts): Promise<void> {
    const { clock, log, actor } = this.#ports;
    const row = await catalogue.recordings.find(id);
    const copy = row === undefined ? undefined : await this.#copyOf(row);
    if (row === undefined || copy === undefined) return;
    const { bytes, sha256, durationMs, finishedAt, keptFrom, versionId, receipt, encryption } = copy;
    const keys = keysOf(row);
    await catalogue.recordings.move(
      id,
      row.status,
      'archived',
      {
        keptFrom,
        ...(await keepingOf(row, keptFrom, catalogue)),
        doubt: await doubtAgain({ ...row, finishedAt, keptFrom }, copy, { catalogue, clock, actor }),
        bytes,
        sha256,
        durationMs,
        finishedAt,
        flags: [...copy.flags],
        archive: copy.archive,
        objectKey: keys.wav,
        objectVersion: versionId,
        receiptKey: keys.receipt,
        receipt,
        failure: null,
      },
      { event: 'found in the archive and read back', actor, detail: { bytes, sha256, version: versionId, encryption } },
    );
    log.warn({ recording: id }, 'lost recording found in archive; status restored');
  }

  async #anyVersion(key: string): Promise<ObjectFacts> {
    for (const store of this.#archives) {
      if ((await store.versions(key)).length > 0) return { state: 'there', bytes: undefined, sha256: undefined };
    }

    return { state: 'missing' };
  }

  /** Does what the list of findings says is safe, and looks whether it helped. */
  async #repair(found: Found, id: RecordingId, where: string): Promise<Discrepancy['done']> {
    const { repairs } = this.#ports;
    if (!discrepancyKinds[found.kind].repair) return 'nothing';
    if (repairs === undefined) return 'repairable';
    try {
      if (found.kind === 'erasedObjectLeft') return await this.#eraseAgain(id, where);
      await this.#act(found.kind, id, repairs);
      const row = await this.#ports.catalogue.recordings.find(id);
      if (row === undefined) return 'nothing';
      const left = await this.#foundOf(row);

      return left.some(({ kind }) => kind === found.kind) ? 'nothing' : 'repaired';
    } catch (thrown) {
      return this.#survivable(thrown).code;
    }
  }

  /** P6: what was erased must not come back, by a backup or a replication. */
  async #eraseAgain(id: RecordingId, key: string): Promise<Discrepancy['done']> {
    const { catalogue, log, actor } = this.#ports;
    for (const store of this.#archives) {
      await store.erase(key);
      if ((await store.versions(key)).length > 0) return 'nothing';
    }
    await catalogue.auditTrail.append(id, { event: 'erased again', actor, detail: { key } });
    log.warn({ recording: id }, 'erased object found in archive; erased again');

    return 'repaired';
  }

  async #act(kind: DiscrepancyKind, id: RecordingId, repairs: FinishPorts): Promise<void> {
    const { catalogue, spoolFolder, log, actor } = this.#ports;
    try {
      if (kind === 'localFileLeft') {
        // compare has this kind only for an object and a file that were both read and are both what was recorded.
        if (!(await removeSpooled(spoolFolder, id))) return;
        await catalogue.auditTrail.append(id, { event: 'removed from the spool', actor });
        log.info({ recording: id }, 'local file deleted; archived copy verified');
        return;
      }
      if (kind === 'lostObjectFound') {
        await this.#archiveAgain(id, repairs);
        return;
      }
      await takeUp(id, repairs);
      const row = await catalogue.recordings.find(id);
      if (row?.status === 'recording') await finishRecording(row, repairs);
    } catch (thrown) {
      // Another process was faster.
      if (asPreavisError(thrown).code !== 'status_conflict') throw thrown;
    }
  }

  /** The error as a part of a finding, or thrown on when nothing more can be compared with it. */
  #survivable(thrown: unknown): PreavisError {
    this.#options.signal.throwIfAborted();
    const error = asPreavisError(thrown);
    if (isFatal(error)) throw error;
    this.#ports.log.warn({ code: error.code, err: error }, 'recording not compared or repaired');

    return error;
  }

  #report(row: RecordingRow, { kind, place }: Found, done: Discrepancy['done']): void {
    const where = this.#whereOf(row, { kind, place });
    if (kind === 'erasedObjectLeft' || kind === 'erasureUnproved' || kind === 'discardedObjectLeft')
      this.#reported.add(where);
    if (kind === 'lostObjectFound') for (const key of Object.values(keysOf(row))) this.#reported.add(key);
    this.#options.found({ kind, recording: row.id, where, done });
  }

  #whereOf(row: RecordingRow, { place }: Found): string {
    return place === 'spool' ? spoolFile(this.#ports.spoolFolder, row.id) : keysOf(row)[place];
  }

  #advance(): void {
    const { recordings, objects } = this.#reconciled;
    this.#options.progress?.(recordings + objects, Math.max(this.#total, recordings + objects));
  }
}
