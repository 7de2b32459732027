/** What was erased is neither in the file of the catalogue nor in its write-ahead log: the bytes of both are looked at. */
import { readFile } from 'node:fs/promises';
import { makeLogEmptier, logEmptied } from '../../../src/catalogue/sqlite/emptyLog.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeFieldCipher } from '../../../src/core/crypto/fieldEncryption.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, clockAt, dayMs, saveCall } from '../../support/catalogue/catalogues.ts';
import { decisionsIn } from '../../support/call/decisions.ts';
import { collectingLog } from '../../support/logLines.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;
const hashOf = (letter: string): string => `k0123456789abcde.${letter.repeat(64)}`;
const gone = hashOf('a');
const kept = hashOf('b');

async function stage() {
  const file = folder.path(`${(files += 1)}.db`);
  const clock = clockAt(callStart);
  const catalogue = open(file, clock);
  const cipher = makeFieldCipher('s'.repeat(40), 'numbers');
  const sealed = { [gone]: cipher.encrypt('+3225550123', 'here'), [kept]: cipher.encrypt('+3225550124', 'here') };
  for (const hash of [gone, kept]) {
    const call = await saveCall(catalogue, { events: () => [] });
    await saveCall(catalogue);
    await catalogue.callers.keep({ call: call.facts.id, hash, sealed: sealed[hash] ?? null });
    await catalogue.journal.endUnreadable(call.facts.id);
    await catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
  }
  const bytes = async (): Promise<{ file: string; log: string }> => ({
    file: await readFile(file, 'latin1'),
    log: await readFile(`${file}-wal`, 'latin1').catch(() => ''),
  });
  /** Where it is still to be read. */
  const places = async (text: string): Promise<string[]> =>
    Object.entries(await bytes()).flatMap(([place, content]) => (content.includes(text) ? [place] : []));

  return { file, catalogue, clock, sealed, places };
}

const decisionsOf = (catalogue: Catalogue) => decisionsIn(folder.path('.'), catalogue, clockAt(callStart));
const forget = async (catalogue: Catalogue): Promise<void> => {
  expect(await decisionsOf(catalogue).forgetCaller(gone)).toBe(1);
  expect(await decisionsOf(catalogue).forgetLanguages(gone)).toBe(1);
};

test('the keyed hash and the sealed number of a person are in neither, and others stay', async () => {
  const { catalogue, sealed, places } = await stage();
  await forget(catalogue);
  for (const text of [gone, sealed[gone] ?? '']) expect(await places(text)).toContain('log');
  expect(await logEmptied(catalogue, 0)).toBe(true);
  for (const text of [gone, sealed[gone] ?? '']) expect(await places(text)).toEqual([]);
  for (const text of [kept, sealed[kept] ?? '']) expect(await places(text)).toEqual(['file']);
});

test('where nothing was erased since, the log is left as it is', async () => {
  const { catalogue, places } = await stage();
  await forget(catalogue);
  await logEmptied(catalogue, 0);
  const other = hashOf('c');
  await catalogue.preferences.set(other, 'fr', callStart + 300 * dayMs);
  expect(await logEmptied(catalogue, 0)).toBe(true);
  expect(await places(other)).toEqual(['log']);
  await decisionsOf(catalogue).forgetLanguages(other);
  expect(await logEmptied(catalogue, 0)).toBe(true);
  expect(await places(other)).toEqual([]);
});

test('another process that reads the log keeps it: it is told, and done once that has ended', async () => {
  const { file, catalogue, places } = await stage();
  const reader = openSqlite(file, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM callers').get();
  await forget(catalogue);
  let monotonic = 0;
  const { log, lines } = collectingLog('info');
  const empty = makeLogEmptier(catalogue, log, () => monotonic);
  expect(await catalogue.file.emptyLog()).toBe('busy');
  expect(await logEmptied(catalogue, 100)).toBe(false);
  await empty();
  expect(lines).toEqual([]);
  monotonic += 10 * 60_000;
  await empty();
  await empty();
  expect(lines).toMatchObject([
    { level: 'error', msg: expect.stringContaining('another process reads the catalogue') as string },
  ]);
  expect(await places(gone)).toContain('log');
  reader.exec('COMMIT');
  await empty();
  expect(lines).toHaveLength(2);
  expect(await places(gone)).toEqual([]);
  reader.close();
});

test('what a killed process has erased and not taken out of the log is taken out by the next one', async () => {
  const { file, catalogue, places } = await stage();
  await forget(catalogue);
  const next = open(file, clockAt(callStart));
  expect(await places(gone)).toContain('log');
  expect(await next.file.emptyLog()).toBe('empty');
  expect(await places(gone)).toEqual([]);
});
