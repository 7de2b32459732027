/** A program that starts a PostgreSQL of the lab and then only waits; lab/postgres.test.ts kills it. */
import { startPostgres } from '../../lab/postgres/postgres.ts';

const { port } = await startPostgres();
process.stdout.write(JSON.stringify({ port }));
setInterval(() => undefined, 1000);
