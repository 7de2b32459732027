import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkWitness, type WitnessCheck } from '../../../src/receipt/witnessCheck.ts';
import { celEnd, celEnter, celText } from '../../support/ari/cel.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let count = 0;

async function look(content: string | undefined, over: Partial<WitnessCheck> & { version?: string; loaded?: boolean }) {
  const { version = '22.10.1', loaded = true, ...rest } = over;
  const at = folder.path(`${(count += 1)}`);
  await mkdir(at);
  const celFile = join(at, 'preavis.csv');
  if (content !== undefined) await writeFile(celFile, content);

  return checkWitness({
    ari: {
      identity: () => Promise.resolve({ version, node: 'node' }),
      hasModule: (name) => Promise.resolve(loaded && name === 'cel_custom.so'),
    },
    celFile,
    newest: undefined,
    ...rest,
  });
}
const sounds = celText([celEnd(Date.UTC(2026, 10, 25), '1795576835.1')]);
const good = celText([celEnter(Date.UTC(2026, 10, 25) - 9_000, '1795576835.1', 'bridge')]) + sounds;

describe('the check of the second witness', () => {
  test('has nothing to say when sounds are logged', async () => {
    expect(await look(good, {})).toBeUndefined();
    expect(await look(good, { newest: 'agrees' })).toBeUndefined();
  });

  test('warns of an Asterisk that does not log sounds, before anything else', async () => {
    expect(await look(undefined, { version: '20.15.2', loaded: false })).toMatch(/20\.15\.2 does not log sounds/);
  });

  test.each([undefined, ''])('warns when no sound was logged yet (%j)', async (content) => {
    expect(await look(content, {})).toMatch(/no sound is in .* yet\. Make a call/);
  });

  test('warns when the newest call was not in it, or was told otherwise', async () => {
    expect(await look(good, { newest: 'missing' })).toMatch(/newest call were not in/);
    expect(await look(good, { newest: 'disagrees' })).toMatch(/does not agree/);
  });

  test('warns when nothing tells who came into a bridge', async () => {
    expect(await look(sounds, {})).toMatch(/let cel\.conf log BRIDGE_ENTER and BRIDGE_EXIT as well/);
  });

  test('refuses when cel_custom is not loaded, and says what to do', async () => {
    await expect(look(good, { loaded: false })).rejects.toMatchObject({
      code: 'witness_unusable',
      message: 'Asterisk has not loaded cel_custom.so',
      hint: expect.stringContaining('docs/operations/second-witness.md') as string,
    });
  });

  test('refuses a file with other events only, with a dateformat, or of another program', async () => {
    for (const content of [
      '"CHAN_START","1795576840.000000","1795576835.1",""\n',
      '"STREAM_END","2026-11-25 03:20:35","1795576835.0",""\n',
      'hello\n',
    ]) {
      await expect(look(content, {})).rejects.toMatchObject({ code: 'witness_unusable' });
    }
  });

  test('refuses a folder that is not there: Asterisk does not make it', async () => {
    await expect(look(good, { celFile: folder.path('nowhere/preavis.csv') })).rejects.toMatchObject({
      code: 'witness_unusable',
      message: expect.stringContaining('ENOENT') as string,
    });
  });
});
