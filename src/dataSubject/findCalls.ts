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
  | {
      kind: 'employee';
      extension: string;
      /** Their direct number, as it is kept: somebody else may have answered what was dialled. */
      direct?: string | undefined;
      begun: { from: number; to: number } | undefined;
    };
type Employee = Extract<Person, { kind: 'employee' }>;

/** A call of a direct number: that it was dialled, and when, is of whoever has it. What was said is of who answered. */
export type DirectCall = { id: CallId; startedAt: number; line: string | null; isOver: boolean };

/** What the catalogue has of a call of the person who asks. Of an employee's calls nobody is told whose number the other one has. */
export type PersonCall = {
  caller: KeptCaller | undefined;
  call: CallRow;
  /** The number of the company that the caller dialled; undefined where that is not kept. */
  dialled: string | undefined;
  recording: PersonRecording | undefined;
};
export type PersonRecording = { row: RecordingRow; ends: readonly PurposeEnd[]; holds: readonly LegalHoldRow[] };
/** `unreadable`: a row of it does not have its form. */
export type FoundCall = ({ kind: 'call' } & PersonCall) | { kind: 'unreadable'; id: CallId };

export type FindPorts = CataloguePart<{
  callers: 'callsOf';
  extensions: 'callsOf';
  dialled: 'of' | 'callsOf';
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

/** The calls in which their direct number was dialled, the oldest first, whoever answered. A row that cannot be read tells nothing. */
export async function* callsToDirect(
  catalogue: FindPorts,
  person: Employee,
  controller?: string | null,
): AsyncGenerator<DirectCall> {
  const { direct } = person;
  if (direct === undefined) return;
  const numbers = (after: string, limit: number): Promise<CallId[]> => catalogue.dialled.callsOf(direct, after, limit);
  for await (const found of pagesOf(batch, '', numbers, (id) => id)) {
    for (const id of found) {
      const call = await catalogue.calls.find(id).catch(undefinedIfUnreadable);
      if (call === undefined || (controller !== undefined && call.controller !== controller)) continue;
      const { startedAt, line, phase } = call;
      if (isBegunIn(startedAt, person)) yield { id, startedAt, line, isOver: phase === 'ended' };
    }
  }
}

const isBegunIn = (startedAt: number, { begun }: Employee): boolean =>
  begun === undefined || (startedAt >= begun.from && startedAt < begun.to);

function isInTime({ call: { startedAt } }: PersonCall, person: Person): boolean {
  return person.kind === 'caller' || isBegunIn(startedAt, person);
}

/** One that is not known to be of another company is looked at. */
async function isOf(controller: string | null, { id }: Found, { calls }: FindPorts): Promise<boolean> {
  const named = await calls.controllerOf(id).catch(undefinedIfUnreadable);

  return named === undefined || named === controller;
}

async function callOf({ id, caller }: Found, catalogue: FindPorts): Promise<PersonCall | undefined> {
  const call = await catalogue.calls.find(id);
  if (call === undefined) return undefined;
  const dialled = await catalogue.dialled.of(id);
  const row = await catalogue.recordings.ofCall(id);
  if (row === undefined) return { caller, call, dialled, recording: undefined };
  const [ends, holds] = [await catalogue.recordings.purposeEnds(row.id), await catalogue.legalHolds.of(row.id)];

  return { caller, call, dialled, recording: { row, ends, holds } };
}
