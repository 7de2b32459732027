import { parentPort, workerData } from 'node:worker_threads';
import { asPreavisError } from '../core/errors.ts';
import type { FiguresAnswer, FiguresOrder } from './figuresThread.ts';
import { makeFigures } from './figures.ts';
import { openDatabase } from './open.ts';
import { makeSqliteRunner } from './sqlite/runner.ts';

/** The other side of figuresThread.ts. */

const answer = (message: FiguresAnswer): void => parentPort?.postMessage(message);
const { file, times, erasureFailed, controller } = workerData as FiguresOrder;
try {
  const database = openDatabase(file, { mustExist: true });
  try {
    answer({ figures: makeSqliteRunner(database)(makeFigures().read(times, erasureFailed, controller)) });
  } finally {
    database.close();
  }
} catch (thrown) {
  const { code, message } = asPreavisError(thrown);
  answer({ code, message });
}
