import type { ObjectStore } from '../archive/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { CopyPlace } from '../catalogue/erasures.ts';
import { chainStart, linkOf } from '../core/chain.ts';
import { counted } from '../core/counted.ts';
import { sha256Of } from '../core/sha256.ts';
import { typeOfSigned } from '../core/signing.ts';
import { headInWords, headType, readHead, type Head } from './chainHead.ts';
import { headObjects } from './keepHeads.ts';
import type { Ledger } from './ledger.ts';

/** Whether the audit trail is what was written: each line follows from the one before it, and the signed heads fit it. */
export type TrailPorts = {
  catalogue: Pick<Catalogue, 'auditLines' | 'auditHead' | 'auditTimeAfter' | 'identity' | 'heads' | 'isHeadKnown'>;
  ledger: Ledger;
  /** undefined: the archive is not asked. */
  store: Pick<ObjectStore, 'keysBelow' | 'versions' | 'read'> | undefined;
  /** From when on heads are kept, ms since 1970 UTC: older ones may be gone. */
  since: number;
  trusts: (kid: string) => Promise<boolean>;
};

export type LineFault = { recording: string; fault: string };

const pageOfLines = 1_000;

/** The lines that are not what was written. One that was taken out shows at the next. Throws the signal's reason. */
export async function* lineFaults(
  catalogue: Pick<Catalogue, 'auditLines'>,
  signal: AbortSignal,
): AsyncGenerator<LineFault> {
  // SQLite takes ids that it never gives.
  for (const [from, to] of [
    [-Infinity, 0],
    [Number.MAX_SAFE_INTEGER + 1, Infinity],
  ] as const) {
    for (const { id, recording } of await catalogue.auditLines(from, to, pageOfLines)) {
      yield { recording, fault: `line ${id} of the audit trail was put in by hand` };
    }
  }
  let chain: string | undefined;
  for (let from = 1; ;) {
    const lines = await catalogue.auditLines(from, Number.MAX_SAFE_INTEGER, pageOfLines);
    for (const line of lines) {
      signal.throwIfAborted();
      const { id, recording } = line;
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
    const last = lines.at(-1);
    if (last === undefined || lines.length < pageOfLines) return;
    from = last.id + 1;
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
  const identity = await catalogue.identity();
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
    newest,
    unsignedSince: await catalogue.auditTimeAfter(newest?.line ?? 0),
    waiting,
    lost,
  };
}

async function doesFit(
  { catalogue: of, line, chain }: Head,
  identity: string,
  catalogue: Pick<Catalogue, 'auditLines'>,
): Promise<boolean> {
  if (of !== identity) return false;
  if (line === 0) return chain === chainStart;
  const [there] = await catalogue.auditLines(line, line, 1);

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
  catalogue: Pick<Catalogue, 'auditHead'>,
): Promise<string> {
  const last = unfit.at(-1)?.content;
  if (last === undefined) return '';
  const end = (await catalogue.auditHead())?.id ?? 0;
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

type Collected = { found: Map<string, Found>; faults: string[] } & Pick<HeadsVerified, 'waiting' | 'lost'>;

/** All heads that there are, of the catalogue, the ledger and the archive, and what is wrong with them. */
async function collect(ports: TrailPorts, signal: AbortSignal): Promise<Collected> {
  const { catalogue, ledger, store, since, trusts } = ports;
  // Before the copies: those that are signed meanwhile are in these by then.
  const rows = (await catalogue.heads()).filter(({ signedAt }) => signedAt >= since);
  const found = new Map<string, Found>();
  const faults: string[] = [];
  const untrusted = new Map<string, number>();
  const seen = { ledger: new Set<string>(), archive: new Set<string>() };
  const lost: Collected['lost'] = { ledger: [], archive: [] };
  const invalid = { ledger: 0, archive: 0, catalogue: 0 };
  const take = async (jws: string, place: keyof typeof invalid): Promise<void> => {
    const read = await readHead(jws).catch(() => undefined);
    if (read === undefined) {
      invalid[place] += 1;
      return;
    }
    const { content, kid, row } = read;
    if (row.signedAt < since) return;
    if (await trusts(kid)) found.set(row.sha256, { content, sha256: row.sha256 });
    else if (untrusted.size < mostUntrusted) untrusted.set(kid, (untrusted.get(kid) ?? 0) + 1);
  };
  for await (const { line } of ledger.lines(0)) {
    signal.throwIfAborted();
    if (typeOfSigned(line) !== headType) continue;
    const sha256 = sha256Of(line);
    if (await catalogue.isHeadKnown(sha256)) seen.ledger.add(sha256);
    else await take(line, 'ledger');
  }
  for await (const object of store === undefined ? [] : headObjects(store)) {
    signal.throwIfAborted();
    if (object !== 'none' && (await catalogue.isHeadKnown(object.sha256))) seen.archive.add(object.sha256);
    else if (object !== 'none' && !found.has(object.sha256)) await take((await object.read()) ?? '', 'archive');
    else if (object === 'none') invalid.archive += 1;
  }
  for (const { jws, sha256, inLedger, inArchive } of rows) {
    signal.throwIfAborted();
    if (sha256Of(jws) !== sha256) invalid.catalogue += 1;
    else await take(jws, 'catalogue');
    const name = found.get(sha256)?.content.number;
    if (name === undefined) continue;
    for (const place of ['ledger', 'archive'] as const) {
      const wasThere = place === 'ledger' ? inLedger : inArchive && store !== undefined;
      if (!wasThere || seen[place].has(sha256)) continue;
      lost[place].push(sha256);
      faults.push(`head ${name} of the audit trail is not in the ${place} any more`);
    }
  }
  for (const [kid, count] of untrusted) {
    faults.push(
      `${counted(count, 'head of the audit trail was', 'heads of the audit trail were')} signed by the key ${kid}, which is not trusted`,
    );
  }
  for (const [place, count] of Object.entries(invalid)) {
    if (count > 0)
      faults.push(
        `${counted(count, `head of the audit trail in the ${place} is`, `heads of the audit trail in the ${place} are`)} not what was signed`,
      );
  }
  const waiting = {
    ledger: rows.filter(({ inLedger }) => !inLedger).length,
    archive: rows.filter(({ inArchive }) => !inArchive).length,
  };

  return { found, faults, waiting, lost };
}
