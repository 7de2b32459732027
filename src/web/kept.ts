import { keepLibrary, type KeptLibrary } from '../services/keptLibrary.ts';
import type { WebPorts } from './ports.ts';
import { StorageCount } from './storageCount.ts';

/** What a server makes once, and keeps for who asks next. */
export type Kept = { storage: Pick<StorageCount, 'read'>; library: KeptLibrary };

export function makeKept(ports: WebPorts): Kept & { begin(): void; stop(): Promise<void> } {
  const storage = new StorageCount(ports);
  const library = keepLibrary(ports.config);

  return {
    storage,
    library,
    /** Makes it before somebody asks. What is wrong with it is told to who asks. */
    begin() {
      for (const made of [storage.begin(), library()]) made.catch(() => undefined);
    },
    stop: () => storage.stop(),
  };
}
