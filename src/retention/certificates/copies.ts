import { text } from 'node:stream/consumers';
import { everyArchive, type Archives } from '../../archive/archives.ts';
import { idOfKey } from '../../store/objectKeys.ts';
import { removeSpooled } from '../../archive/finish/spool.ts';
import type { ObjectStore } from '../../store/store.ts';
import { erasedAgain, erasureBegun } from '../../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { decisionKinds, type DecisionKind } from '../../catalogue/retention/decisions.ts';
import type { CertificateRow, LedgerPlace } from '../../catalogue/retention/certificates.ts';
import type { CopyPlace } from '../../catalogue/retention/signedTable.ts';
import { dayMs } from '../../core/clock.ts';
import { asPreavisError, type PreavisError } from '../../core/errors.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { claimedKid, typeOfSigned } from '../../core/crypto/signing.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import {
  certificateKey,
  certificateOfKey,
  certificatePrefix,
  readCertificate,
  type Certificate,
} from './certificate.ts';
import { headPrefix, headType, readHead } from '../heads/chainHead.ts';
import { decisionType } from '../decision.ts';
import { copyDecisions, findDecision, type DecisionReplayPorts } from '../decisions.ts';
import { assertGone } from '../erasure.ts';
import { headObjects } from '../heads/keepHeads.ts';
import type { Ledger } from './ledger.ts';

/**
 * Certificates are kept in three places: the catalogue, the ledger beside it, and the archive. What one of them has lost, by a
 * backup that was restored, comes back from the others, and what they say was erased is erased again.
 */
export type CopyPorts = Archives &
  DecisionReplayPorts & {
    catalogue: CataloguePart<{
      certificates:
        | 'withoutCopy'
        | 'noteCopy'
        | 'isKnown'
        | 'of'
        | 'restore'
        | 'beginErasure'
        | 'ledgerRead'
        | 'noteLedgerRead'
        | 'old'
        | 'remove';
      recordings: 'find';
      decisions: 'withoutLedger' | 'noteInLedger';
      chainHeads: 'isKnown' | 'takeUp';
      archiveCopies: 'forget';
    }>;
    spoolFolder: string;
    ledger: Ledger;
    log: Logger;
  };
type ServeCopyPorts = CopyPorts & {
  /** Throws ledger_incomplete where it is not that of the other machines which share the catalogue. */
  requireLedger: () => Promise<void>;
};

const batch = 200;
/** For one certificate in the archive, ms. */
const copyLimitMs = 60_000;
/** No certificate is longer, bytes. */
const mostBytes = 64 * 1024;

/** The name under which it is noted when certificates were found that the catalogue did not know. */
const restoration = 'restoration';

/** A catalogue that was put back does not know the holds that were set after its backup: people have this long to set them again, ms. */
const setAgainMs = dayMs;

/** Since when, and until when, nothing due is erased for that, ms since 1970 UTC; undefined when nothing is waited for. */
export async function waitAfterRestoration(
  catalogue: CataloguePart<{ passes: 'last' }>,
  at: number,
): Promise<{ since: number; until: number } | undefined> {
  const since = await catalogue.passes.last(restoration);

  return since === undefined || Math.abs(at - since) >= setAgainMs ? undefined : { since, until: since + setAgainMs };
}

/**
 * Puts the decisions and certificates that are only in the catalogue into the ledger, and then certificates into the archive. Throws what
 * those throw.
 */
export async function copyMissingCertificates({ catalogue, store, ledger }: CopyPorts): Promise<void> {
  const copyTo = async (place: CopyPlace, copy: (row: CertificateRow) => Promise<unknown>): Promise<void> => {
    for (;;) {
      const rows = await catalogue.certificates.withoutCopy(place, batch);
      for (const row of rows) {
        await copy(row);
        await catalogue.certificates.noteCopy(row.sha256, place, true);
      }
      if (rows.length < batch) return;
    }
  };
  await copyDecisions({ catalogue, ledger });
  await copyTo('ledger', ({ jws }) => ledger.append(jws));
  await copyTo('archive', (row) =>
    store.putText(certificateKey(row), row.jws, 'application/jose', timeLimit(copyLimitMs)),
  );
}

