import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { rigBucket } from '../../../lab/rig.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs, readWav, similarity, tonePresence, type Span } from '../../support/audio/audio.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  listRecordings,
  logText,
  showRecording,
  spooledWav,
  useRig,
  type ShownRecording,
} from '../../support/rig/rigs.ts';
import {
  burstsOf,
  firstSoundLackMs,
  heardPart,
  lastedMs,
  mixed,
  promptSound,
  tracesOf,
} from '../../support/audio/sound.ts';
import { unzipped } from '../../support/evidence/subjects.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const run = promisify(execFile);

const callerHz = 440;
const agentHz = 1000;
const burstMs = 500;
const ringMs = 1500;
const talkMs = 3000;
const every = ['fr', 'nl', 'de', 'en'];

/** Each is one call by the line of this name, from this number, with these arguments. */
type Case = {
  line: string;
  how: string;
  from: string;
  args?: string;
  config?: { language?: string; purposes?: string[]; defaultLanguages?: string[] };
  languages: string[];
  reason: string;
  prompts?: string[];
};

const cases: Case[] = [
  ...every.map((language) => ({
    line: `argument${language}`,
    how: `the dialplan says ${language}`,
    // A number that by itself would have given another language.
    from: language === 'fr' ? '+3292345678' : '+33123456789',
    args: `language=${language}`,
    languages: [language],
    reason: 'argument',
  })),
  { line: 'number', how: 'the number is of Ghent', from: '+3292345678', languages: ['nl'], reason: 'number' },
  {
    line: 'ownlanguage',
    how: 'the line has a language of its own',
    from: '+33123456789',
    config: { language: 'de' },
    languages: ['de'],
    reason: 'line',
  },
  {
    line: 'mobile',
    how: 'the number is a mobile one and says nothing',
    from: '+32470123456',
    config: { defaultLanguages: ['en'] },
    languages: ['en'],
    reason: 'lineDefault',
  },
  {
    line: 'bilingual',
    how: 'the number is of Brussels',
    from: '+3221234567',
    languages: ['fr', 'nl'],
    reason: 'number',
  },
  {
    line: 'both',
    how: 'the line records for both purposes',
    from: '+3242345678',
    config: { purposes: ['training', 'agreement'] },
    languages: ['fr'],
    reason: 'number',
    prompts: ['notice-both'],
  },
];

const promptsOf = (each: Case): string[] => each.prompts ?? ['notice-training'];

type Outcome = {
  heard: Int16Array;
  shown: ShownRecording;
  /** The WAV as it lay in the spool, before it was sent. */
  wav: Buffer;
  samples: Int16Array;
  burst: Span[];
};

type Archived = { status: string; bytes: number; objectKey: string };

const folder = temporaryFolder();
const s3 = useS3Server({ [rigBucket]: {} });

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({
      behaviour: 'answer',
      tone: await burstTone(agentHz, { onMs: burstMs, offMs: 500 }),
      ringMs,
      hangUpAfterMs: talkMs,
      atOnce: cases.length,
    }),
  );
  const lineOf = ({ config }: Case) => ({ purposes: ['training'], defaultLanguages: ['fr'], ...config });
  return {
    store: s3.server,
    extensions: Object.fromEntries(
      cases.map((each) => [each.line, `${agent.dialString},20,line=${each.line},${each.args ?? ''}`]),
    ),
    config: {
      lines: Object.fromEntries(cases.map((each) => [each.line, lineOf(each)])),
      privacy: { hashKey: 'h'.repeat(32), numberKey: 'n'.repeat(32) },
    },
  };
});

const receivers = new Map<string, RtpReceiver>();
const outcomes = new Map<string, Outcome>();
/** By recording id, after the upload. */
const archived = new Map<string, Archived>();
const stored = (key: string): string => join(folder.path('fetched'), key);
let uploaded: { code: number; stdout: string };

async function callBy(each: Case): Promise<void> {
  const { rig } = at;
  const receiver = await at.keep(startRtpReceiver());
  const call = await at.keep(
    placeCall({
      sipPort: rig.asterisk.sipPort,
      to: each.line,
      fromNumber: each.from,
      tone: await continuousTone(callerHz),
      receiver,
    }),
  );
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  receivers.set(each.line, receiver);
  await finishedRecording(rig, each.line);
}

/** After the calls, so that nothing here takes the processor from them. */
async function lookAt(each: Case): Promise<void> {
  const { rig } = at;
  const { id } = await finishedRecording(rig, each.line);
  const wav = readFileSync(spooledWav(rig, id));
  const copy = folder.path(`${each.line}.wav`);
  writeFileSync(copy, wav);
  const samples = readWav(copy);
  outcomes.set(each.line, {
    heard: receivers.get(each.line)?.samples() ?? new Int16Array(),
    shown: await showRecording(rig, id),
    wav,
    samples,
    burst: burstsOf(samples, agentHz),
  });
}

