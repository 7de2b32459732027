import { parseConfig } from '../../../src/config/load.ts';
import { keepLibrary } from '../../../src/services/keptLibrary.ts';
import { configTree } from '../../support/call/calls.ts';
import { makePromptFolder, type PromptFolder, toneWav } from '../../support/policy/promptFolder.ts';

let folder: PromptFolder;

beforeEach(async () => {
  folder = makePromptFolder();
  await say('Bonjour');
  await folder.write('fr/more.wav', toneWav(300, 1_000));
});
afterEach(() => {
  folder.remove();
});

const say = (words: string): Promise<unknown> =>
  folder.yaml(`
languages:
  fr: { made: placeholder, voice: a }
prompts:
  more: { kind: more, text: { fr: ${words} } }
`);

const keep = () => keepLibrary(parseConfig({ ...configTree(), notice: { soundsFolder: folder.path } }));

test('sounds that nobody has changed are read once', async () => {
  const library = keep();
  const first = await library();
  expect(await library()).toBe(first);
  expect(await Promise.all([library(), library()])).toEqual([first, first]);
});

test('a sound or a text that was changed is told at once', async () => {
  const library = keep();
  expect((await library()).prompts).toMatchObject([{ text: 'Bonjour', lengthMs: 1_000 }]);
  await folder.write('fr/more.wav', toneWav(300, 2_000));
  expect((await library()).prompts).toMatchObject([{ text: 'Bonjour', lengthMs: 2_000 }]);
  await say('Bonsoir');
  expect((await library()).prompts).toMatchObject([{ text: 'Bonsoir' }]);
});

test('what is wrong with the sounds is told whoever asks, until it is mended', async () => {
  const library = keep();
  await library();
  await folder.write('fr/more.wav', Buffer.from('no sound'));
  await expect(library()).rejects.toMatchObject({ code: 'prompts_invalid' });
  await expect(library()).rejects.toMatchObject({ code: 'prompts_invalid' });
  await folder.write('fr/more.wav', toneWav(300, 1_000));
  expect((await library()).prompts).toHaveLength(1);
});
