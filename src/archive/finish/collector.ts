import { createHash } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AriQueries } from '../../ari/port.ts';
import type { AriStored } from '../../ari/storedRecordings.ts';
import { refuseSharedSpool } from '../../call/plan/readiness.ts';
import { spoolUnusable } from '../../call/plan/spoolRights.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { AuditRow, RecordingRow } from '../../catalogue/rows.ts';
import type { Clock } from '../../core/clock.ts';
import { asPreavisError, errnoOf, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import { flushFolder, withFile } from '../../core/files.ts';
import type { IdMaker, RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { digestOf, type Digest } from '../../store/digest.ts';
import { spooledAmong, spoolFile } from './spool.ts';

/**
 * Copies recordings from an Asterisk on another machine into the spool, and removes them there. A file there is removed only when the copy
 * is on the disk, was compared with a second reading by length and SHA-256, and is in the audit trail. Whatever is interrupted is done again.
 * Only serve collects, one pass after another: no second process writes a file that this one finishes.
 */
export type CollectPorts = {
  catalogue: CataloguePart<{
    recordings: 'finishable' | 'find' | 'adopt';
    auditTrail: 'of' | 'append' | 'saysDiscarded';
  }>;
  stored: AriStored;
  ari: Pick<AriQueries, 'isRecording' | 'hasRecording'>;
  spoolFolder: string;
  ids: Pick<IdMaker, 'channel'>;
  clock: Clock;
  log: Logger;
  actor: string;
  /** Ends a pass at once; what it has begun is begun again. */
  signal: AbortSignal;
};

/** A file at Asterisk; `path`: where its copy comes. */
type Remote = { id: RecordingId; name: string; file: string; path: string };

/** In the audit trail of a recording of which a file was copied; the detail has its name, length and SHA-256. */
const collected = 'collected from Asterisk';
const removedThere = 'removed at Asterisk';

/** While a copy is made, behind the name that it gets. */
const copying = '.collecting';

/** With these, the other files of a pass would fail as well. */
const isFatal = ({ code }: PreavisError): boolean => code === 'ari_unreachable' || code === 'spool_unusable';

export class Collector {
  readonly #ports: CollectPorts;
  /** What the last list has shown: whose calls had ended when it was asked for, and of whom files are left at Asterisk. */
  #seen: { ended: ReadonlySet<RecordingId>; left: Set<RecordingId> } | undefined;
  /** What was logged, so that it is not logged with each pass. */
  readonly #told = new Set<string>();

  constructor(ports: CollectPorts) {
    this.#ports = ports;
  }

  /** Whether everything of it is in the spool, as far as it was ever recorded: until then nobody looks at what is there. */
  isWhole({ id, status }: Pick<RecordingRow, 'id' | 'status'>): boolean {
    const seen = this.#seen;
    if (seen === undefined || seen.left.has(id)) return false;

    return status !== 'recording' || seen.ended.has(id);
  }

  /**
   * One pass; never rejects. Without `sweep`, Asterisk is asked only where a call has ended whose recording is not finished.
   */
  async collect({ sweep }: { sweep: boolean }): Promise<void> {
    try {
      await this.#collect(sweep);
      if (this.#told.delete('pass')) this.#ports.log.info('recordings collected from Asterisk again');
    } catch (thrown) {
      if (this.#ports.signal.aborted) return;
      this.#once('pass', asPreavisError(thrown), (fields) => {
        this.#ports.log.error(fields, 'recordings not collected from Asterisk; will retry');
      });
    }
  }

  async #collect(sweep: boolean): Promise<void> {
    const { catalogue, stored, spoolFolder, signal } = this.#ports;
    // Before the list: a call that ends meanwhile may have a file that the list does not show.
    const ended = new Set((await catalogue.recordings.finishable()).map(({ id }) => id));
    if (!sweep && ended.size === 0) return;
    const files = remoteFiles(await stored.list(), spoolFolder);
    const left = new Set(files.map(({ id }) => id));
    this.#seen = { ended, left };
    await removeRests(spoolFolder);
    if (files.length === 0) return;
    await refuseSharedSpool(spoolFolder, this.#ports.ari, this.#ports.ids, this.#ports.clock);
    for (const id of [...left]) {
      if (signal.aborted) return;
      const own = files.filter((file) => file.id === id);
      if (await this.#ofRecording(id, own, ended)) left.delete(id);
    }
  }

  /** Whether nothing of it is left at Asterisk. Throws what ends the pass. */
  async #ofRecording(id: RecordingId, files: readonly Remote[], ended: ReadonlySet<RecordingId>): Promise<boolean> {
    try {
      return await this.#take(id, files, ended);
    } catch (thrown) {
      this.#ports.signal.throwIfAborted();
      const error = asPreavisError(thrown);
      if (isFatal(error)) throw error;
      this.#once(id, error, (fields) => {
        this.#ports.log.error({ ...fields, recording: id }, 'recording not collected; will retry');
      });

      return false;
    }
  }

  async #take(id: RecordingId, files: readonly Remote[], ended: ReadonlySet<RecordingId>): Promise<boolean> {
    const { catalogue, ari } = this.#ports;
    const row = (await catalogue.recordings.find(id)) ?? (await catalogue.recordings.adopt(id));
    // Of a call that is on, or of another catalogue.
    if (row === undefined || (row.status === 'recording' && !ended.has(id))) return false;
    for (const { name } of files) if (await ari.isRecording(name)) return false;
    if (row.status === 'discarded') return this.#discard(id, files);
    const trail = await catalogue.auditTrail.of(id);
    const isAwaited = row.status === 'recording' || row.status === 'lost';
    let isAllGone = true;
    for (const file of files) {
      const known = digestIn(trail, file);
      const isKept =
        row.status === 'archived' || row.status === 'erased' || (await isHere(file, this.#ports.spoolFolder));
      if (isAwaited && !(isKept && known !== undefined)) await this.#copy(file);
      else if (!(await this.#removeKnown(file, isKept ? known : undefined))) isAllGone = false;
    }

    return isAllGone;
  }

  /** Who changes the catalogue by hand must not have a recording removed. */
  async #discard(id: RecordingId, files: readonly Remote[]): Promise<boolean> {
    const { catalogue, stored, actor } = this.#ports;
    if (!(await catalogue.auditTrail.saysDiscarded(id))) return false;
    for (const { name } of files) await stored.remove(name);
    await catalogue.auditTrail.append(id, { event: removedThere, actor });

    return true;
  }

  async #copy(file: Remote): Promise<void> {
    const { catalogue, spoolFolder, actor } = this.#ports;
    const temporary = `${file.path}${copying}`;
    const copy = await this.#write(file, temporary);
    failPoint?.('collect, copied');
    const again = await this.#digest(file);
    if (!isSame(again, copy))
      throw new PreavisError('recording_unsettled', 'two readings of a recording at Asterisk differ');
    failPoint?.('collect, compared');
    await this.#inSpool(async () => {
      await rename(temporary, file.path);
      await flushFolder(spoolFolder);
    });
    failPoint?.('collect, in the spool');
    await catalogue.auditTrail.append(file.id, { event: collected, actor, detail: { file: file.file, ...copy } });
    failPoint?.('collect, noted');
    await this.#remove(file);
  }

  /**
   * What was copied before, and not removed or back again: a removal may be undone by a loss of power.
   *
   * @param known undefined where it was never copied, or the copy is gone
   */
  async #removeKnown(file: Remote, known: Digest | undefined): Promise<boolean> {
    const there = known === undefined ? undefined : await this.#digest(file);
    if (known === undefined || there === undefined || !isSame(there, known)) {
      const error = new PreavisError('recording_unsettled', 'a file at Asterisk is not what was collected');
      this.#once(file.file, error, (fields) => {
        this.#ports.log.error({ ...fields, recording: file.id }, 'file at Asterisk left there');
      });

      return false;
    }
    await this.#remove(file);

    return true;
  }

  async #remove({ name }: Remote): Promise<void> {
    await this.#ports.stored.remove(name);
    failPoint?.('collect, removed at Asterisk');
  }

  /** Its bytes to the disk; their length and digest. */
  async #write({ name }: Remote, path: string): Promise<Digest> {
    const { stored, signal } = this.#ports;
    const { bytes: expected, chunks } = await stored.read(name, signal);
    const hash = createHash('sha256');
    let bytes = 0;
    await this.#inSpool(() =>
      withFile(open(path, 'w', 0o600), async (file) => {
        for await (const chunk of chunks) {
          await file.writeFile(chunk);
          hash.update(chunk);
          bytes += chunk.length;
        }
        await file.sync();
      }),
    );
    refuseShort(bytes, expected);

    return { bytes, sha256: hash.digest('hex') };
  }

  async #digest({ name }: Remote): Promise<Digest> {
    const { stored, signal } = this.#ports;
    const { bytes: expected, chunks } = await stored.read(name, signal);
    const digest = await digestOf(chunks);
    refuseShort(digest.bytes, expected);

    return digest;
  }

  async #inSpool<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      if (cause instanceof PreavisError) throw cause;
      throw await spoolUnusable(this.#ports.spoolFolder, cause);
    }
  }

  #once(what: string, error: PreavisError, tell: (fields: { code: ErrorCode; err: PreavisError }) => void): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    tell({ code: error.code, err: error });
  }
}

