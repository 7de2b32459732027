import { setImmediate as breathe } from 'node:timers/promises';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { DecisionEffect, DecisionKind, DecisionRow, SignedDecision } from '../catalogue/retention/decisions.ts';
import type { ShortenBasis } from '../catalogue/calls/recordings.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { sha256Of } from '../core/crypto/sha256.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { pagesOf } from '../core/pages.ts';
import { claimedKid, type Signer } from '../core/crypto/signing.ts';
import { blindedCaller, isDecision, issueDecision, mostInDecision, readDecision, type Decision } from './decision.ts';
import { missingFrom, type Ledger } from './certificates/ledger.ts';

/**
 * Erases what has no certificate: whose a call was, which telephone was in it, a remembered language, the time of a purpose. Each such decision is signed before
 * it is done, kept by the catalogue in one step with what it does, and then put into the ledger.
 */
export type DecisionPorts = {
  catalogue: CataloguePart<{ decisions: 'carryOut' | 'forgettableCalls' | 'languagesKept' }>;
  signer: () => Promise<Signer>;
  /** A new ULID. */
  newId: () => string;
  clock: Clock;
  /** How long a decision is needed that has no end of its own, ms. */
  decisionsKeptMs: number;
  /** Who decides, for the audit trail. */
  actor: string;
};

type ShorterEnd = { recording: RecordingId; purpose: string; to: number };

/** Its methods throw PreavisError `signing_key_unusable` and what the catalogue throws; what was done by then stays done. */
export type Decisions = {
  /**
   * Whose the calls of this caller were that have ended and that no recording is left of; how many.
   * @param controller only calls of this one of `controllers`, null for those of none; undefined for all
   */
  forgetCaller(hash: string, controller?: string | null): Promise<number>;
  /** Which telephone of the house was in these calls. */
  forgetExtensions(calls: readonly CallId[]): Promise<void>;
  /** Which number of the company was dialled in these calls. */
  forgetNumbers(calls: readonly CallId[]): Promise<void>;
  /** The language that this caller chose, or all callers; how many. */
  forgetLanguages(caller: string | undefined): Promise<number>;
  /** Puts ends of purposes forward, never back. */
  shorten(ends: readonly ShorterEnd[], basis: ShortenBasis): Promise<void>;
  /** The same, signed and still to be done: by who does it in one step with something else. */
  signShortening(ends: readonly ShorterEnd[], basis: ShortenBasis): Promise<SignedDecision[]>;
};

/** What one decision has room for. */
function partsOf<T>(all: readonly T[]): T[][] {
  const starts = Array.from({ length: Math.ceil(all.length / mostInDecision) }, (_, index) => index * mostInDecision);

  return starts.map((start) => all.slice(start, start + mostInDecision));
}

/** What is decided and what it does, for as many decisions as it takes. */
function shortenings(
  ends: readonly ShorterEnd[],
  basis: ShortenBasis,
): { what: Decision['what']; effect: DecisionEffect }[] {
  return partsOf(ends).map((part) => {
    const kind = 'purposesShortened';
    const signed = part.map(({ to, ...end }) => ({ ...end, to: isoTime(to) }));

    return { what: { kind, basis, ends: signed }, effect: { kind, basis, ends: part } };
  });
}

