import { moveCatalogue, type Moved } from '../../catalogue/move/move.ts';
import { PreavisError } from '../../core/errors.ts';
import { counted } from '../../core/text/counted.ts';
import { catalogueInWords, postgresOf } from '../../services/catalogue.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { beginProgress } from '../progress.ts';
import { table } from '../table.ts';

type CatalogueMoveOptions = { dryRun: boolean; again: boolean; json: boolean };

/**
 * Moves the SQLite catalogue of catalogue.file into the configured database. Exit 3 when a dry run finds it in use or not moved to the end, or the
 * audit trail had lines that were changed or removed before.
 */
export async function catalogueMove(
  context: CommandContext,
  { dryRun, again, json }: CatalogueMoveOptions,
): Promise<ExitCode> {
  const { catalogue } = await configOf(context);
  if (catalogue.store !== 'postgres') {
    throw new PreavisError('config_invalid', 'catalogue.store is sqlite: nothing says where to move the catalogue', {
      hint: 'Set catalogue.store to postgres, with the address of an empty database; catalogue.file stays (docs/operations/moving-to-postgresql.md).',
    });
  }
  const run = beginProgress('the move of the catalogue is not finished; the next one goes on with it', json);
  const moved = await moveCatalogue(
    { file: catalogue.file, postgres: await postgresOf(catalogue), clock: context.clock },
    { dryRun, again, signal: run.signal, progress: run.progress },
  ).finally(run.end);
  answer(context, json, asJson(moved), () => inWords(moved, catalogue.file, catalogueInWords(catalogue)));

  return needsAttention(moved) ? 3 : 0;
}

function needsAttention(moved: Moved): boolean {
  switch (moved.kind) {
    case 'could':
      return moved.users.length > 0;
    case 'couldEnd':
      return true;
    case 'moved':
      return moved.trail.broken > 0 || moved.trail.removed > 0;
    case 'before':
      return false;
  }
}

function asJson(moved: Moved): object {
  switch (moved.kind) {
    case 'could':
      return { state: 'dryRun', tables: moved.tables, usedBy: moved.users };
    case 'couldEnd':
      return { state: 'unfinished', catalogue: moved.identity, tables: moved.tables };
    case 'moved': {
      const { lines, head = null, broken, removed } = moved.trail;
      const auditTrail = { lines, head, broken, removed };

      return { state: 'moved', catalogue: moved.identity, tables: moved.tables, auditTrail };
    }
    case 'before':
      return { state: 'movedBefore', catalogue: moved.identity };
  }
}

function inWords(moved: Moved, file: string, place: string): string[] {
  const rowsOf = (tables: readonly { table: string; rows: number }[]): string =>
    table(
      ['TABLE', 'ROWS'],
      tables.filter(({ rows }) => rows > 0).map(({ table: name, rows }) => [name, String(rows)]),
    );
  switch (moved.kind) {
    case 'could':
      return [
        rowsOf(moved.tables),
        ...moved.users.map((user) => `in use: ${user}`),
        moved.users.length > 0
          ? 'nothing was moved; stop what uses the catalogue first'
          : `nothing was moved; ${file} can be moved into the catalogue ${place}`,
      ];
    case 'couldEnd':
      return [
        rowsOf(moved.tables),
        `nothing was done; ${file} is marked as moved, and the move is not finished: run preavis catalogue move again`,
      ];
    case 'moved': {
      const { lines, head, broken, removed } = moved.trail;

      return [
        rowsOf(moved.tables),
        `Every row is the same in both. The audit trail has ${counted(lines, 'line', 'lines')}; its last link is ${head ?? 'none'}.`,
        ...(broken === 0
          ? []
          : [
              `${counted(broken, 'line of it was', 'lines of it were')} changed before the move, and moved as they are: preavis certificates verify names them.`,
            ]),
        ...(removed === 0
          ? []
          : [
              `${counted(removed, 'line was', 'lines were')} removed from its end before the move. Look for who did that: PostgreSQL gives their numbers again.`,
            ]),
        `The catalogue is ${place} now. ${file} is kept, and is not opened any more.`,
      ];
    }
    case 'before':
      return [`The catalogue was moved before: it is ${place}. ${file} is not opened any more.`];
  }
}
