/**
 * Does a step that changes the ledger of erasures while nobody else does who shares the catalogue. `requireLock` throws catalogue_unusable where that may
 * be so no more: what was done before it has come to its end was done alone.
 */
export type LedgerLock = <T>(step: (requireLock: () => Promise<void>) => Promise<T>) => Promise<T>;

/** Who has a catalogue in a file shares it with no other machine: the lock beside the ledger is enough. */
export const noLedgerLock: LedgerLock = (step) => step(() => Promise.resolve());
