import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { consentFor, type ConsentMode } from '../../../src/config/consent.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { makePolicy } from '../../../src/policy/policy.ts';
import { loadPrompts } from '../../../src/prompts/library.ts';
import { shippedPurposeFiles, shippedPurposes } from '../../../src/config/purposeFiles.ts';
import type { Config } from '../../../src/config/schema.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import { aPurpose } from '../../support/policy/purposes.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const reason = { justification: 'Written for a test, because nobody else can say why.' };
const line = (...purposes: string[]): Record<string, unknown> => ({ purposes, defaultLanguages: ['fr'] });
/** As the file wants it: in France an agreement is recorded from where it is made. */
const lineOf = (file: string, id: string): unknown => ({
  ...line(id),
  ...(file === 'fr' && id === 'agreement' ? { records: 'onRequest' } : {}),
});

let count = 0;
/** Loads this configuration from a file of its own, JSON being YAML. */
async function load(tree: Record<string, unknown>, environment: NodeJS.ProcessEnv = {}): Promise<Config> {
  count += 1;
  const file = folder.path(`preavis-${count}.yaml`);
  await writeFile(file, JSON.stringify(tree));

  return loadConfig(file, environment);
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  if (thrown instanceof PreavisError) return `${thrown.code}: ${thrown.message} ${thrown.hint}`;
  throw new Error(String(thrown));
}

/** Every purpose of a shipped file, with a justification where it has none, each on a line of its own. */
async function shipped(name: string): Promise<Config['purposes']> {
  const { purposes } = parse(await readFile(join(shippedPurposes, `${name}.yaml`), 'utf8')) as {
    purposes: Record<string, Record<string, unknown>>;
  };
  const ids = Object.keys(purposes);
  const config = await load({
    purposeFiles: [name],
    notice: { languages: ['fr', 'nl', 'de', 'en', 'es', 'it', 'lb'] },
    purposes: Object.fromEntries(ids.map((id) => [id, { ...reason, ...purposes[id] }])),
    lines: { ...Object.fromEntries(ids.map((id) => [id, lineOf(name, id)])), default: line(ids[0] ?? '') },
  });

  return config.purposes;
}

/** The configuration and the sentences together, as a first start meets them: a justification, a line for each purpose. */
async function firstStart(name: string): Promise<void> {
  const { purposes } = parse(await readFile(join(shippedPurposes, `${name}.yaml`), 'utf8')) as { purposes: object };
  const ids = Object.keys(purposes);
  const config = await load({
    purposeFiles: [name],
    purposes: Object.fromEntries(ids.map((id) => [id, reason])),
    lines: { ...Object.fromEntries(ids.map((id) => [id, lineOf(name, id)])), default: line(ids[0] ?? '') },
  });
  makePolicy(config, await loadPrompts(shippedSounds));
}

