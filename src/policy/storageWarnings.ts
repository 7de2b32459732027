import { law } from '../config/law.ts';
import type { Prompt } from '../prompts/library.ts';
import type { PurposeConfig } from '../config/purposeSchema.ts';

/** What purposes and sentences may say but people should judge: `preavis check` names it. */

type Told = Pick<Prompt, 'id' | 'statesMaxDays'>;

/** A sentence without a number of days, where the law wants the caller told for how long. */
function untoldDuration(id: string, { jurisdiction, kind }: PurposeConfig, prompts: readonly Told[]): string[] {
  const rule = law[jurisdiction][kind];
  if (rule?.tellsDuration !== true) return [];
  const silent = prompts.flatMap((prompt) => (prompt.statesMaxDays?.[id] === null ? [prompt.id] : []));
  const ids = [...new Set(silent)].join(' and ');

  return ids === ''
    ? []
    : [`${ids} give callers no number of days for ${id}, and ${kind} in ${jurisdiction} must say how long`];
}

/** Recordings are erased by a job that runs now and then: one kept to the last day outlives it until the next run. */
function keptToTheLastDay(id: string, purpose: PurposeConfig, prompts: readonly Told[]): string[] {
  const { jurisdiction, kind, keepDays } = purpose;
  const rule = law[jurisdiction][kind];
  // What must be kept so long cannot be kept less.
  if (rule?.minimumDays !== undefined) return [];
  const told = prompts.flatMap(({ statesMaxDays }) => statesMaxDays?.[id] ?? []);
  const [least] = [...told, ...(rule?.maximumDays === undefined ? [] : [rule.maximumDays])].sort((a, b) => a - b);

  return least === undefined || keepDays < least
    ? []
    : [
        `${id} keeps the whole ${least} days that the law or its sentences allow for ${kind} in ${jurisdiction}. ` +
          'It is erased only at the next run of schedule.retention after them: keep it at least a day less',
      ];
}

export function purposeWarnings(
  purposes: Readonly<Record<string, PurposeConfig>>,
  prompts: readonly Told[],
): { duration: string[]; lastDay: string[] } {
  const entries = Object.entries(purposes);

  return {
    duration: entries.flatMap(([id, purpose]) => untoldDuration(id, purpose, prompts)),
    lastDay: entries.flatMap(([id, purpose]) => keptToTheLastDay(id, purpose, prompts)),
  };
}
