/**
 * training: also quality control, and whatever is none of the others. evidence: of an agreement. obligation: the law
 * demands the recording, nobody may refuse it.
 */
export const purposeKinds = ['training', 'evidence', 'obligation'] as const;
export type PurposeKind = (typeof purposeKinds)[number];
