import type { Lock } from '../store/objectLock.ts';
import type { HoldGround } from '../catalogue/holdGrounds.ts';
import { isActive, type LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import type { PurposeEnd } from '../catalogue/rows.ts';
import type { RecordingStatus } from '../catalogue/statuses.ts';
import type { PurposeKind } from '../config/purposeKinds.ts';
import type { LockMode } from '../config/objectLockModes.ts';
import { purposesInForce } from '../archive/purposes.ts';

/**
 * Why a recording is not erased though the person asks for it. obligation: the law wants it kept (GDPR art. 17(3)(b)). evidence: it is
 * needed for legal claims (art. 17(3)(e)). unknown: the configuration no longer has the purpose, and so nobody can say which. lock: the
 * archive does not let go of it; whether the law has an exception is a matter of its purposes.
 */
export type Exception =
  | { ground: 'hold'; hold: HoldGround; until: number }
  | { ground: 'lock'; mode: LockMode; until: number }
  | { ground: 'obligation' | 'evidence' | 'unknown'; purpose: string };

const articleOfHold: Readonly<Record<HoldGround, string>> = {
  dispute: 'GDPR art. 17(3)(e)',
  authority: 'GDPR art. 17(3)(b)',
  restriction: 'GDPR art. 18',
};

/** Where the law has the exception; null for one that it does not know. */
export function articleOf(exception: Exception): string | null {
  switch (exception.ground) {
    case 'hold':
      return articleOfHold[exception.hold];
    case 'obligation':
      return 'GDPR art. 17(3)(b)';
    case 'evidence':
      return 'GDPR art. 17(3)(e)';
    case 'lock':
    case 'unknown':
      return null;
  }
}

/** `gone`: nothing of it is left. `lost`: its file is not there, and may be found again. */
export type ErasureDecision =
  | { kind: 'erase' }
  | {
      kind: 'keep';
      exceptions: readonly Exception[];
      /** The purposes that no exception is for: they end now. */
      ending: readonly string[];
    }
  | { kind: 'unfinished' | 'lost' | 'gone' };

export type ErasureSubject = {
  status: RecordingStatus;
  /** Those of its call. */
  purposes: readonly string[];
  ends: readonly PurposeEnd[];
  holds: readonly Pick<LegalHoldRow, 'ground' | 'expiresAt' | 'releasedAt'>[];
  lock: Lock | undefined;
};

export type ErasureRules = {
  /** undefined for a purpose that the configuration does not have. */
  kindOf: (purpose: string) => PurposeKind | undefined;
  /** Whether evidence is erased as well: whoever is responsible has weighed it. */
  includeEvidence: boolean;
};

/** What becomes of one recording whose person asks for erasure (GDPR art. 17), at this time. */
export function decideErasure(subject: ErasureSubject, rules: ErasureRules, at: number): ErasureDecision {
  const { status, purposes, ends, holds, lock } = subject;
  switch (status) {
    case 'recording':
      return { kind: 'unfinished' };
    case 'lost':
      return { kind: 'lost' };
    case 'erased':
    case 'discarded':
      return { kind: 'gone' };
    case 'recorded':
    case 'archived':
    case 'failed':
      break;
  }
  // What keeps nothing any more is no exception.
  const inForce = purposesInForce(status, purposes, ends, at);
  const ofPurposes = inForce.flatMap((purpose) => exceptionOf(purpose, rules));
  const exceptions = [...keepersAt({ holds, lock }, at), ...ofPurposes];
  if (exceptions.length === 0) return { kind: 'erase' };
  const excepted = new Set(ofPurposes.map(({ purpose }) => purpose));

  return {
    kind: 'keep',
    exceptions,
    ending: inForce.filter((purpose) => !excepted.has(purpose)),
  };
}

/** What keeps it whatever it was recorded for. */
export function keepersAt({ holds, lock }: Pick<ErasureSubject, 'holds' | 'lock'>, at: number): Exception[] {
  const ofHolds = holds
    .filter((hold) => isActive(hold, at))
    .map(({ ground, expiresAt }): Exception => ({ ground: 'hold', hold: ground, until: expiresAt }));

  return [...ofHolds, ...(lock === undefined || lock.until <= at ? [] : [{ ground: 'lock' as const, ...lock }])];
}

type PurposeException = Extract<Exception, { purpose: string }>;

function exceptionOf(purpose: string, { kindOf, includeEvidence }: ErasureRules): PurposeException[] {
  const kind = kindOf(purpose);
  switch (kind) {
    case 'training':
      return [];
    case 'evidence':
      return includeEvidence ? [] : [{ ground: 'evidence', purpose }];
    case 'obligation':
      return [{ ground: 'obligation', purpose }];
    case undefined:
      return [{ ground: 'unknown', purpose }];
  }
}
