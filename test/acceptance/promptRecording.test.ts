/**
 * An operator records a prompt by telephone: real Asterisk, real keys, a real voice. The voice is a sentence that is played
 * again and again, so whatever stretch is recorded, it is in it whole.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toneFromFile, type ToneFile } from '../../lab/audio.ts';
import { startEar, type Ear } from '../../lab/ear.ts';
import { placeCall, type Call } from '../../lab/sip.ts';
import { buildPrompts } from '../../src/config/buildPrompts.ts';
import { plainWav } from '../../src/config/promptSound.ts';
import { readWav, similarity, tonePresence } from '../support/audio.ts';
import { eventually } from '../support/poll.ts';
import { shippedSounds } from '../support/promptFolder.ts';
import { expectNobodyConnected, logText, useRig } from '../support/rigs.ts';
import { promptSound } from '../support/sound.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const pin = '904173';
const extension = '790';
const readyHz = 1400;
const refusedHz = 425;
const speakHz = 1000;

const folder = temporaryFolder();
const sounds = (): string => join(folder.path(), 'sounds');
const sourceOf = (language: string, id: string): string => join(sounds(), language, `${id}.source.wav`);
/** Of another sentence than the one that is recorded with it. */
const voiceSound = promptSound('en', 'opt-out-ack');

let voice: ToneFile;
let silence: ToneFile;

const at = useRig(() => {
  mkdirSync(sounds());
  cpSync(shippedSounds, sounds(), { recursive: true });
  return {
    lines: [
      `exten => ${extension},1,Stasis(preavis,task=recordPrompt)`,
      ` same => n,NoOp(after ${extension}: result=\${PREAVIS_RESULT} reason=\${PREAVIS_REASON})`,
      ' same => n,Hangup()',
    ],
    config: {
      notice: { soundsFolder: sounds() },
      promptRecording: { maximumSeconds: 12 },
    },
    environment: { PREAVIS_PROMPT_RECORDING_PIN: pin },
  };
});

beforeAll(async () => {
  writeFileSync(folder.path('silence.wav'), plainWav({ rate: 8000, samples: new Int16Array(8000) }));
  silence = await toneFromFile(folder.path('silence.wav'));
  voice = await toneFromFile(join(shippedSounds, 'en', 'opt-out-ack.wav'));
});

type Phone = { call: Call; ear: Ear; type(keys: string): Promise<void> };

async function ring(speech: ToneFile): Promise<Phone> {
  const ear = await at.keep(startEar());
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: extension, tone: speech, ear }));
  await eventually(() => ear.packets() > 0);

  return {
    call,
    ear,
    type: async (keys) => {
      // As a hand does it: Asterisk drops keys that come closer than 45 ms, and packets bunch on a busy machine.
      for (const key of keys) {
        await ear.pressDigit(key, 120);
        await sleep(120);
      }
    },
  };
}

/** Waits until this operator's session is there; the newest call is meant. */
const reached = (state: string, times = 1): Promise<unknown> =>
  eventually(() => moves().filter((line) => line['to'] === state).length >= times);

const moves = (): Record<string, unknown>[] => {
  const all = at.rig.log().filter((line) => line['msg'] === 'prompt recording moves on');
  const last = all.at(-1)?.['call'];
  return all.filter((line) => line['call'] === last);
};

const takesLeft = (): string[] => readdirSync(at.rig.asterisk.spoolFolder);

async function expectEnd(reason: string): Promise<void> {
  await reached('ended');
  await eventually(() =>
    at.rig
      .log()
      .some((line) => line['msg'] === 'prompt recording ended without a recording' && line['reason'] === reason),
  );
  await expectNobodyConnected(at.rig);
  await eventually(() => takesLeft().length === 0);
}

/** Until the tone after which one speaks is over. */
async function toTheRecorder(phone: Phone, code: string): Promise<void> {
  await reached('enteringPin');
  await phone.type(`${pin}#`);
  await reached('enteringCode');
  await phone.type(`${code}#`);
  await reached('presenting');
}

afterEach(() => {
  expect(logText(at.rig)).not.toContain(pin);
});

