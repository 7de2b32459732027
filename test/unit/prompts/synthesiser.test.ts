import { PreavisError } from '../../../src/core/errors.ts';
import { readSynthesiser } from '../../../src/prompts/synthesiser.ts';

const argumentsOf = (command: string): readonly string[] => readSynthesiser(command, 1_000).args;

function faultOf(command: string): string {
  try {
    readSynthesiser(command, 1_000);
  } catch (thrown) {
    if (thrown instanceof PreavisError && thrown.code === 'usage') return thrown.message;
    throw thrown;
  }
  throw new Error('it was taken');
}

test.each([
  ['piper --model {voice} -f {file}', ['--model', '{voice}', '-f', '{file}']],
  ["say -o '/a folder/{file}'", ['-o', '/a folder/{file}']],
  ['say --text="it\'s so" {file}', ["--text=it's so", '{file}']],
  ["say '' {file}", ['', '{file}']],
  ['say  \t {file} ', ['{file}']],
  ['say {file} {"speed":1} $HOME `id` * ; rm', ['{file}', '{speed:1}', '$HOME', '`id`', '*', ';', 'rm']],
])('a command is words between blanks, and no shell: %s', (command, args) => {
  expect(argumentsOf(command)).toEqual(args);
});

test.each([
  ['', 'there is no program in it'],
  ['   ', 'there is no program in it'],
  ["'' {file}", 'there is no program in it'],
  ["say 'open {file}", 'a quote has no end'],
  ['say "open {file}', 'a quote has no end'],
  ['say', 'it lacks {file}, where the WAV is put'],
  ['{file}', 'it lacks {file}, where the WAV is put'],
  ['say {file} {text}', '{text} is not known'],
])('a command that can speak nothing is bad usage: %s', (command, why) => {
  expect(faultOf(command)).toBe(`--command: ${why}`);
});
