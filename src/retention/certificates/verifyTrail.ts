import type { Archives } from '../../archive/archives.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { CopyPlace } from '../../catalogue/retention/signedTable.ts';
import { chainStart, linkOf } from '../../core/crypto/hashChain.ts';
import { counted } from '../../core/text/counted.ts';
import { sha256Of } from '../../core/crypto/sha256.ts';
import { pagesOf } from '../../core/pages.ts';
import { claimedKid, typeOfSigned } from '../../core/crypto/signing.ts';
import { headInWords, headType, readHead, type Head } from '../heads/chainHead.ts';
import { headObjects } from '../heads/keepHeads.ts';
import type { Ledger } from './ledger.ts';

/** Whether the audit trail is what was written: each line follows from the one before it, and the signed heads fit it. */
export type TrailPorts = {
  catalogue: CataloguePart<{ auditTrail: 'lines' | 'head' | 'timeAfter'; file: 'identity'; chainHeads: 'list' }>;
  ledger: Ledger;
  /** undefined: the archive is not asked, nor are those of before it, in which heads lie until `archive move` has taken them along. */
  store: ObjectStore | undefined;
  former?: Archives['former'];
  /** `listed`: of heads that the catalogue has, the archive is asked for the name alone, which takes less time. */
  archiveCopies?: 'read' | 'listed';
  /** From when on heads are kept, ms since 1970 UTC: older ones may be gone. */
  since: number;
  trusts: (kid: string) => Promise<boolean>;
};

/** `recording` is empty where the line is of none. */
export type LineFault = { recording: string; fault: string };

const pageOfLines = 1_000;

const mostLineFaults = 1_000;

/**
 * The lines that are not what was written: 1,000 of them, and how many more. One that was taken out shows at the next. Throws the
 * signal's reason.
 */
export async function* lineFaults(
  catalogue: CataloguePart<{ auditTrail: 'lines' }>,
  signal: AbortSignal,
): AsyncGenerator<LineFault> {
  let count = 0;
  for await (const fault of everyLineFault(catalogue, signal)) if ((count += 1) <= mostLineFaults) yield fault;
  const more = count - mostLineFaults;
  if (more > 0) {
    const fault = `${counted(more, 'more line of the audit trail is', 'more lines of the audit trail are')} not what was written`;
    yield { recording: '', fault };
  }
}

async function* everyLineFault(
  catalogue: CataloguePart<{ auditTrail: 'lines' }>,
  signal: AbortSignal,
): AsyncGenerator<LineFault> {
  // SQLite takes ids that it never gives.
  for (const [from, to] of [
    [-Infinity, 0],
    [Number.MAX_SAFE_INTEGER + 1, Infinity],
  ] as const) {
    for (const { id, recording } of await catalogue.auditTrail.lines(from, to, pageOfLines)) {
      yield { recording: recording ?? '', fault: `line ${id} of the audit trail was put in by hand` };
    }
  }
  let chain: string | undefined;
  const page = (from: number) => catalogue.auditTrail.lines(from, Number.MAX_SAFE_INTEGER, pageOfLines);
  for await (const lines of pagesOf(pageOfLines, 1, page, ({ id }) => id + 1)) {
    for (const line of lines) {
      signal.throwIfAborted();
      const { id } = line;
      const recording = line.recording ?? '';
      if (line.chain === null) {
        // Before the first link there are lines of an older version; behind it nobody but a forger writes without one.
        if (chain === undefined) continue;
        yield { recording, fault: `line ${id} of the audit trail has no link: it was put in by hand` };
      } else {
        if (line.chain !== linkOf(chain ?? chainStart, line.digest)) {
          yield { recording, fault: `line ${id} of the audit trail was changed` };
        }
        chain = line.chain;
      }
    }
  }
}

/** What the signed heads say of the audit trail. */
export type HeadsVerified = {
  faults: string[];
  /** Those of them that may come from an older catalogue that was put back: `preavis certificates replay --restored` says so. */
  isUnfit: boolean;
  /** What people said was put back on purpose, the last one last; `gone`: how many heads of before do not fit any more. */
  restored: { number: number; signedAt: string; by: string; gone: number }[];
  /** Everything that was signed until then is excused by the last of them that fits, ms since 1970 UTC. */
  excusedUntil: number | undefined;
  /** Whether there is any, fitting or not. */
  isSigned: boolean;
  /** The newest that fits; every line up to its own is vouched for. */
  newest: Head | undefined;
  /** When the first line was written that no head vouches for, ms since 1970 UTC. */
  unsignedSince: number | undefined;
  /** How many are not yet in the ledger, and in the archive. */
  waiting: Record<CopyPlace, number>;
  /** The hashes of those that were put there, and are not there any more. */
  lost: Record<CopyPlace, string[]>;
};

