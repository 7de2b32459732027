import type { ServeName } from '../catalogue/jobs/leases.ts';
import type { Config } from '../config/schema.ts';

/**
 * Which serve a configuration is for. A file is that of one machine, and all that is in it is that machine's, however its PBX is called: there a
 * name is no more than a label.
 */
export function serveNameOf({ ari, catalogue }: Pick<Config, 'ari' | 'catalogue'>): ServeName {
  return { pbx: catalogue.store === 'sqlite' ? undefined : ari.pbx, application: ari.application };
}
