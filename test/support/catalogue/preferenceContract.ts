import { makePreferences } from '../../../src/call/plan/preferences.ts';
import { callStart } from '../call/calls.ts';
import { clockAt, dayMs } from './catalogues.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import { decisionsIn } from '../call/decisions.ts';
import type { TestDatabase } from './databases.ts';

/** Languages that callers chose, whatever database keeps them. */
export function preferenceContract(newDatabase: () => TestDatabase): void {
  const folder = temporaryFolder();

  async function stage() {
    const clock = clockAt(callStart);
    const database = newDatabase();
    const table = await database.connect(clock);
    const options = {
      table: table.preferences,
      hashKey: 'k'.repeat(32),
      keepDays: 30,
      defaultCountry: 'BE',
      clock,
    } as const;
    const rows = () => database.rows('SELECT * FROM preferences ORDER BY caller');

    return { preferences: makePreferences(options), table, clock, rows };
  }

  describe('the language that a caller chose', () => {
    test('is found again by their number in another form, and by no other number', async () => {
      const { preferences } = await stage();
      await preferences.remember('092661234', 'nl');
      expect(await preferences.find('+32 9 266 12 34')).toBe('nl');
      expect(await preferences.find('+3292661235')).toBeUndefined();
      expect(await preferences.find('anonymous')).toBeUndefined();
    });

    test('is the last one that they chose', async () => {
      const { preferences, rows } = await stage();
      await preferences.remember('+3292661234', 'nl');
      await preferences.remember('+3292661234', 'de');
      expect(await preferences.find('+3292661234')).toBe('de');
      expect(await rows()).toHaveLength(1);
    });

    test('is forgotten to the ms after its time, which begins again with each choice', async () => {
      const { preferences, clock } = await stage();
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
      const { preferences, clock, rows } = await stage();
      await preferences.remember('+3292661234', 'nl');
      clock.at = callStart + 30 * dayMs;
      await preferences.remember('+33142685300', 'fr');
      expect(await rows()).toHaveLength(1);
    });

    test('is kept without the number: nothing of it is in the row', async () => {
      const { preferences, rows } = await stage();
      await preferences.remember('+3292661234', 'nl');
      expect(await rows()).toEqual([
        {
          caller: expect.stringMatching(/^k[0-9a-f]{15}\.[0-9a-f]{64}$/) as unknown,
          language: 'nl',
          expires_at: callStart + 30 * dayMs,
        },
      ]);
    });

    test('is forgotten for one caller, or for all, and it is said how many there were', async () => {
      const { preferences, table, rows } = await stage();
      for (const number of ['+3292661234', '+33142685300', '+4930123456']) await preferences.remember(number, 'nl');
      const [{ caller } = { caller: '' }] = (await rows()) as { caller: string }[];
      const decisions = decisionsIn(folder.path('.'), table, clockAt(callStart));
      expect(await decisions.forgetLanguages(caller)).toBe(1);
      expect(await rows()).toHaveLength(2);
      expect(await decisions.forgetLanguages(caller)).toBe(0);
      expect(await rows()).toHaveLength(2);
      expect(await decisions.forgetLanguages(undefined)).toBe(2);
      expect(await rows()).toEqual([]);
    });

    test('cannot be kept in a database that is broken, and the call is told so', async () => {
      const { preferences, table } = await stage();
      table.close();
      await expect(preferences.remember('+3292661234', 'nl')).rejects.toThrow();
    });
  });
}
