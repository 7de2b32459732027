/** A synthesiser of the operator's, by real programs: espeak-ng for one that works, others for what goes wrong. */
import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PreavisError } from '../../../src/core/errors.ts';
import { buildPrompts, type BuildOptions, type PromptsBuild } from '../../../src/prompts/build.ts';
import { checkPromptFiles } from '../../../src/prompts/check.ts';
import { halfRecorded, halfRecordedInWords } from '../../../src/prompts/recordings.ts';
import { loadPrompts, promptTexts, readPromptSource } from '../../../src/prompts/library.ts';
import { readSynthesiser } from '../../../src/prompts/synthesiser.ts';
import { commandFile } from '../../support/command.ts';
import { makePromptFolder, type PromptFolder } from '../../support/policy/promptFolder.ts';

const espeak = 'espeak-ng -v {language} -s 120 -b 1 -w {file} --stdin';
const sentence = "L'enregistrement est en pause.";
const yamlOf = (made: string, voice: string, text = sentence): string => `
languages: { fr: { made: ${made}, voice: ${voice} } }
prompts:
  paused: { kind: paused, text: { fr: "${text}" } }
`;
const synthetic = yamlOf('synthetic', 'Camille 2');

let folder: PromptFolder;
/** As the build leaves it, made once, for the tests that begin there. */
let spoken: PromptFolder;

beforeAll(async () => {
  spoken = makePromptFolder();
  folder = spoken;
  await folder.yaml(synthetic);
  await build(espeak);
});
beforeEach(() => {
  folder = makePromptFolder();
});
afterEach(() => {
  folder.remove();
});
afterAll(() => {
  spoken.remove();
});

const beginSpoken = (): Promise<void> => cp(spoken.path, folder.path, { recursive: true });

const wav = (): Promise<Buffer> => readFile(join(folder.path, 'fr/paused.wav'));

function build(command?: string, over: Partial<BuildOptions> & { seconds?: number } = {}): Promise<PromptsBuild> {
  const { seconds = 20, ...options } = over;
  const synthesiser = command === undefined ? undefined : readSynthesiser(command, seconds * 1_000);

  return buildPrompts(folder.path, { force: false, synthesiser, ...options });
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  if (thrown instanceof PreavisError) return `${thrown.code}: ${thrown.message}`;
  throw new Error(String(thrown));
}

test('what it speaks gets every format, level, peak and silence of the build', async () => {
  await folder.yaml(synthetic);
  expect(await build(espeak)).toMatchObject({ made: [{ prompt: 'paused', language: 'fr' }], left: [] });
  expect(await readdir(join(folder.path, 'fr'))).toEqual(
    ['alaw', 'g722', 'ulaw', 'wav', 'wav16'].map((format) => `paused.${format}`),
  );
  const prompts = promptTexts(await readPromptSource(folder.path));
  expect(await checkPromptFiles({ prompts }, folder.path)).toEqual([]);
  expect((await loadPrompts(folder.path)).prompts).toMatchObject([{ made: 'synthetic', text: sentence }]);
});

test('the text is read from standard input, and language, voice and file are arguments', async () => {
  await folder.yaml(synthetic);
  const log = join(folder.path, 'log');
  const script = 'cat > "$1"; printf "%s\\n" "$2" "$3" "$4" >> "$1"';
  const said = await faultOf(build(`sh -c '${script}' sh ${log} {file} {language} {voice}`));
  expect(said).toMatch(/sh: ended well and wrote no file/);
  const [text, file, language, voice] = (await readFile(log, 'utf8')).split('\n');
  expect([text, language, voice]).toEqual([sentence, 'fr', 'Camille 2']);
  expect(file).toMatch(/\.wav$/);
});

test('a second build keeps what it spoke, with the command or without; another text or voice is made again', async () => {
  await beginSpoken();
  const before = await wav();
  expect(await build(espeak)).toMatchObject({ made: [], kept: [{ prompt: 'paused' }], left: [] });
  expect(await build()).toMatchObject({ made: [], kept: [{ prompt: 'paused' }], left: [] });
  await folder.yaml(yamlOf('synthetic', 'Louise'));
  expect((await build()).left[0]?.why).toBe(
    'still spoken by Camille 2, not by Louise: it is made: synthetic, and only --command says who speaks',
  );
  await folder.yaml(yamlOf('synthetic', 'Louise', "L'enregistrement est de nouveau en pause."));
  expect((await build(espeak)).made).toMatchObject([{ prompt: 'paused' }]);
  expect(await wav()).not.toEqual(before);
});

test('a narrow voice has no wideband format, and is complete without', async () => {
  await folder.yaml(synthetic);
  await build(`sh -c 'espeak-ng -v fr -s 120 -b 1 --stdin --stdout | sox -t wav - -r 8000 "$1"' sh {file}`);
  expect(await readdir(join(folder.path, 'fr'))).not.toContain('paused.wav16');
  expect(await build()).toMatchObject({ made: [], kept: [{ prompt: 'paused' }] });
});