export function makeDecisions({ catalogue, signer, newId, clock, ...ports }: DecisionPorts): Decisions {
  const { decisionsKeptMs, actor } = ports;
  const sign = async (
    what: Decision['what'],
    effect: DecisionEffect,
    neededUntil?: number,
  ): Promise<SignedDecision> => {
    const at = clock.now();
    const until = isoTime(neededUntil ?? at + decisionsKeptMs);
    const content: Decision = { decision: 1, id: newId(), decidedAt: isoTime(at), neededUntil: until, what };

    return { decision: await issueDecision(content, await signer()), effect };
  };
  const decide = async (...given: Parameters<typeof sign>): Promise<void> => {
    const { decision, effect } = await sign(...given);
    await catalogue.decisions.carryOut(decision, effect, { from: 'decided' }, actor);
  };
  const forgetInParts = async (
    kind: 'extensionsForgotten' | 'numbersForgotten',
    calls: readonly CallId[],
  ): Promise<void> => {
    for (const part of partsOf(calls)) await decide({ kind, calls: part }, { kind, calls: part });
  };

  return {
    forgetCaller: async (hash, controller) => {
      for (let forgotten = 0; ;) {
        const calls = await catalogue.decisions.forgettableCalls(hash, mostInDecision, controller);
        if (calls.length === 0) return forgotten;
        const kind = 'callersForgotten';
        await decide({ kind, calls: [...calls] }, { kind, calls });
        forgotten += calls.length;
      }
    },
    forgetExtensions: (calls) => forgetInParts('extensionsForgotten', calls),
    forgetNumbers: (calls) => forgetInParts('numbersForgotten', calls),
    forgetLanguages: async (caller) => {
      const { count, last } = await catalogue.decisions.languagesKept(caller);
      if (count === 0) return 0;
      const kind = 'languagesForgotten';
      const callers = caller === undefined ? 'all' : [caller];
      const what = { kind, caller: caller === undefined ? null : blindedCaller(caller) } as const;
      // By then every earlier choice has come to its own end, but for those from when languages were remembered for longer: of them
      // nobody knows any more, and a backup from then brings them back (docs/operations/certificates.md, Decisions).
      await decide(what, { kind, callers }, Math.max(last ?? 0, clock.now() + 1));

      return count;
    },
    shorten: async (ends, basis) => {
      for (const { what, effect } of shortenings(ends, basis)) await decide(what, effect);
    },
    signShortening: async (ends, basis) => {
      const signed: SignedDecision[] = [];
      for (const { what, effect } of shortenings(ends, basis)) signed.push(await sign(what, effect));

      return signed;
    },
  };
}

const batch = 200;

/** Puts the decisions that are only in the catalogue into the ledger. Throws ledger_unusable, and what the catalogue throws. */
export async function copyDecisions({
  catalogue,
  ledger,
}: {
  catalogue: CataloguePart<{ decisions: 'withoutLedger' | 'noteInLedger' }>;
  ledger: Ledger;
}): Promise<void> {
  for (;;) {
    const rows = await catalogue.decisions.withoutLedger(batch);
    for (const { jws, sha256 } of rows) {
      await ledger.append(jws);
      await catalogue.decisions.noteInLedger(sha256, true);
    }
    if (rows.length < batch) return;
  }
}

export type DecisionReplayPorts = {
  catalogue: CataloguePart<{ decisions: 'isKnown' | 'carryOut' | 'callersWithLanguage'; passes: 'note' }>;
  /** Whether a key is one of ours: what another one has signed erases nothing. */
  trusts: (kid: string) => Promise<boolean>;
  actor: string;
  clock: Clock;
};

/**
 * What a line of the ledger is to this catalogue. `unknown`: it was decided after the state that this one is, and `carryOut` does it
 * again; false where another process did. Only what a trusted key has signed is ever carried out.
 */
export type FoundDecision =
  | { state: 'invalid' }
  | { state: 'known' }
  /** Nothing is left that it could be needed for. */
  | { state: 'over' }
  | { state: 'untrusted'; kid: string }
  | { state: 'unknown'; kind: DecisionKind; sha256: string; carryOut(): Promise<boolean> };

export async function findDecision(line: string, ports: DecisionReplayPorts): Promise<FoundDecision> {
  if (await ports.catalogue.decisions.isKnown(sha256Of(line))) return { state: 'known' };
  const kid = claimedKid(line);
  if (kid !== undefined && !(await ports.trusts(kid))) return { state: 'untrusted', kid };
  const read = await readDecision(line);
  if (read === undefined) return { state: 'invalid' };
  const { row, content } = read;
  const { kind, sha256 } = row;
  if (row.neededUntil <= ports.clock.now()) return { state: 'over' };
  const carryOut = async (): Promise<boolean> => {
    const { catalogue, actor, clock } = ports;
    const effect = await effectOf(content.what, catalogue);

    return catalogue.decisions.carryOut(row, effect, { from: 'replayed', at: clock.now() }, actor);
  };

  return { state: 'unknown', kind, sha256, carryOut };
}

