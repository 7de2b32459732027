import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPrompts } from '../../../src/prompts/build.ts';
import { readWav, similarity, tonePresence } from '../../support/audio/audio.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import { extension, usePhoneRig } from '../../support/call/promptPhone.ts';
import { promptSound } from '../../support/audio/sound.ts';

/** An operator records a prompt by telephone. promptRecording.ends.test.ts has those who get no further. */

const readyHz = 1400;
const refusedHz = 425;
const speakHz = 1000;

/** Of another sentence than the one that is recorded with it. */
const voiceSound = promptSound('en', 'opt-out-ack');

const at = usePhoneRig();

/**
 * Whether both halves of the sentence are there. The telephone says it twice, but not from its beginning: of the whole there is one that
 * is unbroken, which a single lost packet (20 ms, seen on a busy machine) makes unlike. Each half is there twice.
 */
function likeVoice(samples: Int16Array): number {
  const middle = Math.floor(voiceSound.length / 2);

  return Math.min(
    ...[voiceSound.subarray(0, middle), voiceSound.subarray(middle)].map((half) => similarity(samples, half).value),
  );
}

/** Records one sentence, and hears the old one and the new one. */
async function recordOne(code: string): Promise<void> {
  const phone = await at.ring(at.voice);
  await phone.choose(code);
  await phone.reached('recording');
  await sleep(at.voice.lengthMs * 2 + 300);
  // Not # and not *: nothing happens.
  await phone.type('12');
  await phone.type('#');
  await phone.reached('reviewing');
  const playedFrom = phone.receiver.samples().length;
  // Longer than was slept above, and by much where this process stood still meanwhile.
  const [take = ''] = at.takesLeft();
  const takeMs = readWav(join(at.rig.asterisk.spoolFolder, take)).length / 8;
  // Not heard to its end yet, so it cannot be kept.
  await phone.type('1');
  await sleep(takeMs + 1_500);
  expect(existsSync(at.sourceOf('nl', 'notice-agreement'))).toBe(false);
  await phone.type('1');
  await phone.call.ended;

  const stored = readWav(at.sourceOf('nl', 'notice-agreement'));
  expect(likeVoice(stored)).toBeGreaterThan(0.9);
  expect(stored.length / 8).toBeGreaterThan(at.voice.lengthMs * 2);
  // The operator heard the old sentence, the tones, and what was recorded.
  const heard = phone.receiver.samples();
  expect(similarity(heard, promptSound('nl', 'notice-agreement')).value).toBeGreaterThan(0.9);
  expect(likeVoice(heard.subarray(playedFrom))).toBeGreaterThan(0.9);
  expect(tonePresence(heard, speakHz, { share: 0.7 }).length).toBeGreaterThan(0);
  expect(tonePresence(heard, readyHz, { share: 0.7 }).length).toBeGreaterThan(0);
}

it('stores what was spoken and heard, and changes nothing that callers hear', async () => {
  const { stdout } = await at.rig.preavis('prompts', 'list', '--json');
  const { prompts } = JSON.parse(stdout) as { prompts: { code: string; id: string; language: string }[] };
  const code = prompts.find(({ id, language }) => id === 'notice-agreement' && language === 'nl')?.code ?? '';
  expect(code).toMatch(/^\d{3}$/);
  const before = readFileSync(join(at.sounds(), 'nl', 'notice-agreement.wav'));
  await at.onTime(() => {
    // Of a call that came late.
    rmSync(at.sourceOf('nl', 'notice-agreement'), { force: true });
    return recordOne(code);
  });
  await at.expectNothingLeft();
  expect(readFileSync(join(at.sounds(), 'nl', 'notice-agreement.wav')).equals(before)).toBe(true);
  expect(readFileSync(join(at.sounds(), 'prompts.yaml'))).toEqual(readFileSync(join(shippedSounds, 'prompts.yaml')));
  const [line] = at.rig.log().filter(({ msg }) => msg === 'prompt recorded by telephone');
  expect(line).toMatchObject({ prompt: 'notice-agreement', language: 'nl', recorded: 1, of: 14 });
  expect(line?.['next']).toContain('set languages.nl.made to recording');
  expect(at.rig.asterisk.logs()).toContain(`after ${extension}: result=stored reason=`);
  const list = await at.rig.preavis('prompts', 'list');
  expect(list.stdout).toContain('nl: 1 of 14 prompts have a recording. Next: record the 13 that are missing');
});

it('becomes the prompt once the language is switched and built', async () => {
  const own = at.folder('built');
  cpSync(at.sounds(), own, { recursive: true });
  const yaml = readFileSync(join(own, 'prompts.yaml'), 'utf8');
  writeFileSync(
    join(own, 'prompts.yaml'),
    yaml.replace(/nl: \{ made: placeholder, voice: [^}]*\}/, 'nl: { made: recording, voice: Anna }'),
  );
  const built = await buildPrompts(own, { languages: ['nl'], force: false });
  expect(built.made).toMatchObject([{ prompt: 'notice-agreement', language: 'nl' }]);
  expect(likeVoice(readWav(join(own, 'nl', 'notice-agreement.wav')))).toBeGreaterThan(0.8);
});

it('is recorded again on 2, and given up on * with nothing left', async () => {
  await at.onTime(async () => {
    const phone = await at.ring(at.voice);
    await phone.speakTo('061');
    await sleep(at.voice.lengthMs + 500);
    await phone.type('#');
    await phone.reached('reviewing');
    await phone.type('2');
    await phone.reached('recording', 2);
    await phone.type('*');
    await phone.endsWithout('given_up');
    await phone.call.ended;
  });
  await at.expectNothingLeft();
  expect(existsSync(at.sourceOf('fr', 'opt-out-ack'))).toBe(false);
});

it('refuses a take that is too short, silent or too long, and says so in the log', async () => {
  const silent = async (): Promise<void> => {
    const phone = await at.ring(at.silence);
    await phone.speakTo('061');
    await sleep(1_500);
    await phone.type('#');
    await phone.reached('recording', 2);
    // Beyond promptRecording.maximumSeconds.
    await phone.reached('recording', 3);
    await phone.call.hangUp();
    await phone.endsWithout('hung_up');
    expect(phone.unusable()).toEqual(['silent', 'too_long']);
    expect(tonePresence(phone.receiver.samples(), refusedHz, { share: 0.7 }).length).toBeGreaterThanOrEqual(2);
  };
  const brief = async (): Promise<void> => {
    const phone = await at.ring(at.voice);
    await phone.speakTo('063');
    await sleep(600);
    await phone.type('#');
    await phone.reached('recording', 2);
    await phone.call.hangUp();
    await phone.endsWithout('hung_up');
    expect(phone.unusable()).toEqual(['too_short']);
  };
  await Promise.all([at.onTime(silent), at.onTime(brief)]);
  await at.expectNothingLeft();
  expect(existsSync(at.sourceOf('fr', 'opt-out-ack'))).toBe(false);
  expect(existsSync(at.sourceOf('de', 'opt-out-ack'))).toBe(false);
});
