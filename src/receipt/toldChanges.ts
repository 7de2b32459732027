import type { ChangeRow } from '../catalogue/rows.ts';

/**
 * What became of a call, as the receipt tells it. A followed caller who leaves somebody that is being told is with nobody for a moment, and that is
 * kept as `allTold`. Where the next one who comes was not told either, as behind the Local/ channel of an attended transfer, the recording did
 * not go on in between, so only the end of telling them is true.
 *
 * @param changes in the order in which they were kept
 */
export function toldChanges<Change extends Pick<ChangeRow, 'change' | 'at'>>(changes: readonly Change[]): Change[] {
  return changes.filter(
    (each, index) =>
      each.change !== 'allTold' || endsTelling(each, changes.slice(0, index)) || goesOn(changes.slice(index + 1)),
  );
}

/** Somebody has heard the notice to its end. */
const endsTelling = ({ at }: Pick<ChangeRow, 'at'>, before: readonly Pick<ChangeRow, 'change' | 'at'>[]): boolean =>
  before.some((each) => each.change === 'newcomerTold' && each.at === at);

const goesOn = (after: readonly Pick<ChangeRow, 'change'>[]): boolean => {
  const next = after.find(({ change }) => ['joined', 'transferred', 'recorderResumed'].includes(change));

  return next === undefined || next.change === 'recorderResumed';
};
