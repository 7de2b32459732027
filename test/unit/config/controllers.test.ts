import { randomBytes } from 'node:crypto';
import { parseConfig } from '../../../src/config/load.ts';
import { asController } from '../../../src/config/controllerView.ts';
import { processingRegister } from '../../../src/policy/processingRegister.ts';
import { processorRegister, processorRegisterMarkdown } from '../../../src/policy/processorRegister.ts';
import { aPurpose, purposesConfig } from '../../support/policy/purposes.ts';

/** Companies that one installation records for. */

const key = randomBytes(32).toString('base64');
const tree = purposesConfig(
  { training: aPurpose(), agreement: aPurpose({ kind: 'evidence', consent: 'announce' }), spare: aPurpose() },
  { default: ['training'], acme: ['agreement'], bakker: ['training', 'agreement'] },
) as { lines: Record<string, object> };
const acme = { name: 'Acme NV', contact: 'privacy@acme.example', transfers: 'none', recipients: ['Host NV'] };
const several = {
  ...tree,
  controller: { name: 'Host NV', contact: 'privacy@host.example', transfers: 'none' },
  processor: { name: 'Host NV', contact: 'privacy@host.example', subprocessors: ['Data centre SA'] },
  controllers: { acme, bakker: { name: 'Bakker BV' } },
  lines: {
    ...tree.lines,
    acme: { ...tree.lines['acme'], controller: 'acme' },
    bakker: { ...tree.lines['bakker'], controller: 'bakker' },
  },
};
const faultsOf = (changed: object): string => {
  try {
    parseConfig({ ...several, ...changed });
  } catch (error) {
    return (error as Error).message;
  }

  return '';
};
const client = { encryption: { mode: 'client', key } };

describe('a configuration is refused', () => {
  test.each<[string, object, string]>([
    [
      'whose line names a company that it does not have',
      { lines: { ...several.lines, acme: { ...several.lines.acme, controller: 'acne' } } },
      'lines.acme.controller: is not a name of controllers',
    ],
    [
      'whose company is named as the lines without one are',
      { controllers: { ...several.controllers, own: {} } },
      'controllers: has the name own',
    ],
    [
      'with a key of a company where Préavis does not encrypt',
      { controllers: { ...several.controllers, acme: { ...acme, encryption: { key } } } },
      'controllers.acme.encryption.key: needs archive.encryption.mode: client',
    ],
    [
      'with an id of a key and no program of a KMS',
      { controllers: { ...several.controllers, acme: { ...acme, encryption: { keyId: 'a' } } }, archive: client },
      'controllers.acme.encryption.keyId: needs archive.encryption.kmsCommand',
    ],
    [
      'with a key that is none, which it does not repeat',
      { controllers: { ...several.controllers, acme: { ...acme, encryption: { key: 'secret' } } }, archive: client },
      'controllers.acme.encryption.key: is not 32 random bytes',
    ],
  ])('%s', (_name, changed, message) => {
    expect(faultsOf(changed)).toContain(message);
    expect(faultsOf(changed)).not.toContain('secret');
  });

  test('and the one before these changes is not', () => {
    expect(faultsOf({})).toBe('');
  });
});

describe('what a company sees of the configuration', () => {
  const config = parseConfig(several);

  test('are its own lines and their purposes, with itself as the controller', () => {
    const seen = asController(config, 'acme');
    expect(Object.keys(seen.lines)).toEqual(['acme']);
    expect(Object.keys(seen.purposes)).toEqual(['agreement']);
    expect(seen.controller).toMatchObject(acme);
    expect(JSON.stringify(seen)).not.toContain('Bakker');
  });

  test('are, for the company of the installation, the lines of none, and purposes that no line has', () => {
    const seen = asController(config, null);
    expect(Object.keys(seen.lines)).toEqual(['default']);
    expect(Object.keys(seen.purposes)).toEqual(['training', 'spare']);
    expect(seen.controller.name).toBe('Host NV');
  });

  test('is all of it where there is one company', () => {
    const alone = parseConfig(tree);
    expect(asController(alone, null)).toBe(alone);
  });
});

describe('the register', () => {
  const config = parseConfig(several);
  const printedAt = '2026-08-24T10:00:00.000Z';

  test('of a company names its own keys where something is missing', () => {
    const { missing, activities } = processingRegister(asController(config, 'bakker'), printedAt, 'controllers.bakker');
    expect(activities.map(({ purpose }) => purpose)).toEqual(['training', 'agreement']);
    expect(missing).toEqual(expect.arrayContaining(['controllers.bakker.contact', 'controllers.bakker.transfers']));
    expect(missing).not.toContain('controllers.bakker.name');
  });

  test('of whoever runs the installation has a part for each company (GDPR art. 30(2))', () => {
    const register = processorRegister(config, printedAt);
    expect(register.processor.name).toBe('Host NV');
    expect(register.onBehalfOf).toMatchObject([
      { id: 'acme', controller: { name: 'Acme NV' }, lines: ['acme'], purposes: ['agreement'], ownKey: false },
      { id: 'bakker', controller: { name: 'Bakker BV' }, lines: ['bakker'], transfers: null },
    ]);
    expect(register.missing).toEqual(['controllers.bakker.contact', 'controllers.bakker.transfers']);
    const text = processorRegisterMarkdown(register);
    for (const words of ['## acme', 'Acme NV', 'Data centre SA', 'Host NV', '**Not complete:**']) {
      expect(text).toContain(words);
    }
  });

  test('says which companies have a key of their own', () => {
    const withKey = parseConfig({
      ...several,
      controllers: { ...several.controllers, acme: { ...acme, encryption: { key } } },
      archive: client,
    });
    expect(processorRegister(withKey, printedAt).onBehalfOf.map(({ ownKey }) => ownKey)).toEqual([true, false]);
  });
});
