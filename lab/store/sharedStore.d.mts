import type { ProcessIdentity } from '../machine/records.mjs';
import type { StoreAddress } from './storeAccounts.ts';

/** The run that shares a server: its process, and the folder in which its workers find the server. */
export type StoreRun = { readonly folder: string; readonly owner: ProcessIdentity };

export declare function shareStore(folder: string): void;
export declare function answer(folder: string, content: { store: StoreAddress } | { error: string }): void;
export declare function sharedStore(run?: StoreRun): Promise<StoreAddress>;
export declare function endSharedStore(run?: StoreRun): Promise<void>;
