import { parseConfig } from '../../../src/config/load.ts';
import { makePolicy, neededPrompts } from '../../../src/policy/policy.ts';
import { makePromptLibrary, type Prompt } from '../../../src/prompts/library.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { aPrompt, configTree } from '../../support/call/calls.ts';
import { aLibrary, aPolicy } from '../../support/policy/policies.ts';

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
      (tree) => (tree.purposes['training'] = { ...tree.purposes['training'], jurisdiction: 'other', keepDays: 32 }),
      'purposes.training.keepDays: 32 days is longer than prompt keep-training (fr, nl, de, en) says (31)',
    ],
    [
      'a line for a purpose that is none',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], purposes: ['fun'] }),
      'lines.default.purposes: there is no purpose fun',
    ],
    [
      'a line for a purpose that is misspelt',
      (tree) => (tree.lines['default'] = { ...tree.lines['default'], purposes: ['trainig'] }),
      'lines.default.purposes: there is no purpose trainig (did you mean training?)',
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
        tree.purposes['training'] = { ...tree.purposes['training'], jurisdiction: 'other', keepDays: 99 };
        tree.lines['orders'] = { ...tree.lines['orders'], language: 'es' };
      }),
    );
    expect(message).toContain('purposes.training.keepDays');
    expect(message).toContain('the language es');
  });
});

describe('sentences of consent', () => {
  const consent = (mode: string, line: object = {}): Tree =>
    changed((tree) => {
      Object.assign(tree.purposes['training'] ?? {}, { consent: mode });
      Object.assign(tree.lines['default'] ?? {}, line);
    });
  /** The library of the makers with these prompts changed, or left out. */
  const library = (change: (prompt: Prompt) => Prompt | undefined) =>
    makePromptLibrary(
      ['fr', 'nl', 'de', 'en'],
      aLibrary().prompts.flatMap((prompt) => change(prompt) ?? []),
    );
  const lacking = (kind: Prompt['kind'], ...languages: string[]) =>
    library((prompt) => (prompt.kind === kind && languages.includes(prompt.language) ? undefined : prompt));
  const keyed = (kind: Prompt['kind'], language: string, keys: Prompt['keys']) =>
    library((prompt) => (prompt.kind === kind && prompt.language === language ? { ...prompt, keys } : prompt));
  const asks = { askLanguage: true };

  test.each<[string, Tree, ReturnType<typeof library>, string]>([
    [
      'the question of an opt-out is missing in two languages',
      consent('optOut'),
      lacking('optOut', 'nl', 'en'),
      'lines.default: there is no optOut sentence in nl, en',
    ],
    [
      'what follows a refusal is missing',
      consent('optOut'),
      lacking('optOutAck', 'de'),
      'lines.default: there is no optOutAck sentence in de',
    ],
    [
      'the question of an opt-in is missing',
      consent('optIn'),
      lacking('optIn', 'fr'),
      'lines.default: there is no optIn sentence in fr',
    ],
    [
      'the question for callers of another country is missing',
      changed((tree) => Object.assign(tree.purposes['training'] ?? {}, { optInForCountries: ['DE'] })),
      lacking('optIn', 'de'),
      'lines.default: there is no optIn sentence in de',
    ],
    [
      'the menu lacks a language',
      consent('announce', asks),
      lacking('chooseLanguage', 'nl'),
      'lines.default: there is no chooseLanguage sentence in nl',
    ],
    [
      'a key refuses in one language and not in another',
      consent('optOut'),
      keyed('optOut', 'nl', { refuse: '8' }),
      'lines.default: the keys of the optOut sentences contradict each other',
    ],
    [
      'a key accepts in one language and refuses in another',
      consent('optIn'),
      keyed('optIn', 'nl', { accept: '9', refuse: '1' }),
      'lines.default: the keys of the optIn sentences contradict each other',
    ],
    [
      'one key chooses two languages',
      consent('announce', asks),
      keyed('chooseLanguage', 'nl', { choose: '1' }),
      'lines.default: the keys of the chooseLanguage sentences contradict each other',
    ],
  ])('are refused by name when %s', (_, tree, prompts, message) => {
    expect(faults(tree, prompts)).toContain(message);
  });

  test.each<[string, Tree, Prompt['kind']]>([
    ['the question of an opt-in where callers may refuse', consent('optOut'), 'optIn'],
    ['the menu of a line that does not ask', consent('optOut'), 'chooseLanguage'],
    ['every question where nobody is asked', consent('announce'), 'optOut'],
  ])('are not needed: %s', (_, tree, kind) => {
    expect(() => aPolicy(tree, lacking(kind, 'fr', 'nl', 'de', 'en'))).not.toThrow();
  });

  test('are among the prompts that Asterisk must have', () => {
    const kinds = (tree: Tree): string[] => [...new Set(neededPrompts(aPolicy(tree)).map(({ kind }) => kind))].sort();
    expect(kinds(consent('announce'))).toEqual(['purpose', 'storage']);
    const refusable = ['erasedAck', 'optOut', 'optOutAck', 'purpose', 'storage'];
    expect(kinds(consent('optOut', asks))).toEqual(['chooseLanguage', ...refusable]);
    expect(kinds(consent('optIn'))).toEqual([
      'erasedAck',
      'noAnswer',
      'optIn',
      'optInAck',
      'optOutAck',
      'purpose',
      'storage',
    ]);
  });
});

