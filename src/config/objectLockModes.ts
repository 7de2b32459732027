/**
 * Which Object Lock a purpose asks for, from the least to the strictest. governance: who has the right to bypass it may delete
 * all the same. compliance: nobody can, until its end.
 */
export const purposeLocks = ['none', 'governance', 'compliance'] as const;
export type PurposeLock = (typeof purposeLocks)[number];

/** Those that are a lock. */
export const lockModes = ['governance', 'compliance'] as const satisfies readonly PurposeLock[];
export type LockMode = (typeof lockModes)[number];
