import type { Act, Actor } from '../access/actor.ts';
import { auditOf } from '../access/audit.ts';
import { decideAccess, type Decision } from '../access/decide.ts';
import { subjectBy, subjectFor, type CallFacts } from '../access/subject.ts';
import { endsWhileHeld } from '../archive/purposes.ts';
import type { Listing } from '../catalogue/calls/listings.ts';
import { isActive, type LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import type { CallRow, RecordingRow } from '../catalogue/rows.ts';
import { makeHoldsAllowed } from '../config/purposeRules.ts';
import { isUlid, type CallId } from '../core/ids.ts';
import { PreavisError } from '../core/errors.ts';
import type { Credentials, WebPorts } from './ports.ts';
import { refusal } from './problems.ts';

/** A call as the API knows it: with its recording, if it has one, and all that access depends on. */
export type KnownCall = CallFacts & {
  recording: RecordingRow | undefined;
  holds: readonly LegalHoldRow[];
  isHeld: boolean;
  /** When somebody decided to erase it, while it is not erased yet, ms since 1970 UTC. */
  erasureDecidedAt: number | undefined;
  /** The number of the company that the caller dialled. */
  dialled: string | null;
};
export type KnownRecording = KnownCall & { recording: RecordingRow };
/** A call of a list. */
export type ListedCall = CallFacts &
  Pick<Listing, 'recording' | 'dialled' | 'isExemplary' | 'erasureDecidedAt' | 'written'> & {
    holds: readonly LegalHoldRow[];
    isHeld: boolean;
  };

type SubjectPorts = Pick<WebPorts, 'catalogue' | 'config' | 'clock'>;

async function withRecording(
  { catalogue, config, clock }: SubjectPorts,
  call: CallRow,
  recording: RecordingRow | undefined,
): Promise<KnownCall> {
  const extension = (await catalogue.extensions.of(call.id)) ?? null;
  const dialled = (await catalogue.dialled.of(call.id)) ?? null;
  const known = { call, extension, dialled };
  const nothing = { ends: [], holds: [], isHeld: false, erasureDecidedAt: undefined };
  if (recording === undefined) return { ...known, recording, ...nothing };
  const at = clock.now();
  const holds = await catalogue.legalHolds.of(recording.id);
  const ends = endsWhileHeld(await catalogue.recordings.purposeEnds(recording.id), holds, makeHoldsAllowed(config), at);

  const erasureDecidedAt = await catalogue.askedErasures.askedAt(recording.id);

  return { ...known, recording, ends, holds, isHeld: holds.some((hold) => isActive(hold, at)), erasureDecidedAt };
}

/** undefined for an id that no call has. */
export async function knownCall(ports: SubjectPorts, id: string): Promise<KnownCall | undefined> {
  const call = isUlid(id) ? await ports.catalogue.calls.find(id as CallId) : undefined;
  if (call === undefined) return undefined;

  return withRecording(ports, call, await ports.catalogue.recordings.ofCall(call.id));
}

/** undefined for an id that no recording has. */
export async function knownRecording(ports: SubjectPorts, id: string): Promise<KnownRecording | undefined> {
  const recording = isUlid(id) ? await ports.catalogue.recordings.find(id) : undefined;
  const call = recording && (await ports.catalogue.calls.find(recording.callId));
  if (recording === undefined || call === undefined) return undefined;

  return { ...(await withRecording(ports, call, recording)), recording };
}

/** Those of these calls that the actor may see in a list, in their order. */
export async function listedCalls(
  { catalogue, config, clock }: SubjectPorts,
  actor: Actor,
  ids: readonly CallId[],
): Promise<ListedCall[]> {
  const at = clock.now();
  const holdsAllowed = makeHoldsAllowed(config);
  const all = await catalogue.listings.of(ids, actor.name);

  return all.flatMap(({ holds, approvals, ...kept }) => {
    const ends = endsWhileHeld(kept.ends, holds, holdsAllowed, at);
    const isHeld = holds.some((hold) => isActive(hold, at));
    const listed = { ...kept, ends, holds, isHeld };

    return decideAccess(actor, 'list', subjectBy(listed, config, approvals), at).allowed ? [listed] : [];
  });
}

/** Whether the actor may do this with the call now. */
export async function decided(ports: SubjectPorts, actor: Actor, act: Act, known: CallFacts): Promise<Decision> {
  const subject = await subjectFor(ports, known, actor.name);

  return decideAccess(actor, act, subject, ports.clock.now());
}

/** Who asked, as they are now: what took long is for who is still signed in. Throws sign_in_needed. */
export async function stillSignedIn(
  { name }: Actor,
  credentials: Credentials,
  { access }: Pick<WebPorts, 'access'>,
): Promise<Actor> {
  const now = await access.actorOf(credentials);
  if (now?.name !== name) throw new PreavisError('sign_in_needed', 'the session has ended');

  return now;
}

export type Allowed<Known> = Known & { by: Extract<Decision, { allowed: true }>['by'] };

/**
 * The call or recording, if the actor may do this with it.
 *
 * @param known undefined: there is none, which is told in the same way as that it is not theirs
 * @throws PreavisError `address_unknown`, `access_refused`, or why it cannot be heard
 */
export async function allowed<Known extends KnownCall>(
  ports: SubjectPorts,
  actor: Actor,
  act: Act,
  known: Known | undefined,
): Promise<Allowed<Known>> {
  if (known === undefined) {
    // A role that may never do this is told so, whether there is one or not: else who may not learns by it what there is.
    const atAll = decideAccess(actor, act, undefined, ports.clock.now());
    throw refusal(!atAll.allowed && atAll.reason === 'role' ? 'role' : 'outOfScope');
  }
  const decision = await decided(ports, actor, act, known);
  if (!decision.allowed) {
    const { reason } = decision;
    const isHearing = act === 'listen' || act === 'download' || act === 'makeEvidence';
    if (isHearing && known.recording !== undefined && reason !== 'outOfScope') {
      const step = auditOf(actor, { did: 'refused', act, reason });
      await ports.catalogue.auditTrail.append(known.recording.id, step);
    }
    throw refusal(reason);
  }

  return { ...known, by: decision.by };
}
