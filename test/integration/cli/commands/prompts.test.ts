import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { check } from '../../../../src/cli/check/check.ts';
import type { CommandContext, ExitCode } from '../../../../src/cli/context.ts';
import { promptsInstall } from '../../../../src/cli/commands/prompts.ts';
import { shippedSounds } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const sounds = folder.path.bind(undefined, 'sounds');
let printed: string[] = [];

/** A folder of the operator's own, in which French is to be that of people. */
async function context(languages: string[]): Promise<CommandContext> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    notice: { soundsFolder: sounds(), languages },
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: [languages[0]] } },
    catalogue: { file: folder.path('catalogue.db') },
    archive: { directory: { folder: folder.path('archive') } },
    recording: { spoolFolder: folder.path(), minimumFreeMib: 0 },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });

  return { configFile, environment: {}, clock: { now: () => 0 }, print: (text) => printed.push(text) };
}

beforeAll(async () => {
  await cp(shippedSounds, sounds(), { recursive: true });
  await mkdir(folder.path('asterisk'));
  const [yaml, made] = [`${sounds()}/prompts.yaml`, `${sounds()}/made.json`];
  const text = await readFile(yaml, 'utf8');
  await writeFile(
    yaml,
    text.replace('fr: { made: placeholder, voice: espeak-ng fr-be }', 'fr: { made: recording, voice: Jeanne }'),
  );
  const origins = JSON.parse(await readFile(made, 'utf8')) as Record<string, Record<string, unknown>>;
  // All but two were recorded.
  for (const [key, origin] of Object.entries(origins)) {
    if (key.startsWith('fr/') && !['fr/keep-both', 'fr/opt-in'].includes(key)) origin['source'] = 'a'.repeat(64);
  }
  await writeFile(made, JSON.stringify(origins));
});
beforeEach(() => {
  printed = [];
});

const half = 'fr is made: recording in prompts.yaml, but a synthesiser still speaks keep-both, opt-in';

describe('a language of which only a part was recorded', () => {
  const install = async (languages: string[], json: boolean): Promise<ExitCode> =>
    promptsInstall(await context(languages), { to: folder.path('asterisk'), json });

  test('is installed, and named as what needs attention', async () => {
    expect(await install(['fr'], false)).toBe(3);
    expect(printed.join('\n')).toContain(`WARN   ${half}`);
    printed = [];
    expect(await install(['fr'], true)).toBe(3);
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      copied: [],
      halfRecorded: [{ language: 'fr', prompts: ['keep-both', 'opt-in'] }],
    });
  });

  test('is a warning of check', async () => {
    await check(await context(['fr', 'nl']), { json: false });
    expect(printed.find((line) => line.includes('prompts and purposes'))).toContain(
      `WARN   prompts and purposes: ${half}`,
    );
  });

  test('is nobody’s concern where it is not offered', async () => {
    expect(await install(['nl'], false)).toBe(0);
    await check(await context(['nl']), { json: false });
    expect(printed).toContain('ok     prompts and purposes');
  });
});
