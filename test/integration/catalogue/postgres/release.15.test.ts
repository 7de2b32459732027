import { postgresServer } from '../../../../lab/machine/folders.mjs';

/**
 * What may differ in PostgreSQL 15: the schema with its functions and triggers, whether each statement can be prepared, and who waits for whom. What
 * steps come to is asked of the newest release alone (contract.test.ts).
 */

process.env['PREAVIS_LAB_POSTGRES'] = '15';

if (postgresServer() === undefined) {
  test.skip('is asked of PostgreSQL 15 (needs node lab/prepare.mjs --with olderPostgres)', () => undefined);
} else {
  for (const part of ['open', 'schema', 'functions', 'statements', 'chain', 'runner'])
    await import(`./${part}.test.ts`);
}
