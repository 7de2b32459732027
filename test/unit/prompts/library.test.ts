import { createHash } from 'node:crypto';
import { loadPrompts, type Prompt } from '../../../src/prompts/library.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { makePromptFolder, type PromptFolder, toneWav } from '../../support/policy/promptFolder.ts';

const header = `
languages:
  fr: { made: placeholder, voice: a }
  nl: { made: recording, voice: b }
prompts:
`;

const promises = (purposes: string): string => `{ ${purposes.replace(/\w+/g, '$&: 31')} }`;

const entry = (id: string, kind: string, purposes: string, text = '{ fr: Bonjour, nl: Dag }'): string => {
  const wording = kind === 'storage' ? '' : 'wording: may, ';
  const days = kind === 'purpose' ? '' : `statesMaxDays: ${promises(purposes)}, `;
  return `  ${id}: { kind: ${kind}, purposes: [${purposes}], ${wording}${days}text: ${text} }\n`;
};

/** A sentence that names no purpose. */
const other = (id: string, rest: string, text = '{ fr: Bonjour, nl: Dag }'): string =>
  `  ${id}: { ${rest}, text: ${text} }\n`;

let folder: PromptFolder;

beforeEach(() => {
  folder = makePromptFolder();
});
afterEach(() => {
  folder.remove();
});

/** Writes prompts.yaml and a tone of its own for every id in both languages. */
async function withPrompts(yaml: string, ids: readonly string[]): Promise<void> {
  await folder.yaml(yaml);
  let frequency = 300;
  for (const id of ids) {
    for (const language of ['fr', 'nl']) {
      frequency += 50;
      await folder.write(`${language}/${id}.wav`, toneWav(frequency, 1234));
    }
  }
}

async function faultOf(promise: Promise<unknown>): Promise<PreavisError> {
  const outcome: unknown = await promise.then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof PreavisError) return outcome;
  throw new Error(String(outcome));
}

const idsOf = (notice: Prompt[] | undefined): string[] | undefined => notice?.map(({ id }) => id);