/** What of the copies was not in the catalogue. */
export type Replayed = {
  certificates: number;
  erasedAgain: RecordingId[];
  /** Decisions that were carried out again, or in a dry run would be. */
  decisions: Record<DecisionKind, number>;
  /** Not what was signed, signed by a key that is not trusted, or not to be done again. */
  refused: number;
};

/** With these the archive does not work at all: the others are no better. */
const endsReplay = ({ code, wholeArchive }: PreavisError): boolean =>
  wholeArchive !== undefined || code === 'catalogue_unusable' || code === 'signing_key_unusable';

export type ReplayOptions = {
  dryRun: boolean;
  /** Also what was read before, as after a key was trusted again. */
  fromStart?: boolean;
  /** Told of each copy that was looked at. */
  progress?: () => void;
};

/**
 * Takes up what the ledger has and the catalogue has not, and erases again what it says was erased. It reads on from where it has
 * read to before, which a restored catalogue does not know, and does not read past what could not be done.
 */
export async function replayLedger(
  ports: CopyPorts,
  { dryRun, fromStart = false, progress }: ReplayOptions,
): Promise<Replayed> {
  const { catalogue, ledger } = ports;
  const replay = new Replay(ports, 'ledger', dryRun);
  let name: string | undefined;
  let before: LedgerPlace | undefined;
  let read: LedgerPlace | undefined;
  let isBlocked = false;
  for await (const { line } of ledger.lines(0, 1)) {
    // Another first line is another ledger.
    name = `${ledger.file}#${sha256Of(line)}`;
    before = fromStart ? undefined : await catalogue.certificates.ledgerRead(name);
  }
  for await (const { line, start, end } of linesBeyond(before, ledger)) {
    isBlocked = (await replay.take(line)) === 'again' || isBlocked;
    progress?.();
    if (!isBlocked) read = { start, end, sha256: sha256Of(line) };
  }
  if (!dryRun && name !== undefined && read !== undefined) await catalogue.certificates.noteLedgerRead(name, read);

  return replay.end();
}

/**
 * Those behind the last one that was read; all where that is not in its place any more, since lines were taken out. Both are seen in one
 * reading of the file, which another process may shorten meanwhile.
 */
async function* linesBeyond(
  place: LedgerPlace | undefined,
  ledger: Ledger,
): AsyncGenerator<{ line: string; start: number; end: number }> {
  let start: number | undefined;
  if (place !== undefined) {
    for await (const { line, end } of ledger.lines(place.start)) {
      if (start !== undefined) yield { line, start, end };
      else if (end !== place.end || sha256Of(line) !== place.sha256) break;
      start = end;
    }
  }
  if (start !== undefined) return;
  start = 0;
  for await (const { line, end } of ledger.lines(0)) {
    yield { line, start, end };
    start = end;
  }
}

/** Certificates in the archive that the catalogue does not have; `none` for what lies among them and is none. */
export async function* strayCopies({
  store,
  catalogue,
}: {
  store: Pick<ObjectStore, 'list' | 'read'>;
  catalogue: CataloguePart<{ certificates: 'of' }>;
}): AsyncGenerator<'none' | { number: number; recording: RecordingId; read: () => Promise<string> }> {
  for await (const { key, bytes } of store.list(certificatePrefix)) {
    if (key.startsWith(headPrefix)) continue;
    const named = certificateOfKey(key);
    if (named === undefined || bytes > mostBytes) {
      yield 'none';
      continue;
    }
    const known = await catalogue.certificates.of(named.recording);
    if (known.some(({ number }) => number === named.number)) continue;
    const read = async (): Promise<string> => text(await store.read(key, null, timeLimit(copyLimitMs)));
    yield { ...named, read };
  }
}

/** The same with the certificates in the archive; those that the catalogue has are only listed. */
export async function replayArchive(ports: CopyPorts, { dryRun, progress }: ReplayOptions): Promise<Replayed> {
  const replay = new Replay(ports, 'archive', dryRun);
  for (const store of everyArchive(ports)) {
    for await (const copy of strayCopies({ store, catalogue: ports.catalogue })) {
      progress?.();
      try {
        if (copy === 'none') replay.refuse();
        else await replay.take(await copy.read());
      } catch (thrown) {
        if (endsReplay(asPreavisError(thrown))) throw thrown;
        replay.refuse();
      }
    }
    for await (const object of headObjects(store)) {
      if (object === 'none') replay.refuse();
      else if (!(await ports.catalogue.chainHeads.isKnown(object.sha256)))
        await replay.take((await object.read()) ?? '');
    }
  }

  return replay.end();
}