beforeAll(async () => {
  await Promise.all(cases.map((each) => at.onTime(each.line, () => callBy(each))));
  for (const each of cases) await lookAt(each);
  uploaded = await at.rig.preavis('upload');
  for (const { id, status, bytes, objectKey } of await listRecordings(at.rig)) {
    archived.set(id, { status, bytes, objectKey: objectKey ?? '' });
  }
  // A client that shares nothing with ours.
  mkdirSync(folder.path('fetched'));
  writeFileSync(folder.path('s3cfg'), '');
  const { port, accessKey, secretKey } = s3.server;
  const server = `127.0.0.1:${port}`;
  const keys = [`--access_key=${accessKey}`, `--secret_key=${secretKey}`];
  const where = [`--config=${folder.path('s3cfg')}`, '--no-ssl', `--host=${server}`, `--host-bucket=${server}`];
  await run('s3cmd', [...where, ...keys, 'get', '--recursive', `s3://${rigBucket}/`, `${folder.path('fetched')}/`]);
});

function outcomeOf(each: Case): Outcome {
  const outcome = outcomes.get(each.line);
  if (outcome === undefined) throw new Error(`no outcome of ${each.line}`);

  return outcome;
}

describe.each(cases)('a call where $how', (each) => {
  it('lets the caller hear the whole notice in that language and no other', () => {
    const { heard } = outcomeOf(each);
    const others = every.filter((language) => !each.languages.includes(language));
    for (const language of others) {
      for (const prompt of promptsOf(each)) {
        expect(similarity(heard, promptSound(language, prompt)).value).toBeLessThan(0.3);
      }
    }
    const parts = each.languages.flatMap((language) =>
      promptsOf(each).map((prompt) => heardPart(heard, promptSound(language, prompt))),
    );
    expect(Math.min(...parts.map(({ share }) => share))).toBeGreaterThan(0.75);
    const starts = parts.map(({ atMs }) => atMs);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    const [firstVoice] = tonePresence(heard, agentHz, { share: 0.7 });
    expect(firstVoice?.startMs).toBeGreaterThan((starts.at(-1) ?? 0) + ringMs);
  });

  it('is recorded with both voices from the first sound of the agent on', () => {
    const { samples, burst } = outcomeOf(each);
    expect(presentMs(samples, callerHz)).toBeGreaterThan(talkMs - 500);
    expect(burst.length).toBeGreaterThanOrEqual(talkMs / 1000 - 1);
    expect(lastedMs(burst[0])).toBeGreaterThanOrEqual(burstMs - firstSoundLackMs);
  });

  it('is known to have been talked in by both, of all the time that was recorded', async () => {
    const { shown } = outcomeOf(each);
    const talk = (await catalogueRecordings(at.rig)).find(({ id }) => id === shown.id)?.talk;
    for (const ms of [talk?.callerMs, talk?.destinationMs]) {
      expect(ms).toBeGreaterThan(talkMs - 1500);
      // By the times of Asterisk's events, which come before the first sample and after the last.
      expect(ms).toBeLessThanOrEqual(shown.durationMs + 300);
    }
  });

  it('is recorded from the answer on, without the time of ringing', () => {
    const { samples, shown, burst } = outcomeOf(each);
    const lengthMs = samples.length / 8;
    expect(lengthMs).toBeGreaterThan(talkMs - 300);
    // Both ends of it may be late, by less than a third of the ringing.
    expect(lengthMs).toBeLessThan(talkMs + ringMs / 3);
    expect(burst[0]?.startMs).toBeLessThan(ringMs / 3);
    // The destination rang between the end of the notice and the recorder's start.
    expect(shown.gapMs).toBeGreaterThanOrEqual(ringMs - 100);
    expect(shown.durationMs).toBe(Math.round(lengthMs));
  });

  it('has nothing of the notice in the recording, where a quiet one would be found', () => {
    const { samples } = outcomeOf(each);
    for (const language of each.languages) {
      for (const prompt of promptsOf(each)) {
        const sound = promptSound(language, prompt);
        const tones = [callerHz, agentHz];
        expect(tracesOf(sound, samples, tones)).toBeLessThan(0.3);
        expect(tracesOf(sound, mixed(samples, sound, 500, 0.25), tones)).toBeGreaterThan(0.5);
      }
    }
  });

  it('says why it was told in that language, and that it was told before it was recorded', async () => {
    const { shown } = outcomeOf(each);
    expect(shown).toMatchObject({ languages: each.languages, languageReason: each.reason, flags: [], failure: null });
    expect(shown.gapMs).toBeGreaterThanOrEqual(0);
    expect(shown.notice.map(({ language, prompt, verified }) => ({ language, prompt, verified }))).toEqual(
      each.languages.flatMap((language) => promptsOf(each).map((prompt) => ({ language, prompt, verified: true }))),
    );
    expect(await endedCall(at.rig, each.line)).toMatchObject({ result: 'recorded', reason: null });
  });

  it('lies in the archive byte for byte, and no longer in the spool', () => {
    const { shown, wav } = outcomeOf(each);
    const after = archived.get(shown.id);
    expect(after).toMatchObject({ status: 'archived', bytes: wav.length });
    expect(after?.objectKey).toMatch(new RegExp(`^recordings/\\d{4}/\\d{2}/\\d{2}/${shown.id}\\.wav$`));
    expect(readFileSync(stored(after?.objectKey ?? '')).equals(wav)).toBe(true);
    expect(existsSync(spooledWav(at.rig, shown.id))).toBe(false);
  });

  it('has a receipt beside the object that proves the notice and names nobody', () => {
    const { shown, wav } = outcomeOf(each);
    const text = readFileSync(stored((archived.get(shown.id)?.objectKey ?? '').replace(/\.wav$/, '.json')), 'utf8');
    const receipt = JSON.parse(text) as Receipt;
    const yaml = parse(readFileSync(join(shippedSounds, 'prompts.yaml'), 'utf8')) as {
      prompts: Record<string, { text: Record<string, string> }>;
    };
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(receipt.recording).toMatchObject({ id: shown.id, sha256: digest(wav), bytes: wav.length });
    expect(receipt.recording?.gapMs).toBeGreaterThanOrEqual(0);
    expect(receipt.language).toMatchObject({ played: each.languages, reason: each.reason });
    expect(receipt.notice).toMatchObject(
      each.languages.flatMap((language) =>
        promptsOf(each).map((prompt) => ({
          prompt,
          language,
          text: yaml.prompts[prompt]?.text[language],
          sha256: digest(readFileSync(join(shippedSounds, language, `${prompt}.wav`))),
          verified: true,
        })),
      ),
    );
    for (const sentence of receipt.notice) {
      const heardMs = Date.parse(sentence.finishedAt ?? '') - Date.parse(sentence.startedAt ?? '');
      expect(heardMs).toBeGreaterThanOrEqual(0.95 * sentence.lengthMs);
      expect(heardMs).toBeLessThan(sentence.lengthMs + 1000);
      expect(sentence.finishedAt?.localeCompare(receipt.recording?.startedAt ?? '')).toBeLessThanOrEqual(0);
    }
    expect(receipt.purposes.map(({ id }) => id)).toEqual(each.config?.purposes ?? ['training']);
    for (const purpose of receipt.purposes) expect(purpose.justification).toMatch(/lab/);
    expect(text).not.toContain(each.from.slice(1));
  });
});