describe('loading', () => {
  test('a prompt carries its text, purposes, promised days, hash and length', async () => {
    await withPrompts(header + entry('keep', 'storage', 'training'), ['keep']);
    const library = await loadPrompts(folder.path);
    const sha256 = createHash('sha256').update(toneWav(350, 1234)).digest('hex');
    expect(library.languages).toEqual(['fr', 'nl']);
    expect(library.find('keep', 'fr')).toEqual({
      id: 'keep',
      language: 'fr',
      text: 'Bonjour',
      kind: 'storage',
      purposes: ['training'],
      wording: null,
      statesMaxDays: { training: 31 },
      keys: null,
      made: 'placeholder',
      sha256,
      lengthMs: 1234,
      soundName: `preavis/keep-${sha256.slice(0, 12)}`,
    });
    expect(library.find('keep', 'de')).toBeUndefined();
  });

  test('one prompt has another sound name in each language, so a fallback to another language finds nothing', async () => {
    await withPrompts(header + entry('notice', 'purpose', 'training'), ['notice']);
    const library = await loadPrompts(folder.path);
    expect(new Set(library.prompts.map(({ soundName }) => soundName)).size).toBe(2);
  });

  test('a purpose sentence promises no days', async () => {
    await withPrompts(header + entry('notice', 'purpose', 'training'), ['notice']);
    expect((await loadPrompts(folder.path)).find('notice', 'nl')?.statesMaxDays).toBeNull();
  });

  test('a purpose sentence says whether the call may be or is recorded, a whole sentence also for how long', async () => {
    const yaml = header + entry('n', 'purpose', 'a') + entry('w', 'whole', 'b').replace('may', 'is');
    await withPrompts(yaml, ['n', 'w']);
    const library = await loadPrompts(folder.path);
    expect(library.find('n', 'nl')).toMatchObject({ wording: 'may', statesMaxDays: null });
    expect(library.find('w', 'nl')).toMatchObject({ wording: 'is', statesMaxDays: { b: 31 } });
  });

  test('a consent sentence carries the keys it names, the choice of a language that of each language', async () => {
    const yaml =
      header +
      other('out', "kind: optOut, keys: { refuse: '9' }") +
      other('in', "kind: optIn, keys: { accept: '1', refuse: '*' }") +
      other('choose', "kind: chooseLanguage, key: { fr: '1', nl: '2' }") +
      other('paused', 'kind: paused');
    await withPrompts(yaml, ['out', 'in', 'choose', 'paused']);
    const library = await loadPrompts(folder.path);
    expect(library.single('optOut', 'nl')?.keys).toEqual({ refuse: '9' });
    expect(library.single('optIn', 'fr')?.keys).toEqual({ accept: '1', refuse: '*' });
    expect(library.single('chooseLanguage', 'fr')?.keys).toEqual({ choose: '1' });
    expect(library.single('chooseLanguage', 'nl')?.keys).toEqual({ choose: '2' });
    expect(library.single('paused', 'nl')).toMatchObject({ id: 'paused', keys: null, purposes: [], wording: null });
    expect(library.single('resumed', 'nl')).toBeUndefined();
    expect(library.single('paused', 'de')).toBeUndefined();
  });

  test('a WAV that was made from other words is refused, one of which nothing is known is not', async () => {
    await withPrompts(header + entry('notice', 'purpose', 'training'), ['notice']);
    const made = async (text: string, wav: Buffer): Promise<void> => {
      const sha256 = createHash('sha256').update(wav).digest('hex');
      const origin = { text, voice: 'a', source: null, sha256 };
      await folder.write('made.json', Buffer.from(JSON.stringify({ 'fr/notice': origin })));
    };
    await made('Bonjour', toneWav(350, 1234));
    expect((await loadPrompts(folder.path)).prompts).toHaveLength(2);
    await made('Bonsoir', toneWav(999, 1234));
    expect((await loadPrompts(folder.path)).prompts).toHaveLength(2);
    await made('Bonsoir', toneWav(350, 1234));
    const error = await faultOf(loadPrompts(folder.path));
    expect(error.code).toBe('prompts_invalid');
    expect(error.message).toContain('fr/notice.wav says "Bonsoir", not what prompts.yaml says');
  });

  test('a damaged made.json is refused by name', async () => {
    await withPrompts(header + entry('notice', 'purpose', 'training'), ['notice']);
    await folder.write('made.json', Buffer.from('{'));
    expect((await faultOf(loadPrompts(folder.path))).message).toBe(`${folder.path}/made.json is damaged`);
  });

  const good = entry('notice', 'purpose', 'training');
  test.each([
    ['an unknown key of a prompt', header + good.replace('kind:', 'colour: red, kind:'), /prompts\.notice: .*colour/],
    ['an unknown key at the top', `${header}${good}extra: 1\n`, /extra/],
    [
      'days promised by a purpose sentence',
      header + good.replace('kind:', 'statesMaxDays: { training: 3 }, kind:'),
      /statesMaxDays/,
    ],
    [
      'a storage sentence without its days',
      header + good.replace('purpose, p', 'storage, p').replace('wording: may,', ''),
      /notice\.statesMaxDays/,
    ],
    [
      'a promise that leaves a purpose out',
      header + entry('notice', 'storage', 'a, b').replace('b: 31', ''),
      /notice\.statesMaxDays: must have exactly the purposes a, b/,
    ],
    ['an unknown kind', header + entry('notice', 'joke', 'training'), /prompts\.notice\.kind/],
    ['no purpose', header + entry('notice', 'purpose', ''), /notice\.purposes: must name at least one purpose/],
    [
      'a purpose named twice',
      header + entry('notice', 'purpose', 'a, a'),
      /notice\.purposes: must not name a purpose twice/,
    ],
    ['an id that leads out of the folder', header + entry('../x', 'purpose', 'training'), /\.\.\/x/],
    ['a language tag with a dash', header + entry('notice', 'purpose', 'a', '{ fr-BE: Bonjour }'), /fr-BE/],
    [
      'a text in an undeclared language',
      header + entry('notice', 'purpose', 'a', '{ de: Hallo }'),
      /text\.de: de is not one/,
    ],
    ['an empty text', header + entry('notice', 'purpose', 'a', '{ fr: " " }'), /notice\.text\.fr: must not be empty/],
    ['a key written twice', header + good + good, /not YAML.*unique/],
    [
      'two sentences for the same purposes',
      header + good + entry('again', 'purpose', 'training'),
      /again\.text\.fr: notice already/,
    ],
    ['a purpose sentence without wording', header + good.replace('wording: may, ', ''), /notice\.wording/],
    ['a wording that is neither may nor is', header + good.replace('wording: may', 'wording: will'), /notice\.wording/],
    [
      'two whole sentences for the same purposes',
      header + entry('notice', 'whole', 'a, b') + entry('again', 'whole', 'b, a'),
      /again\.text\.fr: notice already/,
    ],
    [
      'two sentences of a kind that needs one',
      header + other('notice', 'kind: paused') + other('again', 'kind: paused'),
      /again\.text\.nl: notice already/,
    ],
    ['a purpose of a sentence that names none', header + entry('notice', 'paused', 'a'), /prompts\.notice: .*purposes/],
    ['a question without its keys', header + other('notice', 'kind: optOut'), /notice\.keys/],
    [
      'a key that is not in quotes',
      header + other('notice', 'kind: optOut, keys: { refuse: 9 }'),
      /keys\.refuse: must be one key of a telephone in quotes/,
    ],
    [
      'a key of two digits',
      header + other('notice', "kind: optOut, keys: { refuse: '99' }"),
      /keys\.refuse: must be one key/,
    ],
    [
      'one key for yes and no',
      header + other('notice', "kind: optIn, keys: { accept: '1', refuse: '1' }"),
      /notice\.keys: 1 cannot both accept and refuse/,
    ],
    [
      'one key for two languages',
      header + other('notice', "kind: chooseLanguage, key: { fr: '1', nl: '1' }"),
      /notice\.key: two languages have the same key/,
    ],
    [
      'a language without its key',
      header + other('notice', "kind: chooseLanguage, key: { fr: '1' }"),
      /notice\.key: must have exactly the languages of text/,
    ],
    ['broken YAML', 'languages: [', /not YAML/],
    ['an empty file', '', /the file/],
  ])('%s is refused by name', async (_, yaml, message) => {
    await withPrompts(yaml, ['notice', 'again']);
    const error = await faultOf(loadPrompts(folder.path));
    expect(error.code).toBe('prompts_invalid');
    expect(error.message).toMatch(message);
  });

  test('a folder without prompts.yaml is refused with its path', async () => {
    const error = await faultOf(loadPrompts(folder.path));
    expect(error.code).toBe('prompts_invalid');
    expect(error.message).toContain(`${folder.path}/prompts.yaml cannot be read (ENOENT)`);
  });

  test('every unusable WAV is named at once', async () => {
    await withPrompts(header + entry('one', 'purpose', 'a') + entry('two', 'purpose', 'b'), ['two']);
    await folder.write('nl/two.wav', Buffer.from('hello'));
    const error = await faultOf(loadPrompts(folder.path));
    expect(error.message).toMatch(/fr\/one\.wav cannot be read \(ENOENT\).*nl\/one\.wav.*nl\/two\.wav is too short/);
  });

  test('one sound for two sentences is refused, because one of them is not said', async () => {
    await withPrompts(header + entry('notice', 'purpose', 'a'), ['notice']);
    await folder.write('nl/notice.wav', toneWav(350, 1234));
    expect((await faultOf(loadPrompts(folder.path))).message).toContain(
      'nl/notice.wav is the same file as fr/notice.wav',
    );
  });

  const patched = (offset: number, value: number): Buffer => {
    const bytes = toneWav(440);
    bytes.writeUInt16LE(value, offset);
    return bytes;
  };
  test.each([
    ['stereo', patched(22, 2), 'has 2 channels'],
    ['16 kHz', patched(24, 16000), 'has 16000 Hz, must be 8000 Hz'],
    ['8 bit', patched(34, 8), 'has 8 bits'],
    ['an encoding other than PCM', patched(20, 7), 'is not plain PCM'],
    ['a cut end', toneWav(440).subarray(0, -100), 'announces 16000 bytes of audio but has 15900'],
    ['something after the audio', Buffer.concat([toneWav(440), Buffer.from('LIST')]), 'announces 16000 bytes'],
    ['no audio', toneWav(440, 0), 'holds no audio'],
  ])('a WAV with %s is refused', async (_, bytes, message) => {
    await withPrompts(header + entry('notice', 'purpose', 'a'), ['notice']);
    await folder.write('fr/notice.wav', bytes);
    expect((await faultOf(loadPrompts(folder.path))).message).toContain(`fr/notice.wav ${message}`);
  });
});

