import { writeFile } from 'node:fs/promises';
import { makePreferences } from '../../../../src/call/plan/preferences.ts';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { languagesForget } from '../../../../src/cli/commands/languages.ts';
import { callStart, configTree } from '../../../support/call/calls.ts';
import { clockAt } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const clock = clockAt(callStart);
const hashKey = 'k'.repeat(32);
const printed: string[] = [];
const context: CommandContext = { configFile: '', environment: {}, clock, print: (text) => printed.push(text) };

async function remembered(...numbers: string[]): Promise<void> {
  const catalogue = openCatalogue(folder.path('catalogue.db'), clock);
  const preferences = makePreferences({
    table: catalogue.preferences,
    hashKey,
    keepDays: 30,
    defaultCountry: 'BE',
    clock,
  });
  for (const number of numbers) await preferences.remember(number, 'nl');
  catalogue.close();
}

beforeAll(async () => {
  context.configFile = folder.path('preavis.yaml');
  const tree = { ...configTree(), catalogue: { file: folder.path('catalogue.db') }, privacy: { hashKey } };
  await writeFile(context.configFile, JSON.stringify(tree), { mode: 0o600 });
});
beforeEach(() => {
  printed.length = 0;
});

const noInput = { firstLine: (): Promise<string> => Promise.reject(new Error('standard input was read')) };
async function forgotten(number: string | undefined, all = false): Promise<unknown> {
  expect(await languagesForget(context, { number, all, json: true }, noInput)).toBe(0);

  return (JSON.parse(printed.splice(0).join('\n')) as { forgotten: unknown }).forgotten;
}

describe('the language of a caller is forgotten', () => {
  test.each([
    '+32475123456',
    '+32 475 12 34 56',
    '0475 12 34 56',
    '0475/12.34.56',
    '0032475123456',
    '32475123456',
    '+32 (0)475 12 34 56',
    '0475\u00a012\u00a034\u00a056',
    ' 0475\u201112\u201134\u201156 ',
    'tel:+32-475-12-34-56',
    ' TEL:+32475123456;ext=5 ',
    'tel:0475123456',
    'tel:0475123456;phone-context=+32',
    'tel:475123456;isub=1;Phone-Context=+32;ext=5',
    'tel:12-34-56;phone-context=+32-475',
    'tel:+32475123456;phone-context=+33',
  ])('by the number %j, and that of nobody else', async (number) => {
    await remembered('+32475123456', '+32475123457');
    expect(await forgotten(number)).toBe(1);
    expect(await forgotten(number)).toBe(0);
    expect(await forgotten('+32475123457')).toBe(1);
  });

  test.each([
    'tel:',
    'tel:anonymous',
    'tel:+32;phone-context=+32475123456',
    'tel:0475123456;phone-context=+32x',
    'tel:0475123456;phone-context=example.org',
    'sip:+32475123456@example.org',
    '+32475123456;ext=5',
  ])('by no other text: %j is bad usage, and is not repeated', async (number) => {
    const thrown: unknown = await languagesForget(context, { number, all: false, json: true }, noInput).catch(
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ code: 'usage', message: '--number is not a telephone number' });
  });

  test('with those of all others', async () => {
    await remembered('+32475123456', '+3292661234', '+33142685300');
    expect(await forgotten(undefined, true)).toBe(3);
    expect(await forgotten(undefined, true)).toBe(0);
  });

  test('and the number is in nothing that is printed', async () => {
    await remembered('+32475123456');
    await languagesForget(
      context,
      { number: '-', all: false, json: false },
      { firstLine: () => Promise.resolve('+32475123456') },
    );
    expect(printed).toEqual(['1 remembered language forgotten']);
  });
});
