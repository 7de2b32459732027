/** Reasons that are as somebody wanted it, and no fault. */
const wantedReasons = [
  'refused',
  'erase_asked',
  'no_consent',
  'not_sampled',
  'not_requested',
  'never_recorded',
  'internal_call',
] as const;
export type WantedReason = (typeof wantedReasons)[number];

/** Why a call went on without being recorded. Kept in the catalogue and given to the dialplan. */
export const unrecordedReasons = [
  'arguments_invalid',
  'planning_failed',
  'no_language',
  'prompts_missing',
  'spool_unusable',
  'spool_full',
  'catalogue_unusable',
  'shutting_down',
  'answer_failed',
  'notice_failed',
  'notice_cut_short',
  'notice_timeout',
  'notice_on_hold',
  'notice_not_received',
  'prepare_failed',
  'dial_failed',
  'follow_failed',
  'recorder_failed',
  'untold_party',
  'called_party_untold',
  'interrupted',
  'sent_on',
  ...wantedReasons,
] as const;
export type UnrecordedReason = (typeof unrecordedReasons)[number];

const wanted: readonly string[] = wantedReasons;

export function isWanted(reason: UnrecordedReason): reason is WantedReason {
  return wanted.includes(reason);
}
