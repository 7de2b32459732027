import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashKeyId } from '../../../src/call/plan/preferences.ts';
import { numberKeyWarning, tellWrongNumberKeys } from '../../../src/catalogue/numberKeys.ts';
import { languagesForget } from '../../../src/cli/commands/languages.ts';
import { makeCallerKeeper } from '../../../src/call/plan/callerStore.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { hash, hashKey, number, numberKey, subjectStage, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
const stage = (): Promise<SubjectStage> => subjectStage(folder.path(`${(places += 1)}`), open);
const otherKey = 'o'.repeat(40);

/** As when somebody writes another key into the file. */
async function configure({ at }: SubjectStage, privacy: Record<string, unknown>): Promise<void> {
  const file = join(at, 'preavis.yaml');
  const tree = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...tree, privacy }));
}

/** A call of the same person that was kept under the key of now. */
async function callUnder(set: SubjectStage, key: string): Promise<void> {
  const call = await set.calledOnly('anonymous');
  await makeCallerKeeper({ table: set.catalogue.callers, hashKey: key, numberKey, defaultCountry: 'BE' }).keep(
    call,
    number,
  );
}

async function forget({ at, clock }: SubjectStage): Promise<{ code: number; text: string }> {
  const printed: string[] = [];
  const print = (line: string): number => printed.push(line);
  const context = { configFile: join(at, 'preavis.yaml'), environment: {}, clock, print };
  const code = await languagesForget(
    context,
    { number, all: false, json: false },
    { firstLine: () => Promise.resolve('') },
  );

  return { code, text: printed.join('\n') };
}

const wrong = { code: 'number_key_wrong', exitCode: 2 };

describe('another key of the hashes than the one that calls are kept under', () => {
  test('does not pass for a person who has never called', async () => {
    const set = await stage();
    const { id } = await set.called(number);
    await configure(set, { hashKey: otherKey });
    await expect(set.exported()).rejects.toMatchObject(wrong);
    await expect(set.erased()).rejects.toMatchObject(wrong);
    const context = {
      configFile: join(set.at, 'preavis.yaml'),
      environment: {},
      clock: set.clock,
      print: () => undefined,
    };
    const forget = languagesForget(
      context,
      { number, all: false, json: false },
      { firstLine: () => Promise.resolve('') },
    );
    await expect(forget).rejects.toMatchObject(wrong);
    expect(existsSync(join(set.at, 'out.zip'))).toBe(false);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived' });
  });

  test('that some calls are kept under is named, and the answer is not called complete', async () => {
    const set = await stage();
    await set.called(number);
    await set.called('+3225550124');
    await callUnder(set, otherKey);
    await configure(set, { hashKey: otherKey });
    const unsearchedKeys = [hashKeyId(hashKey)];
    expect(await set.exported()).toMatchObject({ code: 3, json: { calls: 1, unsearchedKeys } });
    expect((await set.erased({ apply: false, json: false })).text).toContain(
      `not searched: what is kept under another privacy.hashKey (${hashKeyId(hashKey)})`,
    );
    expect(await set.erased({ number: '+3225550999' })).toMatchObject({ code: 3, json: { calls: 0, unsearchedKeys } });
    expect(await set.exported({ number: '+3225550999', force: true })).toMatchObject({
      code: 3,
      json: { calls: 0, unsearchedKeys },
    });
    await configure(set, { hashKey });
    expect(await set.exported({ force: true })).toMatchObject({ code: 3, json: { calls: 1, recordings: 1 } });
  });

  test('that only a remembered language is kept under is seen as well', async () => {
    const set = await stage();
    await set.catalogue.preferences.set(hash, 'nl', callStart + 300 * dayMs);
    await configure(set, { hashKey: otherKey });
    await expect(set.exported()).rejects.toMatchObject(wrong);
    await expect(forget(set)).rejects.toMatchObject(wrong);
    await callUnder(set, otherKey);
    const { code, text } = await forget(set);
    expect([code, text]).toEqual([3, expect.stringContaining(`0 remembered languages forgotten\nnot searched: `)]);
    expect(await set.catalogue.preferences.find(hash)).toBe('nl');
  });

  test('leaves nothing behind in the process that was refused', async () => {
    const set = await stage();
    await set.called(number);
    await configure(set, { hashKey: otherKey });
    const before = process.listenerCount('SIGINT');
    await expect(set.erased()).rejects.toMatchObject(wrong);
    await expect(set.exported()).rejects.toMatchObject(wrong);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  test('is of no account before any call is kept', async () => {
    const set = await stage();
    expect(await set.exported()).toMatchObject({ code: 0, json: { calls: 0, unsearchedKeys: [] } });
  });
});

describe('the keys that are configured', () => {
  test('none, before any call was kept: requests cannot be answered', async () => {
    const set = await stage();
    expect(
      await numberKeyWarning(
        { privacy: { callerDays: 90, keepExtensions: false, dialledDays: 0, traceDays: 395, preferenceDays: 365 } },
        set.catalogue,
      ),
    ).toContain('cannot be answered');
  });

  test('another key of the numbers: the export says that the number is not in it', async () => {
    const set = await stage();
    await set.called(number);
    await configure(set, { hashKey, numberKey: otherKey });
    expect(await set.exported()).toMatchObject({ code: 3, json: { calls: 1, numberUnread: true } });
    expect((await set.exported({ force: true, json: false })).text).toContain('the number: not in it');
    await configure(set, { hashKey, numberKey });
    expect(await set.exported({ force: true })).toMatchObject({ code: 0, json: { numberUnread: false } });
  });

  test.each([
    ['the same', { hashKey, numberKey }, undefined],
    ['the same, without one for numbers', { hashKey }, undefined],
    ['no key of the hashes', {}, 'number_key_wrong'],
    ['another key of the hashes', { hashKey: otherKey, numberKey }, 'number_key_wrong'],
    ['another key of the numbers', { hashKey, numberKey: otherKey }, 'number_key_wrong'],
  ])('%s: what check and serve say', async (_, privacy, said) => {
    const set = await stage();
    await set.called(number);
    await set.calledOnly('anonymous');
    const config = {
      privacy: {
        callerDays: 90,
        keepExtensions: false,
        dialledDays: 0,
        traceDays: 395,
        preferenceDays: 365,
        ...privacy,
      },
    };
    const { log, lines } = collectingLog('info');
    await tellWrongNumberKeys(config, set.catalogue, log);
    const warning = () => numberKeyWarning(config, set.catalogue);
    if (said === 'number_key_wrong') {
      await expect(warning()).rejects.toMatchObject(wrong);
      expect(lines).toMatchObject([{ code: 'number_key_wrong' }]);
    } else {
      expect(await warning()).toEqual(said === undefined ? undefined : expect.stringContaining(said));
      expect(lines).toEqual([]);
    }
  });
});
