/** The commands of the prompts as an operator runs them, with the real synthesiser and encoders. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, cp, mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { promptFormats } from '../../../src/prompts/soundFile.ts';
import { commandFile } from '../../support/command.ts';
import { eventually } from '../../support/poll.ts';
import { makePromptFolder, type PromptFolder, shippedSounds } from '../../support/policy/promptFolder.ts';

const project = join(import.meta.dirname, '..', '..', '..');
const main = [commandFile, 'prompts'];
const run = promisify(execFile);

type Result = { code: number; stdout: string; stderr: string };

function preavis(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...main, ...args], { env, cwd: project }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

type Named = { prompt: string; language: string };
type Build = { made: Named[]; kept: Named[]; left: (Named & { why: string })[]; findings: unknown[] };

let folder: PromptFolder;
/** As `prompts build` leaves it, made once, for the tests that begin there; each works on a copy. */
let spanish: PromptFolder;
let french: PromptFolder;

beforeAll(async () => {
  [spanish, french] = [makePromptFolder(), makePromptFolder()];
  await spanish.yaml(yamlOf('es'));
  await french.yaml(paused);
  for (const { path } of [spanish, french]) {
    expect(await preavis(['build', '--sounds', path])).toMatchObject({ code: 0 });
  }
});
beforeEach(() => {
  folder = makePromptFolder();
});
afterEach(() => {
  folder.remove();
});
afterAll(() => {
  for (const made of [spanish, french]) made.remove();
});

const beginWith = (made: PromptFolder): Promise<void> => cp(made.path, folder.path, { recursive: true });

const sentences = {
  es: ['Esta llamada puede ser grabada con fines de formación.', 'Si no desea que se grabe la llamada, pulse nueve.'],
  it: ['Questa chiamata può essere registrata a scopo di formazione.', 'La registrazione è in pausa.'],
  lb: ['Dësen Uruff ka fir Formatiounszwecker opgeholl ginn.', "D'Opnam ass an der Paus."],
} as const;

const yamlOf = (language: keyof typeof sentences, made = 'placeholder', voice = `espeak-ng ${language}`): string => `
languages: { ${language}: { made: ${made}, voice: ${voice} } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { ${language}: "${sentences[language][0]}" } }
  again: { kind: paused, text: { ${language}: "${sentences[language][1]}" } }
`;
const yaml = (...words: Parameters<typeof yamlOf>): Promise<void> => folder.yaml(yamlOf(...words));

/** One short sentence, which a person says in record(). */
const paused = `
languages: { fr: { made: placeholder, voice: espeak-ng fr } }
prompts:
  notice: { kind: paused, text: { fr: "L'enregistrement est en pause." } }
`;

const at = (file: string): string => join(folder.path, file);
const hashOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(at(file)))
    .digest('hex');

