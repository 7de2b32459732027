import type { KeptCaller } from '../call/plan/callerStore.ts';
import { undefinedIfUnreadable, type CataloguePart } from '../catalogue/catalogue.ts';
import type { LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import type { CallRow, PurposeEnd, RecordingRow } from '../catalogue/rows.ts';
import type { CallId } from '../core/ids.ts';
import { pagesOf } from '../core/pages.ts';

/** What the catalogue has of a call of the person who asks. */
export type PersonCall = { caller: KeptCaller; call: CallRow; recording: PersonRecording | undefined };
export type PersonRecording = { row: RecordingRow; ends: readonly PurposeEnd[]; holds: readonly LegalHoldRow[] };
/** `unreadable`: a row of it does not have its form. */
export type FoundCall = ({ kind: 'call' } & PersonCall) | { kind: 'unreadable'; id: CallId };

export type FindPorts = CataloguePart<{
  callers: 'callsOf';
  calls: 'find' | 'controllerOf';
  recordings: 'ofCall' | 'purposeEnds';
  legalHolds: 'of';
}>;

const batch = 200;

/**
 * The calls of one person, by the keyed hash of the number, the oldest first.
 * @param controller only those of this one of `controllers`, null for those of none; undefined for all
 */
export async function* callsOfPerson(
  catalogue: FindPorts,
  hash: string,
  controller?: string | null,
): AsyncGenerator<FoundCall> {
  const page = (after: string, limit: number) => catalogue.callers.callsOf(hash, after, limit);
  for await (const callers of pagesOf(batch, '', page, ({ call }) => call)) {
    for (const caller of callers) {
      if (controller !== undefined && !(await isOf(controller, caller, catalogue))) continue;
      const found = await callOf(caller, catalogue).catch(undefinedIfUnreadable);
      yield found === undefined ? { kind: 'unreadable', id: caller.call } : { kind: 'call', ...found };
    }
  }
}

/** One that is not known to be of another company is looked at. */
async function isOf(controller: string | null, { call }: KeptCaller, { calls }: FindPorts): Promise<boolean> {
  const named = await calls.controllerOf(call).catch(undefinedIfUnreadable);

  return named === undefined || named === controller;
}

async function callOf(caller: KeptCaller, catalogue: FindPorts): Promise<PersonCall | undefined> {
  const call = await catalogue.calls.find(caller.call);
  if (call === undefined) return undefined;
  const row = await catalogue.recordings.ofCall(caller.call);
  if (row === undefined) return { caller, call, recording: undefined };
  const [ends, holds] = [await catalogue.recordings.purposeEnds(row.id), await catalogue.legalHolds.of(row.id)];

  return { caller, call, recording: { row, ends, holds } };
}