/** Both, as `serve` does at its start and daily. An archive that does not answer keeps nothing else from being done. */
export async function replayCopies(ports: ServeCopyPorts): Promise<void> {
  try {
    await ports.requireLedger();
    await replayLedger(ports, { dryRun: false });
    await copyMissingCertificates(ports);
    await replayArchive(ports, { dryRun: false });
  } catch (thrown) {
    const error = asPreavisError(thrown);
    ports.log.error({ code: error.code, err: error }, 'certificate comparison incomplete');
  }
}

type Read = Awaited<ReturnType<typeof readCertificate>>;

class Replay {
  readonly #ports: CopyPorts;
  readonly #place: CopyPlace;
  readonly #dryRun: boolean;
  readonly #replayed: Replayed = {
    certificates: 0,
    erasedAgain: [],
    decisions: {
      callersForgotten: 0,
      extensionsForgotten: 0,
      numbersForgotten: 0,
      languagesForgotten: 0,
      purposesShortened: 0,
    },
    refused: 0,
  };

  constructor(ports: CopyPorts, place: CopyPlace, dryRun: boolean) {
    this.#ports = ports;
    this.#place = place;
    this.#dryRun = dryRun;
  }

  refuse(): void {
    this.#replayed.refused += 1;
  }

  end(): Replayed {
    const { refused } = this.#replayed;
    const place = this.#place;
    // One line for all: whoever can write there could fill the log.
    if (refused > 0) this.#ports.log.error({ refused, place }, 'certificate copies rejected');

    return this.#replayed;
  }

  /** `again`: it may be possible later, when the key is trusted or a lock is over. */
  async take(jws: string): Promise<'done' | 'again'> {
    const { catalogue, log, trusts } = this.#ports;
    const type = typeOfSigned(jws);
    if (type === decisionType) return this.#takeDecision(jws);
    const sha256 = sha256Of(jws);
    if ((await catalogue.certificates.isKnown(sha256)) || (await catalogue.chainHeads.isKnown(sha256))) return 'done';
    const kid = claimedKid(jws);
    if (kid !== undefined && !(await trusts(kid))) {
      this.refuse();
      return 'again';
    }
    if (type === headType) return this.#takeHead(jws);
    const certificate = await readCopy(jws);
    if (certificate === undefined) {
      this.refuse();
      return 'done';
    }
    try {
      await this.#restore(certificate);
      return 'done';
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (endsReplay(error)) throw thrown;
      const { recording } = certificate.row;
      log.error({ recording, code: error.code, err: error }, 'erasure replay failed');
      this.refuse();
      return 'again';
    }
  }

  async #takeDecision(line: string): Promise<'done' | 'again'> {
    const { catalogue, log, clock } = this.#ports;
    const found = this.#place === 'ledger' ? await findDecision(line, this.#ports) : ({ state: 'invalid' } as const);
    switch (found.state) {
      case 'known':
      case 'over':
        return 'done';
      case 'invalid':
        this.refuse();
        return 'done';
      case 'untrusted':
        this.refuse();
        return 'again';
      case 'unknown': {
        const { kind, sha256 } = found;
        if (!this.#dryRun) {
          // Holds that were set since then are gone with it.
          await catalogue.passes.note(restoration, clock.now());
          if (!(await found.carryOut())) return 'done';
          log.warn({ decision: sha256, kind }, 'decision missing from catalogue replayed');
        }
        this.#replayed.decisions[kind] += 1;
        return 'done';
      }
    }
  }

  /** A head that this catalogue does not know is kept with the others, so that it is seen whether the audit trail still fits it. */
  async #takeHead(jws: string): Promise<'done'> {
    const head = await readHead(jws).catch(() => undefined);
    if (head === undefined) this.refuse();
    else if (!this.#dryRun) await this.#ports.catalogue.chainHeads.takeUp(head.row, this.#place);

    return 'done';
  }

  async #restore({ content, row: certificate }: Read): Promise<void> {
    const { catalogue, log, actor, clock } = this.#ports;
    const { recording, number, sha256 } = certificate;
    const row = await catalogue.recordings.find(recording);
    this.#replayed.certificates += 1;
    const isNew = row?.status !== 'erased';
    if (isNew) this.#replayed.erasedAgain.push(recording);
    if (this.#dryRun) return;
    // Holds that were set since then are gone with it.
    await catalogue.passes.note(restoration, clock.now());
    if (row !== undefined && isNew) {
      const detail = { rule: 'ledger', certificate: sha256 };
      await catalogue.certificates.beginErasure(recording, clock.now(), 'erased before', {
        event: erasureBegun,
        actor,
        detail,
      });
    }
    await removeAgain(content, recording, this.#ports);
    const note = { event: erasedAgain, actor, detail: { certificate: { number, sha256 } } };
    await catalogue.certificates.restore(certificate, row?.status, this.#place, note);
    log.warn({ recording }, 'erasure missing from catalogue replayed');
  }
}

/**
 * A certificate outside the catalogue; undefined for what is none, and for one that names objects of other recordings: who can write
 * to the archive or the ledger must not have recordings erased by what they put there.
 */
export async function readCopy(jws: string): Promise<Read | undefined> {
  const read = await readCertificate(jws).catch((thrown: unknown) => {
    if (asPreavisError(thrown).code !== 'certificate_invalid') throw thrown;
    return undefined;
  });
  if (read === undefined) return undefined;
  const { objects, recording } = read.content;

  return objects.every(({ key }) => idOfKey(key) === recording) ? read : undefined;
}

/** Removes what a restored backup has brought back of a recording that has a certificate, and looks whether it is gone. */
async function removeAgain(
  { objects }: Certificate,
  recording: RecordingId,
  { catalogue, store, former, spoolFolder }: Pick<CopyPorts, 'catalogue' | 'store' | 'former' | 'spoolFolder'>,
): Promise<void> {
  await removeSpooled(spoolFolder, recording);
  for (const archive of everyArchive({ store, former })) {
    const keys = objects.map(({ key }) => key);
    for (const key of keys) await archive.erase(key);
    await assertGone(archive, keys);
    await catalogue.archiveCopies.forget(recording, archive.location);
  }
}

/** What was carried out again, for people; empty where nothing was. */
export function decisionsInWords(decisions: Readonly<Record<DecisionKind, number>>): string {
  return decisionKinds
    .filter((kind) => decisions[kind] > 0)
    .map((kind) => `${decisions[kind]} ${kindInWords[kind]}`)
    .join(', ');
}

const kindInWords = {
  callersForgotten: 'that forgot whose calls were',
  extensionsForgotten: 'that forgot which telephones were in calls',
  numbersForgotten: 'that forgot which numbers were dialled',
  languagesForgotten: 'that forgot languages',
  purposesShortened: 'that ended or shortened purposes',
} as const satisfies Record<DecisionKind, string>;

/** Removes the certificates from before a time, from all three places, the catalogue last; how many. */
export async function removeOldCertificates(ports: CopyPorts, before: number): Promise<number> {
  const { catalogue, ledger } = ports;
  let removed = 0;
  for (;;) {
    const old: CertificateRow[] = [];
    for (const row of await catalogue.certificates.old(before, batch)) {
      // The column is not signed: who writes to the catalogue must not have a certificate removed from all places.
      const read = await readCertificate(row.jws).catch(() => undefined);
      if (read?.row.sha256 === row.sha256 && read.row.issuedAt < before) old.push(row);
    }
    if (old.length === 0) return removed;
    for (const archive of everyArchive(ports)) {
      for (const row of old) await archive.erase(certificateKey(row));
    }
    const hashes = new Set(old.map(({ sha256 }) => sha256));
    await ledger.prune((line) => !hashes.has(sha256Of(line)));
    for (const sha256 of hashes) await catalogue.certificates.remove(sha256);
    removed += old.length;
  }
}
