import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';

/** The companies that may be named: those of the configuration, and those that left it while their recordings are here. */
export async function knownControllers(
  { controllers }: Pick<Config, 'controllers'>,
  catalogue: CataloguePart<{ recordings: 'controllers' }>,
): Promise<string[]> {
  return [...new Set([...Object.keys(controllers), ...(await catalogue.recordings.controllers())])];
}