it('stores what was spoken and heard, and changes nothing that callers hear', async () => {
  const { stdout } = await at.rig.preavis('prompts', 'list', '--json');
  const { prompts } = JSON.parse(stdout) as { prompts: { code: string; id: string; language: string }[] };
  const code = prompts.find(({ id, language }) => id === 'notice-agreement' && language === 'nl')?.code ?? '';
  expect(code).toMatch(/^\d{3}$/);
  const before = readFileSync(join(sounds(), 'nl', 'notice-agreement.wav'));

  const phone = await ring(voice);
  await toTheRecorder(phone, code);
  await reached('recording');
  await sleep(voice.lengthMs * 2 + 300);
  // Not # and not *: nothing happens.
  await phone.type('12');
  await phone.type('#');
  await reached('reviewing');
  const playedFrom = phone.ear.samples().length;
  // Not heard to its end yet, so it cannot be kept.
  await phone.type('1');
  await sleep(voice.lengthMs * 2 + 1_500);
  expect(existsSync(sourceOf('nl', 'notice-agreement'))).toBe(false);
  await phone.type('1');
  await phone.call.ended;

  const stored = readWav(sourceOf('nl', 'notice-agreement'));
  expect(similarity(stored, voiceSound).value).toBeGreaterThan(0.9);
  expect(stored.length / 8).toBeGreaterThan(voice.lengthMs * 2);
  // The operator heard the old sentence, the tones, and what was recorded.
  const heard = phone.ear.samples();
  expect(similarity(heard, promptSound('nl', 'notice-agreement')).value).toBeGreaterThan(0.9);
  expect(similarity(heard.subarray(playedFrom), voiceSound).value).toBeGreaterThan(0.9);
  expect(tonePresence(heard, speakHz, { share: 0.7 }).length).toBeGreaterThan(0);
  expect(tonePresence(heard, readyHz, { share: 0.7 }).length).toBeGreaterThan(0);

  await expectNobodyConnected(at.rig);
  await eventually(() => takesLeft().length === 0);
  expect(readFileSync(join(sounds(), 'nl', 'notice-agreement.wav')).equals(before)).toBe(true);
  expect(readFileSync(join(sounds(), 'prompts.yaml'))).toEqual(readFileSync(join(shippedSounds, 'prompts.yaml')));
  const [line] = at.rig.log().filter(({ msg }) => msg === 'a prompt was recorded by telephone');
  expect(line).toMatchObject({ prompt: 'notice-agreement', language: 'nl', recorded: 1, of: 17 });
  expect(line?.['next']).toContain('set languages.nl.made to recording');
  expect(at.rig.asterisk.logs()).toContain(`after ${extension}: result=stored reason=`);
  const list = await at.rig.preavis('prompts', 'list');
  expect(list.stdout).toContain('nl: 1 of 17 prompts have a recording. Next: record the 16 that are missing');
});

it('becomes the prompt once the language is switched and built', async () => {
  const own = folder.path('built');
  cpSync(sounds(), own, { recursive: true });
  const yaml = readFileSync(join(own, 'prompts.yaml'), 'utf8');
  writeFileSync(
    join(own, 'prompts.yaml'),
    yaml.replace(/nl: \{ made: placeholder, voice: [^}]*\}/, 'nl: { made: recording, voice: Anna }'),
  );
  const built = await buildPrompts(own, { languages: ['nl'] });
  expect(built.made).toMatchObject([{ prompt: 'notice-agreement', language: 'nl' }]);
  expect(similarity(readWav(join(own, 'nl', 'notice-agreement.wav')), voiceSound).value).toBeGreaterThan(0.8);
});

it('is recorded again on 2, and given up on * with nothing left', async () => {
  const phone = await ring(voice);
  await toTheRecorder(phone, '021');
  // The old sentence need not be heard.
  await phone.type('#');
  await reached('recording');
  await sleep(voice.lengthMs + 500);
  await phone.type('#');
  await reached('reviewing');
  await phone.type('2');
  await reached('recording', 2);
  await phone.type('*');
  await expectEnd('given_up');
  await phone.call.ended;
  expect(existsSync(sourceOf('fr', 'notice-agreement'))).toBe(false);
});

