import { parseConfig } from '../../../src/config/load.ts';
import { makePolicy, neededPrompts } from '../../../src/config/policy.ts';
import { makePromptLibrary } from '../../../src/config/prompts.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { aLibrary, aPolicy, aPrompt, configTree } from '../../support/calls.ts';

type Tree = {
  purposes: Record<string, Record<string, unknown>>;
  lines: Record<string, Record<string, unknown>>;
  notice?: Record<string, unknown>;
};

/** The configuration of the makers with one thing changed. */
function changed(change: (tree: Tree) => void): Tree {
  const tree = structuredClone(configTree()) as Tree;
  change(tree);

  return tree;
}

function faults(tree: unknown, library = aLibrary()): string {
  try {
    makePolicy(parseConfig(tree), library);
  } catch (error) {
    if (error instanceof PreavisError && error.code === 'config_invalid') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a policy', () => {
  test('joins purposes, lines and the sentences of the notice', () => {
    const policy = aPolicy();
    expect(policy.purposes.get('training')).toMatchObject({ id: 'training', keepDays: 28 });
    expect(policy.lines.get('orders')).toMatchObject({ name: 'orders', language: 'nl' });
    expect(policy.maximumRecordingSeconds).toBe(240 * 60);
    expect(policy.notice(['agreement', 'training'], 'nl')?.map((prompt) => prompt.id)).toEqual([
      'notice-training',
      'keep-training',
      'notice-agreement',
      'keep-agreement',
    ]);
  });

  test('needs each sentence of its lines once, in every language', () => {
    const needed = neededPrompts(aPolicy());
    expect(needed).toHaveLength(16);
    expect(new Set(needed.map((prompt) => prompt.soundName)).size).toBe(16);
  });

  test('does not need sentences that no line uses', () => {
    const tree = changed((all) => {
      delete all.lines['orders'];
    });
    expect(neededPrompts(aPolicy(tree)).every((prompt) => prompt.purposes.includes('training'))).toBe(true);
  });
});

describe('the version of a policy', () => {
  const version = aPolicy().version;

  test('is the same for the same content', () => {
    expect(aPolicy().version).toBe(version);
    expect(aPolicy({ ...configTree(), log: { level: 'debug' } }).version).toBe(version);
  });

  test.each<[string, (tree: Tree) => void]>([
    [
      'a justification',
      (tree) =>
        (tree.purposes['training'] = { ...tree.purposes['training'], justification: 'Because we want to learn.' }),
    ],
    ['a storage time', (tree) => (tree.purposes['training'] = { ...tree.purposes['training'], keepDays: 27 })],
    ['a line', (tree) => (tree.lines['sales'] = { ...tree.lines['default'] })],
    ['the languages', (tree) => (tree.notice = { languages: ['fr', 'nl'] })],
  ])('changes with %s', (_, change) => {
    expect(aPolicy(changed(change)).version).not.toBe(version);
  });

  test('changes with the words or the sound of a prompt', () => {
    const library = aLibrary();
    const [first, ...rest] = library.prompts;
    for (const over of [{ text: 'other words' }, { sha256: 'f'.repeat(64) }]) {
      const prompts = [aPrompt({ ...first, ...over }), ...rest];
      expect(aPolicy(configTree(), makePromptLibrary(library.languages, prompts)).version).not.toBe(version);
    }
  });
});

describe('a contradiction is refused by name:', () => {
  test.each<[string, (tree: Tree) => void, string]>([
    [
      'a storage time longer than the caller is told',
      (tree) => (tree.purposes['training'] = { ...tree.purposes['training'], keepDays: 32, jurisdiction: 'other' }),
      'purposes.training.keepDays: 32 days is longer than prompt keep-training (fr) says (31)',
    ],
    [
      'a line for a purpose that is none',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], purposes: ['fun'] }),
      'lines.default.purposes: there is no purpose fun',
    ],
    [
      'a line with a purpose twice, which no call could name',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], purposes: ['training', 'training'] }),
      'lines.default.purposes: names a purpose twice',
    ],
    [
      'a default language that is not offered',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], defaultLanguages: ['it'] }),
      'lines.default: the language it is not one of notice.languages',
    ],
    [
      'a language of a line that is not offered',
      (tree) => (tree.lines['orders'] = { ...tree.lines['orders'], language: 'es' }),
      'lines.orders: the language es is not one of notice.languages',
    ],
    [
      'a default language twice, which would be played twice',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], defaultLanguages: ['fr', 'fr'] }),
      'lines.default.defaultLanguages: names a language twice',
    ],
    [
      'an offered language without a notice',
      (tree) => (tree.notice = { languages: ['fr', 'nl', 'it'] }),
      'lines.default: there is no notice for training in it',
    ],
    [
      'a country that is none',
      (tree) => (tree.notice = { defaultCountry: 'XX' }),
      'notice.defaultCountry: XX is not a country',
    ],
  ])('%s', (_, change, message) => {
    expect(faults(changed(change))).toContain(message);
  });

  test('all of them at once', () => {
    const message = faults(
      changed((tree) => {
        tree.purposes['training'] = { ...tree.purposes['training'], keepDays: 99, jurisdiction: 'other' };
        tree.lines['orders'] = { ...tree.lines['orders'], language: 'es' };
      }),
    );
    expect(message).toContain('purposes.training.keepDays');
    expect(message).toContain('the language es');
  });
});

describe('a storage time', () => {
  test('may be what the caller is told to the day, and anything where no number is told', () => {
    const tree = changed((all) => {
      all.purposes['training'] = { ...all.purposes['training'], keepDays: 31 };
      all.purposes['agreement'] = { ...all.purposes['agreement'], keepDays: 3_653 };
    });
    expect(() => aPolicy(tree)).not.toThrow();
  });
});
