import type { Elsewhere } from '../../archive/archives.ts';
import { errorCodes } from '../../core/errors.ts';
import type { CheckResult } from './checklist.ts';
import { localTime } from '../localTime.ts';

const check = 'recordings in other archives';

/** What nobody can fetch or erase as it is configured, and what is still to be moved or removed. */
export function elsewhereFindings(elsewhere: readonly Elsewhere[]): CheckResult[] {
  return elsewhere.map((each): CheckResult => {
    const { archive: about, isConfigured, newest, lockedUntil } = each;
    const what = inWords(each);
    if (!isConfigured) {
      const example = newest === undefined ? '' : `, for example ${newest}`;
      const problem = `${what}${example}; it is not configured, so nothing there can be fetched, or erased when due`;

      return { check, about, ok: false, code: 'archive_changed', problem, hint: errorCodes.archive_changed.remedy };
    }
    const lock = lockedUntil === null ? '' : `, locked until ${localTime(lockedUntil)} at the latest`;
    const next = each.recordings > 0 ? 'preavis archive move' : 'preavis archive move --remove-old';

    return { check, about, ok: true, warning: `${what}${lock}: ${next}` };
  });
}

function inWords({ recordings, copies }: Elsewhere): string {
  const parts = [
    ...(recordings === 0 ? [] : [`${recordings} ${recordings === 1 ? 'recording lies' : 'recordings lie'} there`]),
    ...(copies === 0 ? [] : [`${copies} ${copies === 1 ? 'old copy' : 'old copies'} of moved recordings`]),
  ];

  return parts.join(', ');
}
