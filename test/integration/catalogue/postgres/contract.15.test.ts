import { postgresServer } from '../../../../lab/machine/folders.mjs';

/** The contract of the catalogue in PostgreSQL 15. */

process.env['PREAVIS_LAB_POSTGRES'] = '15';

if (postgresServer() === undefined) {
  test.skip('is asked of PostgreSQL 15 (needs node lab/prepare.mjs --with olderPostgres)', () => undefined);
} else {
  await import('./contract.test.ts');
}
