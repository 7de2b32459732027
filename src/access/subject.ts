import { endsWhileHeld } from '../archive/purposes.ts';
import type { ApprovalRow } from '../catalogue/access/approvals.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { CallRow, PurposeEnd, RecordingRow } from '../catalogue/rows.ts';
import type { Config } from '../config/schema.ts';
import { makeHoldsAllowed, purposeOf } from '../config/purposeRules.ts';
import { isUlid, type CallId } from '../core/ids.ts';
import type { Subject } from './actor.ts';

/** What a call is, as far as it decides who may see and hear it. */

export type SubjectFacts = {
  line: string | null;
  controller?: string | null | undefined;
  extension: string | null;
  /** Those of the call. */
  purposes: readonly string[];
  /** awaited: the call goes on, and has none yet. none: it is over, and was not recorded. */
  recording: (Pick<RecordingRow, 'status'> & { ends: readonly PurposeEnd[] }) | 'awaited' | 'none';
};

/** Purposes that are configured no more name nobody: their recordings are kept until their end, and heard by no one. */
export function subjectOf(
  { line, controller, extension, purposes, recording }: SubjectFacts,
  { purposes: configured, access }: Pick<Config, 'purposes' | 'access'>,
  approvals: readonly Pick<ApprovalRow, 'purpose' | 'decidedAt' | 'endsAt'>[],
): Subject {
  const endOf = (name: string): number => {
    if (recording === 'none') return 0;
    if (recording === 'awaited' || recording.status === 'recording') return Infinity;

    return recording.ends.find(({ purpose }) => purpose === name)?.keepUntil ?? 0;
  };

  return {
    line,
    controller,
    extension,
    purposes: purposes.map((name) => ({
      name,
      keepUntil: endOf(name),
      mayListen: purposeOf(configured, name)?.mayListen ?? [],
      needsApproval: access.approvalFor.includes(name),
    })),
    status: recording === 'none' ? 'none' : recording === 'awaited' ? 'recording' : recording.status,
    approvals: approvals.flatMap(({ purpose, decidedAt, endsAt }) =>
      decidedAt === null || endsAt === null ? [] : [{ purpose, since: decidedAt, until: endsAt }],
    ),
  };
}

/** A call as far as the catalogue knows it; `ends` of its recording, holds taken into account. */
export type CallFacts = {
  call: CallRow;
  extension: string | null;
  recording: Pick<RecordingRow, 'id' | 'status'> | undefined;
  ends: readonly PurposeEnd[];
};

/** @param asker the actor's name: approvals are of one */
export async function subjectFor(
  { catalogue, config }: { catalogue: CataloguePart<{ approvals: 'of' }>; config: Pick<Config, 'purposes' | 'access'> },
  facts: CallFacts,
  asker: string,
): Promise<Subject> {
  const { recording } = facts;

  return subjectBy(facts, config, recording === undefined ? [] : await catalogue.approvals.of(recording.id, asker));
}

/** @param approvals of whoever asks */
export function subjectBy(
  { call, extension, recording, ends }: CallFacts,
  config: Pick<Config, 'purposes' | 'access'>,
  approvals: readonly Pick<ApprovalRow, 'purpose' | 'decidedAt' | 'endsAt'>[],
): Subject {
  const { line, controller, purposes, phase } = call;
  const unrecorded = phase === 'ended' ? ('none' as const) : ('awaited' as const);
  const ofRecording = recording === undefined ? unrecorded : { status: recording.status, ends };

  return subjectOf({ line, controller, extension, purposes, recording: ofRecording }, config, approvals);
}

export type SubjectPorts = {
  catalogue: CataloguePart<{
    recordings: 'find' | 'purposeEnds';
    calls: 'find';
    legalHolds: 'of';
    approvals: 'of';
  }>;
  config: Pick<Config, 'purposes' | 'access'>;
  /** Which extension had the call, as far as that is known. */
  extensionOf: (call: CallId) => Promise<string | null>;
};

export type FoundSubject = { recording: RecordingRow; call: CallRow; subject: Subject };

/**
 * A recording as it is now, for somebody; undefined: there is none. To be asked anew for each part of it that is handed out.
 *
 * @param asker the actor's name
 * @param at ms since 1970 UTC
 */
export async function findSubject(
  { catalogue, config, extensionOf }: SubjectPorts,
  id: string,
  asker: string,
  at: number,
): Promise<FoundSubject | undefined> {
  const recording = isUlid(id) ? await catalogue.recordings.find(id) : undefined;
  const call = recording === undefined ? undefined : await catalogue.calls.find(recording.callId);
  if (recording === undefined || call === undefined) return undefined;
  const holds = await catalogue.legalHolds.of(recording.id);
  const ends = endsWhileHeld(await catalogue.recordings.purposeEnds(recording.id), holds, makeHoldsAllowed(config), at);
  const facts = { call, extension: await extensionOf(call.id), recording, ends };

  return { recording, call, subject: await subjectFor({ catalogue, config }, facts, asker) };
}
