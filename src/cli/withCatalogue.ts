import { openCatalogue, type Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { webhookSubscribers } from '../services/webhooks.ts';

/** Opens the catalogue for one step and closes it whatever happens. */
export async function withCatalogue<T>(
  config: Config,
  clock: Clock,
  step: (catalogue: Catalogue) => Promise<T>,
): Promise<T> {
  const catalogue = openCatalogue(config.catalogue.file, clock, {
    mustExist: true,
    webhooks: webhookSubscribers(config),
    unreadable: (recording, error) => {
      process.stderr.write(
        `preavis: ${error.code}: ${recording}: ${error.message}; it was left aside\n  ${error.hint}\n`,
      );
    },
  });
  try {
    return await step(catalogue);
  } finally {
    catalogue.close();
  }
}
