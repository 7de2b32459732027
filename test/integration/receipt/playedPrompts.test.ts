import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePlayedPrompts } from '../../../src/receipt/playedPrompts.ts';
import type { NoticeRow } from '../../../src/catalogue/rows.ts';
import { loadPrompts, type PromptLibrary } from '../../../src/prompts/library.ts';
import type { CallId } from '../../../src/core/ids.ts';
import { makePromptFolder, shippedSound, toneWav, type PromptFolder } from '../../support/policy/promptFolder.ts';

let ours: PromptFolder;
let library: PromptLibrary;

beforeEach(async () => {
  ours = makePromptFolder();
  await ours.yaml(`
languages: { fr: { made: placeholder, voice: a } }
prompts:
  notice: { kind: purpose, wording: may, purposes: [training], text: { fr: Bonjour } }
  keep: { kind: storage, purposes: [training], statesMaxDays: { training: 28 }, text: { fr: Quatre semaines } }
`);
  await ours.ship('fr/notice-training', 'fr/notice');
  await ours.ship('fr/notice-both', 'fr/keep');
  library = await loadPrompts(ours.path);
});
afterEach(() => {
  ours.remove();
});

const call = { callId: 'a call' as CallId };
/** The notice of the one call, sentence by sentence. */
function heard(...hashes: string[]): ReturnType<typeof makePlayedPrompts> {
  const notices = hashes.map((sha256) => ({ sha256 }) as NoticeRow);

  return makePlayedPrompts(ours.path, library, { calls: { notices: () => Promise.resolve(notices) } });
}
const hashOf = (id: string): string => library.find(id, 'fr')?.sha256 ?? 'no such prompt';

test('what the caller heard is found by the hashes of the receipt, with its sound', async () => {
  const { prompts, missing } = await heard(hashOf('notice'), hashOf('keep'))(call);
  expect(missing).toBe(0);
  expect(prompts.map(({ id }) => id)).toEqual(['fr/notice', 'fr/keep']);
  expect(prompts[0]?.samples).toEqual((await shippedSound('fr/notice-training', 'wav')).samples);
});

test('a file that was replaced since the start is not taken for what was played', async () => {
  const promptsHeard = heard(hashOf('notice'), hashOf('keep'));
  await ours.write('fr/notice.wav', toneWav(440));
  const { prompts, missing } = await promptsHeard(call);
  expect(prompts.map(({ id }) => id)).toEqual(['fr/keep']);
  expect(missing).toBe(1);
});

test('a sentence that is no longer among the prompts is missing, and so is one whose file is gone', async () => {
  const promptsHeard = heard('0'.repeat(64), hashOf('notice'));
  await rm(join(ours.path, 'fr/notice.wav'));
  expect(await promptsHeard(call)).toEqual({ prompts: [], missing: 2 });
});

test('a file that could not be read is read again for the next recording', async () => {
  const promptsHeard = heard(hashOf('notice'));
  const file = join(ours.path, 'fr/notice.wav');
  await rename(file, `${file}.away`);
  // Cannot be read by root either.
  await mkdir(file);
  await expect(promptsHeard(call)).rejects.toMatchObject({ code: 'EISDIR' });
  await rm(file, { recursive: true });
  expect((await promptsHeard(call)).missing).toBe(1);
  await rename(`${file}.away`, file);
  expect((await promptsHeard(call)).prompts.map(({ id }) => id)).toEqual(['fr/notice']);
});
