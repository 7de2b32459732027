import type { ObjectStore } from '../store/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';

/** What most parts are made of. */
export type Shared = {
  config: Config;
  catalogue: Catalogue;
  store: ObjectStore;
  /** Those of archive.former. */
  former: readonly ObjectStore[] | undefined;
  clock: Clock;
  log: Logger;
  actor: string;
};
