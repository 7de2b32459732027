import { jest } from '@jest/globals';
import * as step from '../../../src/catalogue/sql/step.ts';

/**
 * Every statement that the repositories have, in the text of one database, but for those that are put together for each question.
 *
 * @param open opens a catalogue and closes it; it imports what it opens by, so that this comes first
 */
export async function statementsMade(of: 'sqlite' | 'postgres', open: () => Promise<void>): Promise<readonly string[]> {
  const made = new Set<string>();
  jest.unstable_mockModule('../../../src/catalogue/sql/step.ts', () => ({
    ...step,
    sql: (text: Parameters<typeof step.sql>[0]) => {
      const statement = step.sql(text);
      made.add(statement[of]);

      return statement;
    },
  }));
  await open();

  return [...made];
}
