import type { KeptCaller } from '../call/plan/callerStore.ts';
import { undefinedIfUnreadable, type CataloguePart } from '../catalogue/catalogue.ts';
import type { LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import type { CallRow, PurposeEnd, RecordingRow } from '../catalogue/rows.ts';
import type { CallId } from '../core/ids.ts';
import { pagesOf } from '../core/pages.ts';

/**
 * Who asks, and what their calls are found by. A caller, or whom the company called: the keyed hash of their number. An employee: the telephone
 * that they had, and when they had it; undefined: always.
 */
export type Person =
  | { kind: 'caller'; hash: string }
  | { kind: 'employee'; extension: string; begun: { from: number; to: number } | undefined };

/** What the catalogue has of a call of the person who asks. Of an employee's calls nobody is told whose number the other one has. */
export type PersonCall = { caller: KeptCaller | undefined; call: CallRow; recording: PersonRecording | undefined };
export type PersonRecording = { row: RecordingRow; ends: readonly PurposeEnd[]; holds: readonly LegalHoldRow[] };
/** `unreadable`: a row of it does not have its form. */
export type FoundCall = ({ kind: 'call' } & PersonCall) | { kind: 'unreadable'; id: CallId };

export type FindPorts = CataloguePart<{
  callers: 'callsOf';
  extensions: 'callsOf';
  calls: 'find' | 'controllerOf';
  recordings: 'ofCall' | 'purposeEnds';
  legalHolds: 'of';
}>;

const batch = 200;

/** What is kept of whose call it was, by the call. */
type Found = { id: CallId; caller: KeptCaller | undefined };

function page(catalogue: FindPorts, person: Person): (after: string, limit: number) => Promise<Found[]> {
  switch (person.kind) {
    case 'caller':
      return async (after, limit) =>
        (await catalogue.callers.callsOf(person.hash, after, limit)).map((caller) => ({ id: caller.call, caller }));
    case 'employee':
      return async (after, limit) =>
        (await catalogue.extensions.callsOf(person.extension, after, limit)).map((id) => ({ id, caller: undefined }));
  }
}

/**
 * The calls of one person, the oldest first.
 * @param controller only those of this one of `controllers`, null for those of none; undefined for all
 */
export async function* callsOfPerson(
  catalogue: FindPorts,
  person: Person,
  controller?: string | null,
): AsyncGenerator<FoundCall> {
  for await (const found of pagesOf(batch, '', page(catalogue, person), ({ id }) => id)) {
    for (const each of found) {
      if (controller !== undefined && !(await isOf(controller, each, catalogue))) continue;
      const call = await callOf(each, catalogue).catch(undefinedIfUnreadable);
      if (call === undefined) yield { kind: 'unreadable', id: each.id };
      else if (isInTime(call, person)) yield { kind: 'call', ...call };
    }
  }
}

function isInTime({ call: { startedAt } }: PersonCall, person: Person): boolean {
  if (person.kind === 'caller' || person.begun === undefined) return true;

  return startedAt >= person.begun.from && startedAt < person.begun.to;
}

/** One that is not known to be of another company is looked at. */
async function isOf(controller: string | null, { id }: Found, { calls }: FindPorts): Promise<boolean> {
  const named = await calls.controllerOf(id).catch(undefinedIfUnreadable);

  return named === undefined || named === controller;
}

async function callOf({ id, caller }: Found, catalogue: FindPorts): Promise<PersonCall | undefined> {
  const call = await catalogue.calls.find(id);
  if (call === undefined) return undefined;
  const row = await catalogue.recordings.ofCall(id);
  if (row === undefined) return { caller, call, recording: undefined };
  const [ends, holds] = [await catalogue.recordings.purposeEnds(row.id), await catalogue.legalHolds.of(row.id)];

  return { caller, call, recording: { row, ends, holds } };
}