async function build(...args: string[]): Promise<Build> {
  const { stdout, stderr } = await preavis(['build', '--sounds', folder.path, '--json', ...args]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Build;
}

const names = (list: readonly Named[]): string[] => list.map(({ prompt }) => prompt);

test.each(['es', 'it', 'lb'] as const)(
  'a language that comes with no sounds, %s, is built and passes the check',
  async (language) => {
    await yaml(language);
    const built = await preavis(['build', '--sounds', folder.path, '--language', language]);
    expect(built).toMatchObject({ code: 0, stdout: '2 prompts made, 0 as they were, 0 left alone\n', stderr: '' });
    const expected = ['again', 'notice'].flatMap((id) => promptFormats.map((format) => `${id}.${format}`));
    expect((await readdir(at(language))).sort()).toEqual(expected.sort());
    expect(await preavis(['check', '--sounds', folder.path])).toMatchObject({
      code: 0,
      stdout: '2 prompts looked at, 0 findings\n',
    });
  },
);

test('every sentence is listed, with its sound or without', async () => {
  await yaml('es');
  const before = await preavis(['list', '--sounds', folder.path]);
  expect(before.code).toBe(0);
  expect(before.stdout).toMatch(/^011 +notice +es +purpose +no sound +placeholder\n +Esta llamada/m);
  await beginWith(spanish);
  const { stdout } = await preavis(['list', '--sounds', folder.path]);
  expect(stdout).toMatch(/^CODE +PROMPT +LANGUAGE +KIND +LENGTH +MADE +SHA-256$/m);
  expect(stdout).toMatch(/^011 +notice +es +purpose +\d\.\d s +placeholder +[0-9a-f]{12}\n +Esta llamada puede/m);
  const { prompts } = JSON.parse((await preavis(['list', '--sounds', folder.path, '--json'])).stdout) as {
    prompts: Record<string, unknown>[];
  };
  expect(prompts[0]).toEqual({
    code: '011',
    id: 'notice',
    language: 'es',
    text: sentences.es[0],
    kind: 'purpose',
    purposes: ['training'],
    wording: 'may',
    statesMaxDays: null,
    keys: null,
    made: 'placeholder',
    sha256: await hashOf('es/notice.wav'),
    lengthMs: Math.round(((await stat(at('es/notice.wav'))).size - 44) / 16),
    soundName: `preavis/notice-${(await hashOf('es/notice.wav')).slice(0, 12)}`,
    problem: null,
  });
});

test('a second build touches nothing, and the same text gives the same bytes', async () => {
  await beginWith(spanish);
  const longAgo = new Date('2020-01-01T00:00:00Z');
  const files = await readdir(at('es'));
  for (const file of files) await utimes(at(`es/${file}`), longAgo, longAgo);
  expect(await build()).toMatchObject({ made: [], left: [] });
  expect(await build('--force')).toMatchObject({ made: [], left: [] });
  for (const file of files) expect((await stat(at(`es/${file}`))).mtime).toEqual(longAgo);
});

test('only a sentence whose words changed is made again', async () => {
  await beginWith(spanish);
  const [notice, again] = [await hashOf('es/notice.wav'), await hashOf('es/again.wav')];
  await folder.yaml((await readFile(at('prompts.yaml'), 'utf8')).replace('con fines de formación', 'como prueba'));
  expect(await preavis(['check', '--sounds', folder.path])).toMatchObject({
    code: 3,
    stdout: expect.stringContaining('es/notice.wav: text: made from "Esta llamada') as unknown,
  });
  const built = await build();
  expect(names(built.made)).toEqual(['notice']);
  expect(names(built.kept)).toEqual(['again']);
  expect(await hashOf('es/notice.wav')).not.toBe(notice);
  expect(await hashOf('es/again.wav')).toBe(again);
});

test('a sound that came from elsewhere is replaced only by force', async () => {
  await yaml('es');
  await folder.ship('fr/notice-training', 'es/notice');
  const mine = await hashOf('es/notice.wav');
  const built = await build();
  expect(built.left).toMatchObject([{ prompt: 'notice', why: expect.stringContaining('--force') as unknown }]);
  expect(await hashOf('es/notice.wav')).toBe(mine);
  expect(names((await build('--force')).made)).toEqual(['notice']);
  expect(await hashOf('es/notice.wav')).not.toBe(mine);
});

test('sounds of an earlier build are taken over without made.json', async () => {
  await beginWith(spanish);
  await rm(at('made.json'));
  expect(await build()).toMatchObject({ made: [], left: [] });
  await access(at('made.json'));
});

test('what a person recorded is never replaced, not even by force', async () => {
  await yaml('es', 'recording', 'Inés');
  await folder.ship('fr/notice-training', 'es/notice', ['wav']);
  await folder.ship('fr/opt-in', 'es/again', ['wav']);
  const mine = [await hashOf('es/notice.wav'), await hashOf('es/again.wav')];
  expect(await build('--force')).toMatchObject({ made: [], kept: [] });
  expect([await hashOf('es/notice.wav'), await hashOf('es/again.wav')]).toEqual(mine);
  expect(await readdir(at('es'))).toHaveLength(2);
});

/** A sentence as a person hands it in: another rate and level, a quiet room, silence, whatever chunks sox writes. */
async function record(as: string, rate: number, format: readonly string[] = []): Promise<void> {
  await mkdir(join(at(as), '..'), { recursive: true });
  const room = ['-v', '0.002', '|sox -n -r 48000 -p synth 5 pinknoise'];
  const spoken = ['-v', '0.4', `|sox "${join(shippedSounds, 'fr/rec-paused.wav16')}" -t wav - rate 48000 pad 1 2`];
  await run('sox', [
    '-D',
    '-R',
    '-m',
    '-t',
    'sox',
    ...room,
    '-t',
    'wav',
    ...spoken,
    '-r',
    String(rate),
    ...format,
    at(as),
  ]);
}

test.each([
  [8000, []],
  [16000, []],
  [44100, ['-c', '2', '-b', '24']],
  [48000, ['-e', 'floating-point', '-b', '32']],
])('a recording of %s Hz is made into every format that it is good enough for', async (rate, format) => {
  await beginWith(french);
  await access(at('fr/notice.wav16'));
  await folder.yaml(paused.replace('placeholder, voice: espeak-ng fr', 'recording, voice: A'));
  await record('fr/notice.source.wav', rate, format);
  expect(await build()).toMatchObject({ made: [{ prompt: 'notice' }], left: [], findings: [] });
  const wide = rate < 16000 ? [] : ['notice.wav16'];
  expect((await readdir(at('fr'))).sort()).toEqual(
    ['notice.alaw', 'notice.g722', 'notice.source.wav', 'notice.ulaw', 'notice.wav', ...wide].sort(),
  );
  expect(await preavis(['check', '--sounds', folder.path])).toMatchObject({ code: 0 });
  expect(await build()).toMatchObject({ made: [], kept: [{ prompt: 'notice' }] });
});

test('a recording in a language of placeholders is pointed out, not converted', async () => {
  await beginWith(spanish);
  await record('es/notice.source.wav', 16000);
  expect((await build()).left).toMatchObject([
    { prompt: 'notice', why: expect.stringContaining('languages.es.made in prompts.yaml is not recording') as unknown },
  ]);
});

test('a sentence that nobody recorded yet is said to be the synthesiser’s', async () => {
  await beginWith(spanish);
  await yaml('es', 'recording', 'Inés');
  const whys = (await build()).left.map(({ why }) => why);
  expect(whys).toEqual([
    'still spoken by espeak-ng es, not by Inés: there is no notice.source.wav to make it from',
    'still spoken by espeak-ng es, not by Inés: there is no again.source.wav to make it from',
  ]);
  await folder.ship('fr/notice-training', 'es/notice', ['wav']);
  expect((await build()).left[0]?.why).toBe('there is no notice.source.wav to make it from');
});

test('a recording that is no WAV is named with what sox says', async () => {
  await yaml('es', 'recording', 'Inés');
  await folder.write('es/notice.source.wav', Buffer.from('hello'));
  const { code, stderr } = await preavis(['build', '--sounds', folder.path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/prompts_build_failed: es\/notice: sox: .*notice\.source\.wav/);
});

test('a program that is not installed is named, with how to install it', async () => {
  await yaml('es');
  const { code, stderr } = await preavis(['build', '--sounds', folder.path], { ...process.env, PATH: folder.path });
  expect(code).toBe(1);
  expect(stderr).toContain('program_missing: espeak-ng and sox and ffmpeg are not installed');
  expect(stderr).toContain('apt-get install --no-install-recommends espeak-ng sox ffmpeg');
});

test.each([
  ['a voice that espeak-ng lacks', 'espeak-ng xx-none', 1, /prompts_build_failed: es\/notice: espeak-ng: .*voice/],
  ['a voice of another synthesiser', 'festival es', 2, /prompts_invalid: languages\.es\.voice: festival es is not/],
])('%s is named', async (_, voice, exit, message) => {
  await yaml('es', 'placeholder', voice);
  const { code, stderr } = await preavis(['build', '--sounds', folder.path]);
  expect(stderr).toMatch(message);
  expect(code).toBe(exit);
});

test('a language that prompts.yaml lacks is bad usage', async () => {
  await yaml('es');
  const { code, stderr } = await preavis(['build', '--sounds', folder.path, '--language', 'pt']);
  expect(code).toBe(2);
  expect(stderr).toContain('usage: prompts.yaml has no language pt');
});

test('a build that was killed is completed by the next', async () => {
  await yaml('es');
  // What it works with is left where this test looks after it.
  const scratch = at('scratch');
  await mkdir(scratch);
  const child = spawn(process.execPath, [...main, 'build', '--sounds', folder.path], {
    cwd: project,
    env: { ...process.env, TMPDIR: scratch },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await eventually(() => access(at('es/notice.g722')));
  child.kill('SIGKILL');
  await ended;
  await rm(scratch, { recursive: true });
  await copyFile(at('es/notice.g722'), at('copy'));
  expect(await build()).toMatchObject({ left: [], findings: [] });
  expect(await readFile(at('es/notice.g722'))).toEqual(await readFile(at('copy')));
  expect(await preavis(['check', '--sounds', folder.path])).toMatchObject({ code: 0 });
});