describe('choosing the notice', () => {
  const single =
    entry('n-training', 'purpose', 'training') +
    entry('k-training', 'storage', 'training') +
    entry('n-agreement', 'purpose', 'agreement') +
    entry('k-agreement', 'storage', 'agreement');
  const singleIds = ['n-training', 'k-training', 'n-agreement', 'k-agreement'];
  const both = entry('n-both', 'purpose', 'training, agreement') + entry('k-both', 'storage', 'agreement, training');

  test('one purpose: what for, then how long', async () => {
    await withPrompts(header + single, singleIds);
    expect(idsOf((await loadPrompts(folder.path)).noticeFor(['agreement'], 'fr'))).toEqual([
      'n-agreement',
      'k-agreement',
    ]);
  });

  test('two purposes: the sentences that name both, whatever the order', async () => {
    await withPrompts(header + single + both, [...singleIds, 'n-both', 'k-both']);
    const library = await loadPrompts(folder.path);
    expect(idsOf(library.noticeFor(['training', 'agreement'], 'fr'))).toEqual(['n-both', 'k-both']);
    expect(idsOf(library.noticeFor(['agreement', 'training', 'agreement'], 'nl'))).toEqual(['n-both', 'k-both']);
  });

  test('a sentence that names more purposes than asked for is not used', async () => {
    await withPrompts(header + both, ['n-both', 'k-both']);
    expect((await loadPrompts(folder.path)).noticeFor(['training'], 'fr')).toBeUndefined();
  });

  test('without sentences for both, each purpose is followed by its own storage time, in a fixed order', async () => {
    await withPrompts(header + single, singleIds);
    const library = await loadPrompts(folder.path);
    expect(idsOf(library.noticeFor(['agreement', 'training'], 'fr'))).toEqual(singleIds);
    expect(idsOf(library.noticeFor(['training', 'agreement'], 'fr'))).toEqual(singleIds);
  });

  test('a whole sentence is the whole notice', async () => {
    const yaml = header + entry('w', 'whole', 'mifid');
    await withPrompts(yaml, ['w']);
    expect(idsOf((await loadPrompts(folder.path)).noticeFor(['mifid'], 'fr'))).toEqual(['w']);
  });

  test('a whole sentence for one purpose stands beside the two for another', async () => {
    await withPrompts(header + single + entry('w', 'whole', 'mifid'), [...singleIds, 'w']);
    const library = await loadPrompts(folder.path);
    expect(idsOf(library.noticeFor(['mifid', 'training'], 'nl'))).toEqual(['n-training', 'k-training', 'w']);
  });

  test('a whole sentence for more purposes than asked for is not used', async () => {
    await withPrompts(header + entry('w', 'whole', 'mifid, training'), ['w']);
    expect((await loadPrompts(folder.path)).noticeFor(['mifid'], 'fr')).toBeUndefined();
  });

  test('a missing storage sentence leaves no notice', async () => {
    await withPrompts(header + entry('n-training', 'purpose', 'training'), ['n-training']);
    expect((await loadPrompts(folder.path)).noticeFor(['training'], 'fr')).toBeUndefined();
  });

  test('a sentence missing in one language leaves no notice in that language only', async () => {
    const yaml = header + entry('n', 'purpose', 'training') + entry('k', 'storage', 'training', '{ fr: Bonjour }');
    await withPrompts(yaml, ['n', 'k']);
    const library = await loadPrompts(folder.path);
    expect(idsOf(library.noticeFor(['training'], 'fr'))).toEqual(['n', 'k']);
    expect(library.noticeFor(['training'], 'nl')).toBeUndefined();
  });

  test('no purpose, an unknown purpose or an unknown language leave no notice', async () => {
    await withPrompts(header + single, singleIds);
    const library = await loadPrompts(folder.path);
    expect(library.noticeFor([], 'fr')).toBeUndefined();
    expect(library.noticeFor(['training', 'profit'], 'fr')).toBeUndefined();
    expect(library.noticeFor(['training'], 'es')).toBeUndefined();
  });
});