test('a placeholder that is left in a language of a better voice is named', async () => {
  await folder.yaml(yamlOf('placeholder', 'espeak-ng fr-be'));
  await build();
  await folder.yaml(synthetic);
  const { prompts } = await loadPrompts(folder.path);
  expect(await checkPromptFiles({ prompts }, folder.path)).toMatchObject([
    { what: 'voice', measured: 'spoken by espeak-ng fr-be', allowed: 'no placeholder' },
  ]);
  const [half] = await halfRecorded(folder.path, prompts);
  expect(half && halfRecordedInWords(half)).toBe(
    'fr is made: synthetic in prompts.yaml, but espeak-ng still speaks paused',
  );
});

test('espeak-ng is a placeholder, whatever prompts.yaml says of it', async () => {
  await folder.yaml(yamlOf('synthetic', 'espeak-ng fr'));
  expect(await faultOf(build(espeak))).toMatch(
    /^prompts_invalid: .*languages\.fr\.made: espeak-ng fr sounds like a machine and is a placeholder, not synthetic/,
  );
});

test('a command for languages that are not made: synthetic is bad usage', async () => {
  await folder.yaml(yamlOf('placeholder', 'espeak-ng fr-be'));
  expect(await faultOf(build(espeak))).toBe('usage: --command: none of fr is made: synthetic in prompts.yaml');
});

test.each<[string, string, string | RegExp]>([
  [
    'is not there',
    'no-such-synthesiser {file}',
    'program_missing: no-such-synthesiser, the program of --command, is not found',
  ],
  ['is no program', '/etc/passwd {file}', 'prompts_build_failed: fr/paused: /etc/passwd: cannot be started (EACCES)'],
  [
    'fails',
    "sh -c 'echo no such voice >&2; exit 4' {file}",
    'prompts_build_failed: fr/paused: sh: ended with exit code 4: no such voice',
  ],
  ['crashes', "sh -c 'kill -SEGV $$' {file}", 'prompts_build_failed: fr/paused: sh: was ended by SIGSEGV'],
  [
    'writes nothing',
    'true {file}',
    'prompts_build_failed: fr/paused: true: ended well and wrote no file where {file} stands',
  ],
  [
    'makes a folder',
    'mkdir {file}',
    'prompts_build_failed: fr/paused: mkdir: ended well and wrote no file where {file} stands',
  ],
  ['writes an empty file', 'touch {file}', 'prompts_build_failed: fr/paused: touch: wrote an empty file'],
  ['writes no WAV', 'cp /etc/passwd {file}', /^prompts_build_failed: fr\/paused: cp: what it wrote is unusable: sox: /],
  [
    'writes silence',
    'sox -n -r 16000 {file} trim 0 3',
    'prompts_build_failed: fr/paused: sox: what it wrote is unusable: there is no speech in it',
  ],
  [
    'writes 4000 Hz',
    'sox -n -r 4000 {file} synth 3 sine 300',
    /sox: what it wrote is unusable: .* has 4000 Hz, must have at least 8000 Hz$/,
  ],
  [
    'speaks for too long',
    'sox -n -r 16000 {file} synth 5 sine 300',
    /sox: what it wrote is unusable: its words take 5\.\d s for a text of 30 characters, [56]\.\d characters\/s; must be 8 to 22$/,
  ],
  [
    'speaks for too short a time',
    'sox -n -r 16000 {file} synth 0.3 sine 300',
    /its words take 0\.3 s for a text of 30 characters/,
  ],
  [
    'writes without end',
    'sh -c \'head -c 40000000 /dev/zero > "$1"\' sh {file}',
    'prompts_build_failed: fr/paused: sh: wrote 40000000 bytes, more than any sentence takes',
  ],
])('one that %s is named, and what callers hear stays', async (_, command, fault) => {
  await beginSpoken();
  const before = await wav();
  const said = await faultOf(build(command, { force: true }));
  if (typeof fault === 'string') expect(said).toBe(fault);
  else expect(said).toMatch(fault);
  expect(await wav()).toEqual(before);
});

test.each([
  ['hangs', 'tail -f /dev/null {file}'],
  ['is a script that hangs', "sh -c 'while :; do sleep 0.2; done' {file}"],
])('one that %s is ended', async (_, command) => {
  await folder.yaml(synthetic);
  expect(await faultOf(build(command, { seconds: 0.5 }))).toMatch(
    /^prompts_build_failed: fr\/paused: .*has not ended after 0\.5 s$/,
  );
});

test('preavis prompts build takes the command, and says what is wrong with it', async () => {
  await folder.yaml(synthetic);
  const run = promisify(execFile);
  const main = [commandFile, 'prompts', 'build', '--sounds', folder.path];
  const { stdout } = await run(process.execPath, [...main, '--command', espeak, '--command-seconds', '20']);
  expect(stdout).toBe('1 prompt made, 0 as they were, 0 left alone\n');
  await expect(run(process.execPath, [...main, '--command', 'true'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('usage: --command: it lacks {file}') as unknown,
  });
  await expect(run(process.execPath, [...main, '--command-seconds', '0'])).rejects.toMatchObject({ code: 2 });
});