describe('what a line says of codes', () => {
  const withLine = (more: object): Tree =>
    changed((tree) => (tree.lines['default'] = { ...tree.lines['default'], ...more }));
  const kinds = (more: object): string[] =>
    [...new Set(neededPrompts(aPolicy(withLine(more))).map(({ kind }) => kind))].sort();

  test('needs the sentences that its codes say, and no others', () => {
    expect(kinds({ codes: { exemplary: '*7' } })).toEqual(['purpose', 'storage']);
    expect(kinds({ codes: { pause: '*1' } })).toEqual(['paused', 'purpose', 'resumed', 'storage']);
    expect(kinds({ codes: { erase: '*4' } })).toEqual(['erasedAck', 'purpose', 'storage']);
    expect(kinds({ records: 'onRequest' })).toEqual(['paused', 'purpose', 'resumed', 'storage']);
  });

  test('makes a notice untrue that says that every call is recorded, where that is on request', () => {
    const library = aLibrary();
    const prompts = library.prompts.map((each) =>
      each.kind === 'purpose' ? { ...each, wording: 'is' as const } : each,
    );
    const always = makePromptLibrary(library.languages, prompts);
    expect(() => aPolicy(configTree(), always)).not.toThrow();
    expect(() => aPolicy(withLine({ records: 'onRequest' }), always)).toThrow(
      'says that the call is recorded, but its line records on request: it must say "may be"',
    );
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

describe('who works here', () => {
  const of = (staff: object, line: object = {}) =>
    aPolicy({
      ...configTree(),
      staff,
      lines: { default: { purposes: ['training'], defaultLanguages: ['fr'], ...line } },
    });

  test('is named, or has an endpoint that begins so, or that a pattern is of', () => {
    const { staffOf } = of({ extensions: ['reception', 'acme-*', '_1XX'] });
    const known = ['reception', 'acme-101', 'acme-', '150'];
    const others = ['receptions', 'acme', 'bakker-acme-101', '1500', 'acm'];
    expect([...known, ...others].filter((each) => staffOf('default').has(each))).toEqual(known);
  });

  test('is what the line says, in the place of what holds for all', () => {
    const { staffOf } = of({ extensions: ['101'] }, { staff: ['acme-101'] });
    expect(['101', 'acme-101'].map((each) => staffOf('default').has(each))).toEqual([false, true]);
    expect(['101', 'acme-101'].map((each) => staffOf('nowhere').has(each))).toEqual([true, false]);
  });

  test.each([
    [{ extensions: ['101'] }, { staff: [], newcomers: 'inside' }, 'inside needs staff of the line, which is empty'],
    [{}, { newcomers: 'inside' }, 'inside needs staff.extensions, which is empty'],
  ])('is somebody where the line goes on with them: %j %j', (staff, line, fault) => {
    expect(() => of(staff, line)).toThrow(fault);
  });

  test.each(['*', 'ac*me', '_acme-*', 'acme 101'])('is not said by %p', (extension) => {
    expect(() => of({ extensions: [extension] })).toThrow();
  });
});
