import type { ServeName } from '../catalogue/jobs/leases.ts';
import type { Config } from '../config/schema.ts';

/** Which serve a configuration is for. */
export function serveNameOf({ ari }: Pick<Config, 'ari'>): ServeName {
  return { pbx: ari.pbx, application: ari.application };
}
