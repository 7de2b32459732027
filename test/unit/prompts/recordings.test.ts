import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { promptCode, promptOfCode, recordingProgress, storeRecording } from '../../../src/prompts/recordings.ts';
import { promptTexts, readPromptSource, type PromptSource } from '../../../src/prompts/library.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();

describe('the code of a prompt', () => {
  it('names exactly one of the shipped ones, in three digits, by its place', async () => {
    const source = await readPromptSource(shippedSounds);
    const texts = promptTexts(source);
    const codes = texts.map((text) => promptCode(source, text));
    expect(new Set(codes).size).toBe(texts.length);
    expect(codes.every((code) => /^\d{3}$/.test(code))).toBe(true);
    expect(codes[0]).toBe('011');
    expect(texts.map((text) => promptOfCode(source, promptCode(source, text)))).toEqual(texts);
    expect(['', '000', '01', '0110', '017', '999'].map((code) => promptOfCode(source, code))).toEqual(
      Array.from({ length: 6 }),
    );
  });

  it('stays unambiguous with more prompts and languages than digits', () => {
    const languages = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `a${String.fromCharCode(97 + index)}`,
        { made: 'recording', voice: 'x' },
      ]),
    );
    const source = {
      languages,
      prompts: Object.fromEntries(
        Array.from({ length: 120 }, (_, index) => [
          `p${index}`,
          { kind: 'paused', text: Object.fromEntries(Object.keys(languages).map((tag) => [tag, 'x'])) },
        ]),
      ),
    } as PromptSource;
    expect(new Set(promptTexts(source).map((text) => promptCode(source, text))).size).toBe(12 * 120);
  });
});

describe('a recording', () => {
  const source = {
    languages: {
      fr: { made: 'placeholder', voice: 'espeak-ng fr' },
      nl: { made: 'recording', voice: 'Anna' },
      de: { made: 'placeholder', voice: 'espeak-ng de' },
    },
    prompts: {
      one: { kind: 'paused', text: { fr: 'un', nl: 'een', de: 'eins' } },
      two: { kind: 'resumed', text: { fr: 'deux', nl: 'twee', de: 'zwei' } },
    },
  } as PromptSource;

  it('takes the place of an earlier one, whole, and touches nothing else', async () => {
    const own = folder.path('own');
    await mkdir(`${own}/fr`, { recursive: true });
    await writeFile(`${own}/fr/one.wav`, 'in use');
    await storeRecording(own, { id: 'one', language: 'fr' }, Buffer.from('first'));
    await storeRecording(own, { id: 'one', language: 'fr' }, Buffer.from('second'));
    await storeRecording(own, { id: 'one', language: 'nl' }, Buffer.from('third'));
    expect(await readFile(`${own}/fr/one.source.wav`, 'utf8')).toBe('second');
    expect((await readdir(own, { recursive: true })).sort()).toEqual(
      ['fr', 'fr/one.source.wav', 'fr/one.wav', 'nl', 'nl/one.source.wav'].sort(),
    );
    expect(await readFile(`${own}/fr/one.wav`, 'utf8')).toBe('in use');
  });

  it('is told by its file when it cannot be stored', async () => {
    const blocked = folder.path('blocked');
    await writeFile(blocked, 'a file where a folder should be');
    await expect(storeRecording(blocked, { id: 'one', language: 'fr' }, Buffer.from('x'))).rejects.toMatchObject({
      code: 'prompts_unwritable',
    });
    expect(existsSync(`${blocked}.tmp`)).toBe(false);
    await chmod(blocked, 0o600);
  });

  it('says what remains to be done, by language', async () => {
    const own = folder.path('progress');
    await storeRecording(own, { id: 'one', language: 'fr' }, Buffer.from('x'));
    await storeRecording(own, { id: 'one', language: 'nl' }, Buffer.from('x'));
    await storeRecording(own, { id: 'two', language: 'nl' }, Buffer.from('x'));
    const [fr, nl, ...others] = await recordingProgress(own, source);
    expect(fr).toMatchObject({ language: 'fr', made: 'placeholder', recorded: 1, of: 2, missing: ['two'] });
    expect(fr?.next).toMatch(/^record the 1 that are missing, then set languages.fr.made to recording .*placeholders$/);
    expect(nl).toMatchObject({ language: 'nl', made: 'recording', recorded: 2, of: 2, missing: [] });
    expect(nl?.next).toMatch(/^run `preavis prompts build`/);
    expect(others).toEqual([]);
  });
});

describe('promptRecording in the configuration', () => {
  const yaml = `
notice: { soundsFolder: /etc/preavis/sounds }
purposes:
  training:
    names: { fr: formation, nl: opleiding, de: Schulung, en: training }
    justification: Team leaders listen to a few calls with the employee.
    legalBasis: legitimate interest
    jurisdiction: other
    consent: announce
    keepDays: 28
lines: { default: { purposes: [training], defaultLanguages: [fr] } }
`;
  const tree = (): Record<string, unknown> => parse(yaml) as Record<string, unknown>;

  it('is off without a PIN', () => {
    expect(parseConfig(tree()).promptRecording).toEqual({ maximumSeconds: 30 });
  });

  it.each(['904173', '00000000000000000012', '000001', '135791'])('takes the PIN %s', (pin) => {
    expect(parseConfig({ ...tree(), promptRecording: { pin } }).promptRecording.pin).toBe(pin);
  });

  it.each(['90417', '904 173', '90417a', '000000', '123456', '987654', '890123', '٣٤٥٦٧٨٩', '1'.repeat(21), 904173])(
    'refuses the PIN %j without repeating it',
    (pin) => {
      const attempt = (): unknown => parseConfig({ ...tree(), promptRecording: { pin } });
      expect(attempt).toThrow(/promptRecording\.pin: /);
      expect(attempt).not.toThrow(new RegExp(`got .*${String(pin)}`));
    },
  );

  it('needs a folder of sounds that an update does not replace', () => {
    const rest = tree();
    delete rest['notice'];
    expect(() => parseConfig({ ...rest, promptRecording: { pin: '904173' } })).toThrow(/notice\.soundsFolder: must be/);
    expect(() => parseConfig({ ...rest, promptRecording: { pinFile: '/x' } })).toThrow(/notice\.soundsFolder: must be/);
  });

  it('is read from a file, unless the environment has it', async () => {
    const environment = { PREAVIS_PROMPT_RECORDING_PIN: '014173' };
    expect(parseConfig(tree(), environment).promptRecording.pin).toBe('014173');
    const [file, pinFile] = [folder.path('preavis.yaml'), folder.path('pin')];
    await writeFile(file, `${yaml}promptRecording: { pinFile: ${pinFile} }\n`);
    await writeFile(pinFile, '224173\n', { mode: 0o600 });
    expect((await loadConfig(file, {})).promptRecording.pin).toBe('224173');
    expect((await loadConfig(file, environment)).promptRecording.pin).toBe('014173');
    await writeFile(pinFile, '111111\n');
    await expect(loadConfig(file, {})).rejects.toThrow(/^promptRecording\.pinFile: its first line is not 6/);
  });
});