describe('the shipped purposes', () => {
  test('are those of nine countries and of MiFID II', async () => {
    expect(await shippedPurposeFiles()).toEqual(['at', 'be', 'ch', 'de', 'es', 'eu-mifid', 'fr', 'it', 'lu', 'nl']);
  });

  test.each(['at', 'be', 'ch', 'de', 'es', 'eu-mifid', 'fr', 'it', 'lu', 'nl'])(
    'of %s are valid with the shipped sentences, a line on each',
    async (name) => {
      await expect(firstStart(name)).resolves.toBeUndefined();
    },
  );

  type Row = [file: string, id: string, consent: ConsentMode, keep: number, most: number, holds: boolean];
  test.each<Row>([
    ['at', 'training', 'optIn', 27, 90, false],
    ['at', 'agreement', 'optIn', 365, 1096, true],
    ['be', 'training', 'optOut', 27, 31, false],
    ['be', 'agreement', 'announce', 392, 3653, true],
    ['es', 'training', 'optOut', 27, 184, false],
    ['es', 'agreement', 'announce', 365, 1827, true],
    ['it', 'training', 'optOut', 27, 92, false],
    ['it', 'agreement', 'announce', 365, 3653, true],
    ['fr', 'training', 'optOut', 27, 184, false],
    ['fr', 'agreement', 'announce', 365, 1827, true],
    ['nl', 'training', 'optOut', 27, 184, false],
    ['nl', 'agreement', 'announce', 365, 1827, true],
    ['de', 'training', 'optIn', 27, 90, false],
    ['de', 'agreement', 'optIn', 365, 1461, true],
    ['lu', 'training', 'optIn', 27, 31, false],
    ['lu', 'agreement', 'announce', 392, 3653, true],
    ['ch', 'training', 'optIn', 27, 184, false],
    ['ch', 'agreement', 'announce', 365, 3653, true],
    ['eu-mifid', 'mifid', 'announce', 1827, 2557, true],
  ])('%s %s: %s, kept %d of %d days, holds %p', async (file, id, consent, keepDays, maximumDays, holdsAllowed) => {
    const purpose = (await shipped(file))[id];
    expect(purpose).toMatchObject({ consent, keepDays, maximumDays, holdsAllowed, checkedByCounsel: false });
    expect(purpose?.jurisdiction).toBe(file === 'eu-mifid' ? 'EU' : file.toUpperCase());
    expect(purpose?.kind).toBe({ training: 'training', agreement: 'evidence', mifid: 'obligation' }[id]);
    expect(purpose?.source?.length).toBeGreaterThan(10);
    expect(purpose?.mayListen.length).toBeGreaterThan(0);
  });

  test.each<[file: string, id: string, country: string | undefined, mode: ConsentMode]>([
    ['be', 'training', 'BE', 'optOut'],
    ['be', 'training', undefined, 'optOut'],
    ['be', 'training', 'DE', 'optIn'],
    ['be', 'training', 'LU', 'optIn'],
    ['be', 'training', 'AT', 'optIn'],
    ['be', 'training', 'CH', 'optIn'],
    ['be', 'agreement', 'AT', 'optIn'],
    ['be', 'agreement', 'CH', 'announce'],
    ['fr', 'training', 'CH', 'optIn'],
    ['nl', 'training', 'AT', 'optIn'],
    ['be', 'agreement', 'BE', 'announce'],
    ['be', 'agreement', 'LU', 'announce'],
    ['be', 'agreement', 'DE', 'optIn'],
    ['de', 'agreement', 'BE', 'optIn'],
    ['eu-mifid', 'mifid', 'DE', 'announce'],
  ])('%s %s: a caller from %s means %s', async (file, id, country, mode) => {
    const purposes = Object.entries(await shipped(file)).map(([each, purpose]) => ({ id: each, ...purpose }));
    const asked = purposes.filter((purpose) => purpose.id === id);
    expect(consentFor(asked, country).mode).toBe(mode);
  });

  test('record a sample of French calls for training, and nothing of a French agreement before it is asked for', async () => {
    expect((await shipped('fr'))['training']?.recordPercent).toBe(10);
    const tree = { purposeFiles: ['fr'], purposes: { agreement: reason }, lines: { default: line('agreement') } };
    expect(await faultOf(load(tree))).toMatch(/lines\.default\.records: must be onRequest for agreement/);
  });

  test('name what counsel must decide', async () => {
    for (const name of await shippedPurposeFiles()) {
      expect(await readFile(join(shippedPurposes, `${name}.yaml`), 'utf8')).toMatch(/^# For counsel to decide:\n# - /m);
    }
  });

  test('say every key, so that one file laid over another leaves nothing of it', async () => {
    const keys = async (file: string): Promise<string[][]> =>
      Object.values(await shipped(file)).map((purpose) => Object.keys(purpose).sort());
    const all = (await Promise.all((await shippedPurposeFiles()).map(keys))).flat();
    for (const each of all) expect(each).toEqual(all[0]);
    expect(all[0]).toContain('maximumDays');
  });

  test('leave the justification to the company, except where the law demands the recording', async () => {
    for (const name of await shippedPurposeFiles()) {
      const text = await readFile(join(shippedPurposes, `${name}.yaml`), 'utf8');
      expect(text.includes('justification:')).toBe(name === 'eu-mifid');
      expect(text).toMatch(/checked by counsel/);
    }
  });

  test('are what config/preavis.yaml uses, with the shipped sentences', async () => {
    const config = await loadConfig(join(shippedPurposes, '..', 'preavis.yaml'), {});
    expect(config.purposeFiles).toEqual(['be']);
    expect(config.purposes['training']).toMatchObject({ jurisdiction: 'BE', keepDays: 27 });
    const policy = makePolicy(config, await loadPrompts(shippedSounds));
    expect([...policy.purposes.keys()]).toEqual(['training', 'agreement']);
  });
});

describe('purposeFiles', () => {
  test('the shortest purpose is its justification', async () => {
    const config = await load({
      purposeFiles: ['be'],
      purposes: { training: reason },
      lines: { default: line('training') },
    });
    expect(Object.keys(config.purposes)).toEqual(['training']);
    expect(config.purposes['training']).toMatchObject({ ...reason, consent: 'optOut', keepDays: 27 });
  });

  test('a purpose that a line names needs a justification', async () => {
    expect(await faultOf(load({ purposeFiles: ['be'], lines: { default: line('training') } }))).toMatch(
      /config_invalid: purposes\.training\.justification: is missing/,
    );
  });

  test('later files go over earlier ones, and purposes over all, key by key', async () => {
    await mkdir(folder.path('own'), { recursive: true });
    await writeFile(
      folder.path('own/ours.yaml'),
      JSON.stringify({ purposes: { training: { ...reason, keepDays: 20, names: { en: 'coaching' } } } }),
    );
    const config = await load({
      purposeFiles: ['fr', 'be', './own/ours.yaml'],
      purposes: { training: { recordPercent: 10 } },
      lines: { default: line('training') },
    });
    expect(config.purposes['training']).toMatchObject({ jurisdiction: 'BE', keepDays: 20, recordPercent: 10 });
    expect(config.purposes['training']?.names).toMatchObject({ en: 'coaching', fr: 'formation et qualité' });
  });

  test('the environment can name them', async () => {
    const config = await load(
      { purposes: { training: reason }, lines: { default: line('training') } },
      { PREAVIS_PURPOSE_FILES: 'be, nl' },
    );
    expect(config.purposes['training']?.jurisdiction).toBe('NL');
  });

  test('the law still holds over what a file gives', async () => {
    const tree = {
      purposeFiles: ['lu'],
      purposes: { training: { ...reason, consent: 'announce' } },
      lines: { default: line('training') },
    };
    expect(await faultOf(load(tree))).toMatch(/training in LU needs optIn/);
  });

  test.each([
    [
      'a name that is not shipped',
      ['atlantis'],
      /ships no purposes named atlantis It ships at, be, ch, de, es, eu-mifid, fr, it, lu, nl;/,
    ],
    ['a file that is not there', ['missing.yaml'], /config_unreadable: .*missing\.yaml cannot be read \(ENOENT\)/],
    ['a file with other keys', ['other.yaml'], /other\.yaml must hold the key purposes and no other/],
    ['a file that is not YAML', ['broken.yaml'], /config_unreadable: .*broken\.yaml is not YAML/],
    ['something else than a list', 'be', /config_invalid: purposeFiles: /],
    ['something else than names', [1], /config_invalid: purposeFiles\.0: /],
  ])('%s is refused', async (_, purposeFiles, fault) => {
    await writeFile(folder.path('other.yaml'), JSON.stringify({ purposes: {}, lines: {} }));
    await writeFile(folder.path('broken.yaml'), 'purposes: [');
    const tree = { purposeFiles, purposes: { training: aPurpose() }, lines: { default: line('training') } };
    expect(await faultOf(load(tree))).toMatch(fault);
  });

  test('a purpose named __proto__ changes nothing', async () => {
    await writeFile(folder.path('proto.yaml'), 'purposes: { __proto__: { keepDays: 1, justification: none } }');
    const config = await load({
      purposeFiles: ['proto.yaml'],
      notice: { languages: ['fr', 'nl'] },
      purposes: { training: aPurpose() },
      lines: { default: line('training') },
    });
    expect(Object.keys(config.purposes)).toEqual(['training']);
    expect(config.purposes['justification']).toBeUndefined();
    expect(Object.getPrototypeOf(config.purposes)).toBe(Object.prototype);
  });
});
