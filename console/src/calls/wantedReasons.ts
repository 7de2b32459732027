import { isWanted, unrecordedReasons } from '../../../src/call/decide/unrecordedReasons.ts';

/** Whether this is as somebody wanted it, and no fault to look at. */
export function isWantedReason(reason: string | null): boolean {
  const known = unrecordedReasons.find((each) => each === reason);

  return known !== undefined && isWanted(known);
}
