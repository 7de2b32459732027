import type { AuditNote } from '../catalogue/retention/auditTrail.ts';
import type { Actor } from './actor.ts';
import type { Refusal } from './decide.ts';
import type { SearchGround } from './searchGrounds.ts';

/** Where the why is written down: the number of a ticket or of a file. Not a text, which may name somebody and stays for good. */
export const referenceForm = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$/;

/**
 * What was done, as far as no other part of Préavis writes it: holds, erasures and approvals have lines of their own, by `actor.name`.
 * No personal data: the trail is kept for good. `heard`: what the player has played, ms from the beginning of the recording.
 */
export type Step =
  | { did: 'signedIn'; by: 'password' | 'passwordAndCode' | 'signInCode' }
  | { did: 'signedIn'; by: 'openId'; rule: string }
  | { did: 'signedOut'; sessions: number }
  | { did: 'lockedOut'; minutes: number }
  | { did: 'searchedByNumber'; ground: SearchGround; reference?: string; found?: number }
  | { did: 'beganToListen'; purposes: readonly string[] }
  | { did: 'heard'; purposes: readonly string[]; ranges: readonly { fromMs: number; toMs: number }[] }
  | { did: 'annotated'; what: string }
  | { did: 'actedOnCall'; what: string }
  | { did: 'readAudit' }
  | { did: 'readErasure'; request: string }
  | { did: 'refused'; act: 'listen' | 'download' | 'makeEvidence'; reason: Refusal };

const refusedEvents = {
  listen: 'listening refused',
  download: 'download refused',
  makeEvidence: 'evidence refused',
} as const;

const eventOf = (step: Step): string => {
  switch (step.did) {
    case 'signedIn':
      return 'signed in';
    case 'signedOut':
      return 'signed out';
    case 'lockedOut':
      return 'locked out';
    case 'searchedByNumber':
      return 'searched by number';
    case 'beganToListen':
      return 'listening begun';
    case 'heard':
      return 'heard';
    case 'annotated':
      return 'annotated';
    case 'actedOnCall':
      return 'acted on call';
    case 'readAudit':
      return 'audit trail read';
    case 'readErasure':
      return 'answer to person read';
    case 'refused':
      return refusedEvents[step.act];
  }
};

/** Ranges that touch or overlap are one: whoever hears a second twice has heard one second of the recording. */
function joined(ranges: readonly { fromMs: number; toMs: number }[]): { fromMs: number; toMs: number }[] {
  const all: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of ranges.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else if (toMs > fromMs) all.push({ fromMs, toMs });
  }

  return all;
}

/** The line of the audit trail that tells of a step; of a recording, or of none. */
export function auditOf({ name, role }: Pick<Actor, 'name' | 'role'>, step: Step): AuditNote {
  const { did, ...facts } = step;
  const detail: Record<string, unknown> = { role, ...facts };
  if (did === 'heard') {
    const ranges = joined(step.ranges);
    const ms = ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    Object.assign(detail, { ranges, seconds: Math.round(ms / 1_000) });
  }

  return { event: eventOf(step), actor: name, detail };
}