const isSame = (one: Digest, other: Digest): boolean => one.bytes === other.bytes && one.sha256 === other.sha256;

function refuseShort(bytes: number, expected: number | undefined): void {
  if (expected !== undefined && bytes !== expected)
    throw new PreavisError('recording_unsettled', 'a recording at Asterisk did not come whole');
}

/** Those of recordings of ours; whatever Asterisk calls a file, nothing else becomes part of a path. */
function remoteFiles(listed: Awaited<ReturnType<AriStored['list']>>, folder: string): Remote[] {
  return listed.flatMap(({ name, format }) => {
    const file = `${name}.${format}`;

    return spooledAmong([file]).map(({ id }) => ({ id, name, file, path: join(folder, file) }));
  });
}

const asDigest = (detail: Record<string, unknown>): Digest | undefined =>
  typeof detail['bytes'] === 'number' && typeof detail['sha256'] === 'string'
    ? { bytes: detail['bytes'], sha256: detail['sha256'] }
    : undefined;

/** Of this file when it was last collected. */
function digestIn(trail: readonly AuditRow[], { file }: Remote): Digest | undefined {
  const line = trail.findLast(({ event, detail }) => event === collected && detail['file'] === file);

  return line === undefined ? undefined : asDigest(line.detail);
}

/** Itself, or what was made of it and the other parts. */
async function isHere({ id, path }: Remote, folder: string): Promise<boolean> {
  return (await isFile(path)) || (await isFile(spoolFile(folder, id)));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}

/** What a process that died has left of a copy. */
async function removeRests(folder: string): Promise<void> {
  try {
    const rests = (await readdir(folder)).filter((name) => name.startsWith('preavis-') && name.endsWith(copying));
    for (const name of rests) await rm(join(folder, name), { force: true });
  } catch (cause) {
    throw await spoolUnusable(folder, cause);
  }
}