type Found = { content: Head; sha256: string };

/** Changes nothing. Throws what catalogue, ledger and archive do, and the signal's reason. */
export async function verifyHeads(ports: TrailPorts, signal: AbortSignal): Promise<HeadsVerified> {
  const { catalogue } = ports;
  const { found, faults, waiting, lost } = await collect(ports, signal);
  const heads = [...found.values()].sort((a, b) => a.content.number - b.content.number);
  const identity = await catalogue.file.identity();
  const fits = new Set<string>();
  for (const { content, sha256 } of heads) if (await doesFit(content, identity, catalogue)) fits.add(sha256);
  const fitting = heads.filter(({ sha256 }) => fits.has(sha256)).map(({ content }) => content);
  const excusing = fitting.findLast(({ restored }) => restored !== null);
  const isExcused = (number: number): boolean => number <= (excusing?.number ?? 0);
  const unfit = heads.filter(({ content, sha256 }) => !fits.has(sha256) && !isExcused(content.number));
  const newest = fitting.at(-1);
  const sequence = sequenceFaults(heads.filter(({ content }) => content.number >= (excusing?.number ?? 0)));
  if (unfit.length > 0) faults.push(await unfitInWords(unfit, identity, catalogue));

  return {
    faults: [...faults, ...sequence],
    isUnfit: unfit.length > 0 || sequence.length > 0,
    restored: heads.flatMap(({ content: { restored, number, signedAt } }) => {
      if (restored === null) return [];
      const gone = heads.filter(({ content, sha256 }) => content.number < number && !fits.has(sha256)).length;

      return [{ number, signedAt, by: restored.by, gone }];
    }),
    excusedUntil: excusing === undefined ? undefined : Date.parse(excusing.signedAt),
    isSigned: heads.length > 0,
    newest,
    unsignedSince: await catalogue.auditTrail.timeAfter(newest?.line ?? 0),
    waiting,
    lost,
  };
}

async function doesFit(
  { catalogue: of, line, chain }: Head,
  identity: string,
  catalogue: CataloguePart<{ auditTrail: 'lines' }>,
): Promise<boolean> {
  if (of !== identity) return false;
  if (line === 0) return chain === chainStart;
  const [there] = await catalogue.auditTrail.lines(line, line, 1);

  return there?.chain === chain;
}

/** Each head names the one before it: what is missing between two was removed from all places. The oldest may have lost its own. */
function sequenceFaults(heads: readonly Found[]): string[] {
  const faults: string[] = [];
  for (const [index, { content }] of heads.entries()) {
    const before = heads[index - 1];
    if (before === undefined) continue;
    const { number, previous } = content;
    const follows = number === before.content.number + 1 && previous === before.sha256;
    if (!follows) faults.push(`head ${number} of the audit trail does not follow head ${before.content.number}`);
  }

  return faults;
}

async function unfitInWords(
  unfit: readonly Found[],
  identity: string,
  catalogue: CataloguePart<{ auditTrail: 'head' }>,
): Promise<string> {
  const last = unfit.at(-1)?.content;
  if (last === undefined) return '';
  const end = (await catalogue.auditTrail.head())?.id ?? 0;
  const what =
    last.catalogue !== identity
      ? 'the audit trail is that of another catalogue than was signed'
      : end < last.line
        ? `the audit trail ends at line ${end}, before what was signed`
        : `line ${last.line} of the audit trail is not the one that was signed`;
  const more = unfit.length === 1 ? '' : `, and ${unfit.length - 1} before it`;

  return (
    `${what} (${headInWords(last)}${more}): lines were cut off or rewritten, or an older catalogue was put back. ` +
    'If you put it back, preavis certificates replay --restored says so'
  );
}

const mostUntrusted = 1_000;
/** Copies whose signature is checked in vain; whoever writes there could take up the processor for hours. */
const mostChecked = 10_000;

type Collected = { found: Map<string, Found>; faults: string[] } & Pick<HeadsVerified, 'waiting' | 'lost'>;

