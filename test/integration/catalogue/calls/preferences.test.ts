import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { makePreferences } from '../../../../src/call/plan/preferences.ts';
import { callStart } from '../../../support/call/calls.ts';
import { catalogues, clockAt, dayMs } from '../../../support/catalogue/catalogues.ts';
import { decisionsIn } from '../../../support/call/decisions.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;

function stage() {
  const file = folder.path(`${(files += 1)}.db`);
  const clock = clockAt(callStart);
  const table = open(file, clock);
  const options = {
    table: table.preferences,
    hashKey: 'k'.repeat(32),
    keepDays: 30,
    defaultCountry: 'BE',
    clock,
  } as const;
  const rows = (): unknown[] => {
    const database = openSqlite(file);
    try {
      return database.prepare('SELECT * FROM preferences').all();
    } finally {
      database.close();
    }
  };

  return { preferences: makePreferences(options), table, clock, rows };
}

describe('the language that a caller chose', () => {
  test('is found again by their number in another form, and by no other number', async () => {
    const { preferences } = stage();
    await preferences.remember('092661234', 'nl');
    expect(await preferences.find('+32 9 266 12 34')).toBe('nl');
    expect(await preferences.find('+3292661235')).toBeUndefined();
    expect(await preferences.find('anonymous')).toBeUndefined();
  });

  test('is the last one that they chose', async () => {
    const { preferences, rows } = stage();
    await preferences.remember('+3292661234', 'nl');
    await preferences.remember('+3292661234', 'de');
    expect(await preferences.find('+3292661234')).toBe('de');
    expect(rows()).toHaveLength(1);
  });

  test('is forgotten to the ms after its time, which begins again with each choice', async () => {
    const { preferences, clock } = stage();
    await preferences.remember('+3292661234', 'nl');
    clock.at = callStart + 30 * dayMs - 1;
    expect(await preferences.find('+3292661234')).toBe('nl');
    await preferences.remember('+3292661234', 'nl');
    clock.at = callStart + 60 * dayMs - 2;
    expect(await preferences.find('+3292661234')).toBe('nl');
    clock.at = callStart + 60 * dayMs - 1;
    expect(await preferences.find('+3292661234')).toBeUndefined();
  });

  test('is removed from the file once it has expired and somebody else chooses', async () => {
    const { preferences, clock, rows } = stage();
    await preferences.remember('+3292661234', 'nl');
    clock.at = callStart + 30 * dayMs;
    await preferences.remember('+33142685300', 'fr');
    expect(rows()).toHaveLength(1);
  });

  test('is kept without the number: nothing of it is in the row', async () => {
    const { preferences, rows } = stage();
    await preferences.remember('+3292661234', 'nl');
    expect(rows()).toEqual([
      {
        caller: expect.stringMatching(/^k[0-9a-f]{15}\.[0-9a-f]{64}$/) as unknown,
        language: 'nl',
        expires_at: callStart + 30 * dayMs,
      },
    ]);
  });

  test('is forgotten for one caller, or for all, and it is said how many there were', async () => {
    const { preferences, table, rows } = stage();
    for (const number of ['+3292661234', '+33142685300', '+4930123456']) await preferences.remember(number, 'nl');
    const [{ caller } = { caller: '' }] = rows() as { caller: string }[];
    const decisions = decisionsIn(folder.path('.'), table, clockAt(callStart));
    expect(await decisions.forgetLanguages(caller)).toBe(1);
    expect(rows()).toHaveLength(2);
    expect(await decisions.forgetLanguages(caller)).toBe(0);
    expect(rows()).toHaveLength(2);
    expect(await decisions.forgetLanguages(undefined)).toBe(2);
    expect(rows()).toEqual([]);
  });

  test('cannot be kept in a database that is broken, and the call is told so', async () => {
    const { preferences, table } = stage();
    table.close();
    await expect(preferences.remember('+3292661234', 'nl')).rejects.toThrow();
  });
});
