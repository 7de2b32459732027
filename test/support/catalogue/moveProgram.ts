/** A program that moves a catalogue, to be killed: a SQLite file and the address of a database of PostgreSQL are its arguments. */
import { moveCatalogue } from '../../../src/catalogue/move/move.ts';
import { systemClock } from '../../../src/core/clock.ts';

const [file = '', url = ''] = process.argv.slice(2);
await moveCatalogue(
  { file, postgres: { url }, clock: systemClock },
  // So few that most tables have several batches.
  { dryRun: false, again: false, rowsAtOnce: 7, signal: new AbortController().signal, progress: () => undefined },
);