/** All heads that there are, of the catalogue, the ledger and the archives, and what is wrong with them. */
async function collect(ports: TrailPorts, signal: AbortSignal): Promise<Collected> {
  const { catalogue, ledger, store, former = [], since, archiveCopies = 'read' } = ports;
  // Before the copies: those that are signed meanwhile are in these by then.
  const rows = await catalogue.chainHeads.list();
  const reader = makeReader(ports.trusts);
  for (const { jws, sha256, number, signedAt } of rows) {
    signal.throwIfAborted();
    // What the columns say was not signed.
    const isRight = ({ row }: ReadHead) => row.sha256 === sha256 && row.number === number && row.signedAt === signedAt;
    await reader.take(jws, 'catalogue', isRight);
  }
  const seen = { ledger: new Set<string>(), archive: new Set<string>() };
  for await (const { line } of ledger.lines(0)) {
    signal.throwIfAborted();
    if (typeOfSigned(line) !== headType) continue;
    const sha256 = sha256Of(line);
    if (reader.found.has(sha256) || (await reader.take(line, 'ledger'))) seen.ledger.add(sha256);
  }
  for (const each of store === undefined ? [] : [store, ...former]) {
    for await (const object of headObjects(each)) {
      signal.throwIfAborted();
      if (object === 'none') reader.invalid.archive += 1;
      else if (archiveCopies === 'listed' && reader.found.has(object.sha256)) seen.archive.add(object.sha256);
      else if (await reader.take((await object.read()) ?? '', 'archive')) seen.archive.add(object.sha256);
    }
  }
  const found = youngest(reader.found, since);
  const faults: string[] = [];
  const lost: Collected['lost'] = { ledger: [], archive: [] };
  for (const { sha256, inLedger, inArchive } of rows) {
    const name = found.get(sha256)?.content.number;
    if (name === undefined) continue;
    for (const place of ['ledger', 'archive'] as const) {
      const wasThere = place === 'ledger' ? inLedger : inArchive && store !== undefined;
      if (!wasThere || seen[place].has(sha256)) continue;
      lost[place].push(sha256);
      faults.push(`head ${name} of the audit trail is not in the ${place} any more`);
    }
  }
  const waiting = {
    ledger: rows.filter(({ inLedger }) => !inLedger).length,
    archive: rows.filter(({ inArchive }) => !inArchive).length,
  };

  return { found, faults: [...faults, ...inWords(reader)], waiting, lost };
}

type ReadHead = Awaited<ReturnType<typeof readHead>>;

type Reader = ReturnType<typeof makeReader>;

/** Sorts what lies in the three places. */
function makeReader(trusts: TrailPorts['trusts']) {
  /** Those of keys that are trusted, by their hash. */
  const found = new Map<string, Found>();
  /** How many say that they are of other keys, by these. */
  const untrusted = new Map<string, number>();
  const invalid = { ledger: 0, archive: 0, catalogue: 0 };
  /** What was counted; the same lies in several places. */
  const strangers = new Set<string>();
  let inVain = 0;

  return {
    found,
    untrusted,
    invalid,
    /** Whether it is a head of a key that is trusted. */
    take: async (jws: string, place: keyof typeof invalid, isRight: (read: ReadHead) => boolean = () => true) => {
      const sha256 = sha256Of(jws);
      if (found.has(sha256)) return true;
      const kid = claimedKid(jws);
      if (kid !== undefined && !(await trusts(kid))) {
        if (strangers.has(sha256)) return false;
        if (strangers.size < mostChecked) strangers.add(sha256);
        if (untrusted.has(kid) || untrusted.size < mostUntrusted) untrusted.set(kid, (untrusted.get(kid) ?? 0) + 1);
        return false;
      }
      const read = inVain >= mostChecked ? undefined : await readHead(jws).catch(() => undefined);
      if (read === undefined || !isRight(read)) invalid[place] += 1;
      if (read === undefined) {
        inVain += 1;
        return false;
      }
      found.set(sha256, { content: read.content, sha256 });

      return true;
    },
  };
}

/**
 * Those that are kept still, and all behind them. A clock that was wrong when one was signed takes it out of its row as little as
 * whoever writes to the catalogue: numbers are signed, and each names the one before it.
 */
function youngest(found: Reader['found'], since: number): Reader['found'] {
  const numbers = [...found.values()].map(({ content }) => content.number);
  const kept = [...found.values()]
    .filter(({ content }) => Date.parse(content.signedAt) >= since)
    .map(({ content }) => content.number);
  const first = Math.min(...kept, Math.max(0, ...numbers));

  return new Map([...found].filter(([, { content }]) => content.number >= first));
}

function inWords({ untrusted, invalid }: Reader): string[] {
  const ofStrangers = [...untrusted].map(
    ([kid, count]) =>
      `${counted(count, 'head of the audit trail was', 'heads of the audit trail were')} signed by the key ${kid}, which is not trusted`,
  );
  const unsigned = Object.entries(invalid)
    .filter(([, count]) => count > 0)
    .map(
      ([place, count]) =>
        `${counted(count, `head of the audit trail in the ${place} is`, `heads of the audit trail in the ${place} are`)} not what was signed`,
    );

  return [...ofStrangers, ...unsigned];
}