it('refuses a take that is too short, silent or too long, and says so in the log', async () => {
  const phone = await ring(silence);
  await toTheRecorder(phone, '021');
  await phone.type('#');
  await reached('recording');
  await sleep(1_500);
  await phone.type('#');
  await reached('recording', 2);
  // Beyond promptRecording.maximumSeconds.
  await reached('recording', 3);
  await phone.call.hangUp();
  await expectEnd('hung_up');
  expect(tonePresence(phone.ear.samples(), refusedHz, { share: 0.7 }).length).toBeGreaterThanOrEqual(2);

  const brief = await ring(voice);
  await toTheRecorder(brief, '021');
  await brief.type('#');
  await reached('recording');
  await sleep(600);
  await brief.type('#');
  await reached('recording', 2);
  await brief.call.hangUp();
  await expectEnd('hung_up');
  const reasons = at.rig.log().flatMap(({ msg, reason }) => (msg === 'a take cannot be used' ? [reason] : []));
  expect(reasons).toEqual(['silent', 'too_long', 'too_short']);
  expect(existsSync(sourceOf('fr', 'notice-agreement'))).toBe(false);
});

it('ends with nothing left when the operator hangs up, at any step', async () => {
  const steps: { state: string; keys: string[] }[] = [
    { state: 'enteringPin', keys: [] },
    { state: 'enteringCode', keys: [`${pin}#`] },
    { state: 'presenting', keys: [`${pin}#`, '013#'] },
    { state: 'recording', keys: [`${pin}#`, '013#', '#'] },
    { state: 'reviewing', keys: [`${pin}#`, '013#', '#', '#'] },
  ];
  const waits = ['enteringPin', 'enteringCode', 'presenting', 'recording', 'reviewing'];
  for (const { state, keys } of steps) {
    const phone = await ring(voice);
    for (const [index, each] of keys.entries()) {
      await reached(waits[index] ?? state);
      if (index === 3) await sleep(voice.lengthMs + 300);
      await phone.type(each);
    }
    await reached(state);
    await phone.call.hangUp();
    await expectEnd('hung_up');
  }
  expect(existsSync(sourceOf('de', 'notice-training'))).toBe(false);
});

it('leaves nothing when Préavis is killed while somebody speaks', async () => {
  const phone = await ring(voice);
  await toTheRecorder(phone, '013');
  await phone.type('#');
  await reached('recording');
  await at.rig.killServe();
  expect(takesLeft()).toHaveLength(1);
  await at.rig.startServe();
  await phone.call.ended;
  await expectNobodyConnected(at.rig);
  await eventually(() => takesLeft().length === 0);
  expect(existsSync(sourceOf('de', 'notice-training'))).toBe(false);
});

it('ends after three wrong PINs, and a storm of keys opens nothing', async () => {
  const phone = await ring(voice);
  await reached('enteringPin');
  await phone.type(`123456789012345678901234567890${pin}#`);
  await reached('enteringPin', 2);
  await phone.type('#');
  await reached('enteringPin', 3);
  await phone.type(`${pin}1#1#1#1#`);
  await expectEnd('pin_wrong');
  await phone.call.ended;
  expect(at.rig.asterisk.logs()).toContain(`after ${extension}: result=notStored reason=pin_wrong`);
  expect(moves().map(({ to }) => to)).not.toContain('enteringCode');
});

it('accepts no PIN for a while after ten wrong ones in any calls', async () => {
  // Three were typed in the call before.
  for (const wrong of [3, 3, 1]) {
    const phone = await ring(voice);
    for (let count = 0; count < wrong; count += 1) {
      await reached('enteringPin', count + 1);
      await phone.type('111111#');
    }
    if (wrong === 3) await phone.call.ended;
    else {
      await reached('enteringPin', 2);
      await phone.type(`${pin}#`);
      await reached('enteringPin', 3);
      await phone.type('*');
      await phone.call.ended;
    }
    await reached('ended');
    await expectNobodyConnected(at.rig);
  }
  expect(logText(at.rig)).toContain('too many wrong PINs');
  expect(moves().map(({ to }) => to)).not.toContain('enteringCode');
});