async function effectOf(what: Decision['what'], catalogue: DecisionReplayPorts['catalogue']): Promise<DecisionEffect> {
  switch (what.kind) {
    case 'callersForgotten':
    case 'extensionsForgotten':
    case 'numbersForgotten':
      return { kind: what.kind, calls: what.calls as CallId[] };
    case 'languagesForgotten':
      return { kind: what.kind, callers: what.caller === null ? 'all' : await callersOf(what.caller, catalogue) };
    case 'purposesShortened': {
      const ends = what.ends.map(({ recording, purpose, to }) => ({
        recording: recording as RecordingId,
        purpose,
        to: Date.parse(to),
      }));

      return { kind: what.kind, basis: what.basis, ends };
    }
  }
}

/** In parts, since calls go on beside it. */
async function callersOf(
  blinded: string,
  catalogue: CataloguePart<{ decisions: 'callersWithLanguage' }>,
): Promise<string[]> {
  const found: string[] = [];
  for await (const callers of pagesOf(batch, '', catalogue.decisions.callersWithLanguage, (last) => last)) {
    found.push(...callers.filter((caller) => blindedCaller(caller) === blinded));
    await breathe();
  }

  return found;
}

/** Whoever may write to the ledger could keep a check busy for hours. */
const mostStray = 10_000;

/** The decisions of the ledger that this catalogue does not know, and lines that say they are decisions and are none; 10,000 at most. */
export async function* strayDecisions(
  ports: DecisionReplayPorts & { ledger: Ledger },
  signal?: AbortSignal,
): AsyncGenerator<Exclude<FoundDecision, { state: 'known' | 'over' }>> {
  let stray = 0;
  for await (const { line } of ports.ledger.lines(0)) {
    signal?.throwIfAborted();
    if (!isDecision(line)) continue;
    const found = await findDecision(line, ports);
    if (found.state === 'known' || found.state === 'over') continue;
    if ((stray += 1) > mostStray) return;
    yield found;
  }
}

/** Decisions that were put into the ledger and are not in it any more. */
export async function* lostDecisions({
  catalogue,
  ledger,
  clock,
}: {
  catalogue: CataloguePart<{ decisions: 'listBeyond' }>;
  ledger: Ledger;
  clock: Clock;
}): AsyncGenerator<Pick<DecisionRow, 'sha256' | 'kind'>> {
  const noted = async function* () {
    for await (const rows of pagesOf(batch, '', catalogue.decisions.listBeyond, ({ sha256 }) => sha256)) {
      for (const { sha256, kind, inLedger, neededUntil } of rows) {
        if (inLedger && neededUntil > clock.now()) yield { sha256, kind };
      }
    }
  };
  yield* missingFrom(ledger, noted());
}

/** What is wrong with the decisions of the ledger, for people. */
export async function* decisionFaults(
  ports: DecisionReplayPorts & { catalogue: CataloguePart<{ decisions: 'listBeyond' }>; ledger: Ledger },
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const found of strayDecisions(ports, signal)) {
    switch (found.state) {
      case 'invalid':
        yield 'a line of the ledger says that it is a decision, and is none';
        break;
      case 'untrusted':
        yield `a decision in the ledger was signed by the key ${found.kid}, which is not trusted`;
        break;
      case 'unknown':
        yield `only the ledger has a decision (${found.kind}): preavis certificates replay mends it`;
    }
  }
  for await (const { kind } of lostDecisions(ports)) yield `a decision (${kind}) is not in the ledger any more`;
}

/** Removes the decisions that are needed no more, from the ledger and then from the catalogue; how many. */
export async function removeOverDecisions(
  { catalogue, ledger }: { catalogue: CataloguePart<{ decisions: 'over' | 'remove' }>; ledger: Ledger },
  at: number,
): Promise<number> {
  let removed = 0;
  for (;;) {
    const rows = await catalogue.decisions.over(at, batch);
    if (rows.length === 0) return removed;
    await ledger.prune(async (line) => {
      const read = isDecision(line) ? await readDecision(line) : undefined;

      return read === undefined || read.row.neededUntil > at;
    });
    for (const { sha256 } of rows) await catalogue.decisions.remove(sha256);
    removed += rows.length;
  }
}
