import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { openConfiguredCatalogue } from '../services/catalogue.ts';
import { configOf } from './configuration.ts';
import type { CommandContext } from './context.ts';

/** Nobody calls meanwhile: what looks through the whole of a large catalogue may take so long, ms. */
const statementLimitMs = 600_000;

/** Reads the configuration, and opens its catalogue for one step. */
export async function withCatalogue<T>(
  context: CommandContext,
  step: (catalogue: Catalogue, config: Config) => Promise<T>,
): Promise<T> {
  const config = await configOf(context);

  return withCatalogueOf(context, config, (catalogue) => step(catalogue, config));
}

/** The same of a configuration that was read before. The catalogue is closed whatever happens. */
export async function withCatalogueOf<T>(
  { clock }: Pick<CommandContext, 'clock'>,
  config: Config,
  step: (catalogue: Catalogue) => Promise<T>,
): Promise<T> {
  const catalogue = await openConfiguredCatalogue(config, clock, {
    mustExist: true,
    statementTimeoutMs: statementLimitMs,
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