it('sends every recording in one pass and leaves nobody connected', async () => {
  expect(uploaded.code).toBe(0);
  expect(uploaded.stdout).toContain(`${cases.length + (await at.recordedInVain())} recordings sent`);
  await expectNobodyConnected(at.rig);
});

it('finds the calls of a number that Asterisk has told, and writes it nowhere where it can be read', async () => {
  const { rig } = at;
  const national = '09 234 56 78';
  const [one, ...others] = cases.filter(({ from }) => from === '+3292345678');
  expect(others.length).toBeGreaterThan(0);
  const zip = folder.path('person.zip');
  const exported = await rig.preavis('subject', 'export', '--number', national, '-o', zip, '--json');
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  const theirs = cases.filter(({ from }) => from === one?.from).map(({ line }) => line);
  expect(JSON.parse(exported.stdout)).toMatchObject({
    calls: theirs.length + at.inVain(theirs),
    recordings: theirs.length + (await at.recordedInVain(theirs)),
  });
  const files = await unzipped(readFileSync(zip));
  for (const each of cases.filter(({ from }) => from === one?.from)) {
    const { shown, wav } = outcomeOf(each);
    const name = [...files.keys()].find((file) => file.endsWith(`${shown.id}.wav`)) ?? '';
    expect(files.get(name)?.equals(wav)).toBe(true);
  }
  expect(files.get('index.html')?.toString()).toContain(one?.from);
  for (const suffix of ['', '-wal']) {
    const file = join(rig.folder, `catalogue.db${suffix}`);
    const bytes = existsSync(file) ? readFileSync(file, 'latin1') : '';
    for (const { from } of cases) expect(bytes.includes(from.slice(3))).toBe(false);
  }
});

it('writes no number and no destination into the log', () => {
  const text = logText(at.rig);
  for (const { from } of cases) expect(text).not.toContain(from.slice(1));
  expect(text).not.toContain('PJSIP/');
});