describe('a promise of prompts.yaml', () => {
  const whole = (rest: string): string =>
    header +
    `  notice: { kind: whole, wording: is, purposes: [mifid], statesMaxDays: { mifid: 1827 }, ${rest}, text: { fr: Bonjour, nl: Dag } }\n`;

  test('of a shortest and of a held time is read', async () => {
    await withPrompts(whole('statesMinDays: { mifid: 1827 }, statesHeldDays: { mifid: 2557 }'), ['notice']);
    expect((await loadPrompts(folder.path)).find('notice', 'fr')).toMatchObject({
      statesMinDays: { mifid: 1827 },
      statesHeldDays: { mifid: 2557 },
    });
  });

  test.each([
    ['statesMinDays: { mifid: 1828 }', 'statesMinDays.mifid: is longer than statesMaxDays'],
    ['statesHeldDays: { mifid: 1826 }', 'statesHeldDays.mifid: is shorter than statesMaxDays'],
    ['statesMinDays: { training: 1 }', 'statesMinDays.training: the sentence does not name this purpose'],
  ])('that contradicts itself is refused: %s', async (rest, fault) => {
    await withPrompts(whole(rest), ['notice']);
    const { code, message } = await faultOf(loadPrompts(folder.path));
    expect(code).toBe('prompts_invalid');
    expect(message).toContain(fault);
  });
});

test('a company adds its name, where more is to be read, and the code of refusal, each once in a language', async () => {
  await withPrompts(
    header +
      other('company', 'kind: company') +
      other('more', 'kind: more') +
      other('later', "kind: refuseLater, code: '*9'"),
    ['company', 'more', 'later'],
  );
  const library = await loadPrompts(folder.path);
  expect(library.single('company', 'nl')?.id).toBe('company');
  expect(library.single('more', 'nl')?.id).toBe('more');
  expect(library.single('refuseLater', 'nl')?.keys).toEqual({ code: '*9' });
});

test('a sentence that nothing plays any more is read all the same', async () => {
  await withPrompts(header + other('rec-stopped', 'kind: stopped'), ['rec-stopped']);
  expect((await loadPrompts(folder.path)).prompts).toHaveLength(2);
});
