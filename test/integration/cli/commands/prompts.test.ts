import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { check } from '../../../../src/cli/check/check.ts';
import type { CommandContext, ExitCode } from '../../../../src/cli/context.ts';
import { promptsCheck, promptsInstall } from '../../../../src/cli/commands/prompts.ts';
import { makePromptFolder, shippedSounds, toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const sounds = folder.path.bind(undefined, 'sounds');
let printed: string[] = [];

/** A folder of the operator's own, in which French is to be that of people. */
async function context(
  languages: string[],
  soundsFolder = sounds(),
  more: { notice?: object; privacy?: object } = {},
): Promise<CommandContext> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    notice: { soundsFolder, languages, ...more.notice },
    privacy: more.privacy ?? {},
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
    if (key.startsWith('fr/') && !['fr/notice-both', 'fr/opt-in'].includes(key)) origin['source'] = 'a'.repeat(64);
  }
  await writeFile(made, JSON.stringify(origins));
});
beforeEach(() => {
  printed = [];
});

const half = 'fr is made: recording in prompts.yaml, but a synthesiser still speaks notice-both, opt-in';

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
      halfRecorded: [{ language: 'fr', prompts: ['notice-both', 'opt-in'] }],
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

describe('how long callers of each line wait', () => {
  const askedOf = async (languages: string[], soundsFolder: string): Promise<CommandContext> => {
    printed = [];

    return context(languages, soundsFolder);
  };
  const spoken = 'default, optOut: fr 7.7 s, nl 9.0 s';

  test('is told by prompts check, which is content with the shipped sentences', async () => {
    const options = { sounds: undefined, json: false };
    expect(await promptsCheck(await askedOf(['fr', 'nl'], shippedSounds), options)).toBe(0);
    expect(printed.join('\n')).toContain(spoken);
    expect(await promptsCheck(await askedOf(['fr', 'nl'], shippedSounds), { ...options, json: true })).toBe(0);
    const { waits } = JSON.parse(printed.join('\n')) as { waits: { languages: string[]; consent: string }[] };
    expect(waits.filter(({ consent }) => consent === 'optOut').map(({ languages }) => languages)).toEqual([
      ['fr'],
      ['nl'],
    ]);
  });

  test('names sentences without a sound once, whatever files and languages of them are not there', async () => {
    const own = makePromptFolder();
    try {
      await own.yaml(`
languages: { fr: { made: placeholder, voice: espeak-ng fr-be }, nl: { made: placeholder, voice: espeak-ng nl } }
prompts:
  company: { kind: company, text: { fr: Bonjour, nl: Dag } }
`);
      expect(await promptsCheck(await askedOf(['fr', 'nl'], own.path), { sounds: own.path, json: false })).toBe(3);
      expect(printed.join('\n').split('\n')).toEqual([
        'company: no sound yet in fr, nl',
        expect.stringContaining('preavis prompts build makes') as string,
        '2 prompts looked at, 10 findings',
      ]);
    } finally {
      own.remove();
    }
  });

  test('is told by check', async () => {
    await check(await askedOf(['fr', 'nl'], shippedSounds), { json: false });
    expect(printed[printed.indexOf('ok     how long callers wait') + 1]).toContain(spoken);
  });

  test('is told with what nobody hears by law, and is a warning where that is so on every line', async () => {
    const own = makePromptFolder();
    try {
      await cp(shippedSounds, own.path, { recursive: true });
      const more = '  again: { kind: again, text: { fr: Bon } }\n';
      await own.yaml((await readFile(`${shippedSounds}/prompts.yaml`, 'utf8')) + more);
      await own.write('fr/again.wav', toneWav(500, 1_000));
      printed = [];
      const shorter = { notice: { shorterWithinDays: 30 }, privacy: { hashKey: 'k'.repeat(32) } };
      await check(await context(['fr'], own.path, shorter), { json: false });
      const at = printed.indexOf('WARN   how long callers wait: notice.shorterWithinDays changes nothing on any line');
      expect(printed.slice(at, at + 4).join('\n')).toContain(
        'default: nobody hears the shorter notice: all of it is said before each recording for training (training in BE)',
      );
    } finally {
      own.remove();
    }
  });

  test('is a warning of both where a notice is too long', async () => {
    const own = makePromptFolder();
    try {
      const kinds = { optOut: "keys: { refuse: '9' }, ", optIn: "keys: { accept: '1', refuse: '2' }, " };
      const others = ['optOutAck', 'optInAck', 'noAnswer', 'erasedAck'].map((kind): [string, string] => [kind, '']);
      const singles = [...Object.entries(kinds), ...others];
      const entry = ([kind, keys]: [string, string]): string =>
        `  s-${kind.toLowerCase()}: { kind: ${kind}, ${keys}text: { fr: Bon } }`;
      await own.yaml(`
languages: { fr: { made: recording, voice: A } }
prompts:
  notice: { kind: whole, wording: may, purposes: [training], statesMaxDays: { training: 28 }, text: { fr: Bon } }
${singles.map(entry).join('\n')}
`);
      await own.write('fr/notice.wav', toneWav(400, 8_000));
      for (const [index, [kind]] of singles.entries()) {
        await own.write(`fr/s-${kind.toLowerCase()}.wav`, toneWav(500 + 50 * index, 1_000));
      }
      const warning = 'default, optOut: notice and question in fr take 9.0 s, more than 8.5 s';
      await check(await askedOf(['fr'], own.path), { json: false });
      expect(printed.find((line) => line.includes('how long callers wait'))).toContain(warning);
      expect(await promptsCheck(await askedOf(['fr'], own.path), { sounds: undefined, json: false })).toBe(3);
      expect(printed.join('\n')).toContain(`WARN   ${warning}`);
    } finally {
      own.remove();
    }
  });

  test('is not known to prompts check where the lines are refused', async () => {
    const own = makePromptFolder();
    try {
      await own.yaml(
        "languages: { fr: { made: recording, voice: A } }\nprompts: { out: { kind: optOut, keys: { refuse: '9' }, text: { fr: Non } } }\n",
      );
      await promptsCheck(await askedOf(['fr'], own.path), { sounds: undefined, json: false });
      expect(printed.join('\n')).toContain('how long callers of each line wait: not known');
    } finally {
      own.remove();
    }
  });
});
