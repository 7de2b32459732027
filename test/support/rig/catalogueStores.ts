/** The same test with the catalogue in a file, and in a database. */
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import type { RigOptions } from '../../../lab/rig.ts';

export const catalogueStores = ['sqlite', 'postgres'] as const;
export type CatalogueStore = (typeof catalogueStores)[number];

/** What a rig needs for it. To be asked for behind what uses it, and before the rig, so that nothing is left when that is ended. */
export function useCatalogueIn(store: CatalogueStore): () => Promise<Pick<RigOptions, 'database'>> {
  let postgres: LabPostgres | undefined;
  afterAll(async () => {
    await postgres?.stop();
  });

  return async () => {
    if (store === 'sqlite') return {};
    postgres = await startPostgres();

    return { database: await postgres.makeDatabase() };
  };
}
