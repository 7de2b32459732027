import { translate } from '../../../../src/catalogue/postgres/translation.ts';

const textOf = (sql: string): string => translate(sql).text;

describe('a statement for PostgreSQL', () => {
  it('has a number for each parameter, the same for the same name, in the order of the names', () => {
    expect(translate('SELECT 1 FROM calls WHERE id = @id AND (line = @line OR controller = @id)')).toEqual({
      text: 'SELECT 1 FROM calls WHERE id = $1 AND (line = $2 OR controller = $1)',
      names: ['id', 'line'],
    });
  });

  it('asks whether a parameter is null by a number of its own, since that has no type', () => {
    expect(translate('SELECT 1 FROM calls WHERE (@at IS NULL OR started_at = @at) AND @line IS NOT NULL')).toEqual({
      text: 'SELECT 1 FROM calls WHERE (CAST($1 AS text) IS NULL OR started_at = $2) AND CAST($3 AS text) IS NOT NULL',
      names: ['at', 'at', 'line'],
    });
  });

  it('is left alone within quotes, and without its comments', () => {
    expect(translate(`SELECT '@at', 'it''s +x -- y' AS "INDEXED BY" -- @none\nFROM calls`)).toEqual({
      text: `SELECT '@at', 'it''s +x -- y' AS "INDEXED BY" FROM calls`,
      names: [],
    });
  });

  it('has none of the hints for SQLite’s planner', () => {
    expect(
      textOf(`SELECT calls.id FROM dialled INDEXED BY dialled_by_number CROSS JOIN calls ON calls.id = dialled.call_id
        WHERE +number = @number AND NOT +line > (+started_at) ORDER BY +calls.id`),
    ).toBe(
      `SELECT calls.id FROM dialled JOIN calls ON calls.id = dialled.call_id WHERE number = $1 AND NOT line > (started_at) ORDER BY calls.id`,
    );
    expect(textOf('SELECT id FROM calls NOT INDEXED WHERE id > @after')).toBe('SELECT id FROM calls WHERE id > $1');
  });

  it('adds up as before, and takes a parameter in a sum for a whole number of 64 bits', () => {
    expect(textOf('SELECT a+1 FROM t WHERE at <= @at + 86400000 AND x = (b)+2 AND y > 3 - @at AND z = @at')).toBe(
      'SELECT a+1 FROM t WHERE at <= CAST($1 AS bigint) + 86400000 AND x = (b)+2 AND y > 3 - CAST($1 AS bigint) AND z = $1',
    );
    expect(textOf(`SELECT '"' || @purpose || '"', CAST(@from AS INTEGER) / 2`)).toBe(
      `SELECT '"' || $1 || '"', CAST($2 AS bigint) / 2`,
    );
  });

  it('quotes names that are not in lower case, and the one by which PostgreSQL says who is connected', () => {
    expect(textOf('SELECT max(at) AS oldestWaitingAt, count(*) AS "keyId" FROM x GROUP BY keyId, s.user')).toBe(
      'SELECT max(at) AS "oldestWaitingAt", count(*) AS "keyId" FROM x GROUP BY "keyId", s."user"',
    );
  });

  it('is refused where nothing can begin so', () => {
    expect(() => translate(`SELECT 'open`)).toThrow(TypeError);
  });
});
