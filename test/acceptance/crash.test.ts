import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../lab/audio.ts';
import { startEar, type Ear } from '../../lab/ear.ts';
import { labPurpose } from '../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type CallEnd } from '../../lab/sip.ts';
import type { RecordingRow } from '../../src/catalogue/rows.ts';
import { presentMs, readWav, tonePresence } from '../support/audio.ts';
import { expectOnlyConsented } from '../support/consent.ts';
import { eventually } from '../support/poll.ts';
import { toneWav } from '../support/promptFolder.ts';
import { catalogueCalls, catalogueRecordings, expectNobodyConnected, filesBelow, useRig } from '../support/rigs.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

/**
 * `kill -9` at every place that a recorded call, its upload and its erasure pass, and a restart. The places are not listed here: a
 * call that is not disturbed tells them.
 */

const agentHz = 1000;
const callerHz = 440;
const noticeHz = 700;
/** Longer than the pause between two bursts of the agent, in samples. */
const longerThanPause = 0.6 * 8_000;

const folder = temporaryFolder();
const sounds = (): string => folder.path('sounds');
const trailFile = (): string => folder.path('trail');

/** A notice of one sentence, a second long, and what a caller who may refuse hears. */
function writeSounds(): void {
  mkdirSync(join(sounds(), 'en'), { recursive: true });
  for (const [index, name] of ['notice', 'notice-asked', 'opt-out', 'opt-out-ack', 'erased-ack'].entries()) {
    writeFileSync(join(sounds(), `en/${name}.wav`), toneWav(noticeHz + 50 * index, 1000));
  }
  writeFileSync(
    join(sounds(), 'prompts.yaml'),
    `languages: { en: { made: recording, voice: a tone } }
prompts:
  notice: { kind: whole, wording: is, purposes: [training], statesMaxDays: { training: 28 }, text: { en: This call is recorded. } }
  notice-asked: { kind: whole, wording: may, purposes: [asked], statesMaxDays: { asked: 28 }, text: { en: This call may be recorded. } }
  opt-out: { kind: optOut, keys: { refuse: '9' }, text: { en: 'If you do not wish that, press nine.' } }
  opt-out-ack: { kind: optOutAck, text: { en: It will not be recorded. } }
  erased-ack: { kind: erasedAck, text: { en: What was recorded is being erased. } }
`,
  );
}

let patient: Agent;
const at = useRig(async () => {
  writeSounds();
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 2_000, ringMs: 200, atOnce: 4 }),
  );
  patient = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 2_000, ringMs: 3_000, atOnce: 4 }),
  );
  return {
    idle: true,
    lines: [
      `exten => 100,1,Gosub(preavis,s,1(${agent.dialString},20))`,
      ' same => n,Hangup()',
      `exten => 200,1,Gosub(preavis,s,1(${patient.dialString},20,line=asked))`,
      ' same => n,Hangup()',
    ],
    config: {
      notice: { soundsFolder: sounds(), languages: ['en'] },
      purposes: {
        training: labPurpose('lab', 'Calls of the lab are recorded in order to see what a crash leaves.', 0),
        asked: {
          ...labPurpose('lab', 'Calls of the lab are refused in order to see what a crash leaves.', 28),
          consent: 'optOut',
        },
        agreement: {
          ...labPurpose('lab', 'Nobody is recorded for this in these calls of the lab.', 28),
          kind: 'evidence',
        },
      },
      lines: {
        default: { purposes: ['training'], language: 'en', defaultLanguages: ['en'] },
        asked: { purposes: ['asked'], language: 'en', defaultLanguages: ['en'] },
      },
    },
  };
});

/** The places that are passed while this is done, each once, in their order. */
async function placesOf(work: (trail: Record<string, string>) => Promise<unknown>): Promise<string[]> {
  rmSync(trailFile(), { force: true });
  await work({ PREAVIS_TEST_TRAIL: trailFile() });

  return [...new Set(readFileSync(trailFile(), 'utf8').trim().split('\n'))];
}

type Called = { end: CallEnd; heardAgentMs: number };

/** A whole call to this extension; what the caller does meanwhile is `act`. */
async function callTo(to: string, act: (ear: Ear) => Promise<void> = () => Promise.resolve()): Promise<Called> {
  const ear = await at.keep(startEar());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, ear }));
  await act(ear);
  const end = await call.ended;

  return { end, heardAgentMs: presentMs(ear.samples(), agentHz, { share: 0.7 }) };
}

async function callThrough(): Promise<Called> {
  const called = await callTo('100');
  expect(called.end).toMatchObject({ status: 'answered' });

  return called;
}

/** A caller who refuses as soon as the destination rings. */
async function refusedCall(): Promise<Called> {
  const before = patient.calls();
  const called = await callTo('200', async (ear) => {
    await eventually(() => patient.calls() > before);
    await ear.pressDigit('9');
  });
  expect(called.end).toMatchObject({ status: 'answered', endedBy: 'callee' });

  return called;
}

const rows = () => catalogueRecordings(at.rig);
/** But for certificates of erasure. */
const objects = (): string[] => filesBelow(at.rig.archiveFolder).filter((name) => !name.endsWith('.jws'));

async function killedServe(
  place: string,
  call: () => Promise<Called> = callThrough,
): Promise<{ heardAgentMs: number; fresh: RecordingRow[] }> {
  const before = new Set((await rows()).map(({ id }) => id));
  await at.rig.startServe({ PREAVIS_TEST_KILL_AT: place });
  const called = call();
  await eventually(() => at.rig.servePid() === undefined);
  await at.rig.startServe();
  const { heardAgentMs } = await called;
  await expectNobodyConnected(at.rig);
  await eventually(async () => (await catalogueCalls(at.rig)).every(({ phase }) => phase === 'ended'));
  await at.rig.stopServe();

  return { heardAgentMs, fresh: (await rows()).filter(({ id }) => !before.has(id)) };
}

/** Every file of spool and archive has its row, and every row its files; what is archived is what was recorded. */
async function expectAllAgree(): Promise<void> {
  const all = await rows();
  const kept = (status: string): RecordingRow[] => all.filter((row) => row.status === status);
  expect(filesBelow(at.rig.asterisk.spoolFolder).sort()).toEqual(
    kept('recorded')
      .map(({ id }) => `preavis-${id}.wav`)
      .sort(),
  );
  expect(objects().sort()).toEqual(
    kept('archived')
      .flatMap(({ id }) => [`${id}.json`, `${id}.wav`])
      .sort(),
  );
  for (const { objectKey, sha256 } of kept('archived')) {
    const bytes = readFileSync(join(at.rig.archiveFolder, objectKey ?? ''));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  }
}

let callPlaces: string[] = [];

beforeAll(async () => {
  const { rig } = at;
  expect(await rig.preavis('prompts', 'install', '--to', rig.asterisk.soundsFolder)).toMatchObject({ code: 0 });
  callPlaces = await placesOf(async (trail) => {
    await rig.startServe(trail);
    await callThrough();
    await eventually(async () => (await rows())[0]?.status === 'recorded');
    await eventually(async () => (await catalogueCalls(rig))[0]?.witness !== null);
    await rig.stopServe();
  });
});

it('is passed by an undisturbed call in more than fifteen places', () => {
  expect(callPlaces.length).toBeGreaterThan(15);
  expect(callPlaces).toContain('call talking, before startRecorder');
});

it('loses no call and no announced recording, wherever serve is killed', async () => {
  for (const place of callPlaces) {
    try {
      const { heardAgentMs, fresh } = await killedServe(place);
      // The caller reached whom they called, each time.
      expect(heardAgentMs).toBeGreaterThan(400);
      const recording = callPlaces.indexOf(place) > callPlaces.indexOf('call talking, before startRecorder');
      expect(fresh.length).toBeLessThanOrEqual(1);
      if (recording) expect(fresh).toMatchObject([{ status: expect.stringMatching(/^recording|recorded$/) as string }]);
    } catch (error) {
      throw new Error(`killed at: ${place}`, { cause: error });
    }
  }
  await at.rig.startServe();
  await eventually(async () => (await rows()).every(({ status }) => status === 'recorded'));
  await at.rig.stopServe();
  await expectOnlyConsented(at.rig, { startsKnown: false });
  await expectAllAgree();
  let whole = 0;
  for (const { id } of await rows()) {
    const samples = readWav(join(at.rig.asterisk.spoolFolder, `preavis-${id}.wav`));
    expect(tonePresence(samples, noticeHz)).toEqual([]);
    const voices = [agentHz, callerHz].map((hz) => tonePresence(samples, hz).length > 0);
    // A machine that takes long to start serve anew leaves the last bit of a talk, which may lie between two bursts.
    if (samples.length <= longerThanPause) continue;
    whole += 1;
    expect(voices).toEqual([true, true]);
  }
  // Most were being made already, and went on.
  expect(whole).toBeGreaterThan((await rows()).length / 2);
}, 600_000);

it('leaves no caller who refused alone, and records nothing of them, wherever serve is killed', async () => {
  const places = await placesOf(async (trail) => {
    await at.rig.startServe(trail);
    await refusedCall();
    await eventually(async () => (await catalogueCalls(at.rig))[0]?.phase === 'ended');
    await at.rig.stopServe();
  });
  const ofRefusal = places.filter((place) => place.startsWith('call acknowledging'));
  expect(ofRefusal).toContain('call acknowledging, before leaveBridge');
  for (const place of ofRefusal) {
    try {
      const { heardAgentMs, fresh } = await killedServe(place, refusedCall);
      expect(heardAgentMs).toBeGreaterThan(400);
      expect(fresh).toEqual([]);
      const [call] = await catalogueCalls(at.rig);
      expect(call).toMatchObject({ line: 'asked', result: 'unrecorded' });
    } catch (error) {
      throw new Error(`killed at: ${place}`, { cause: error });
    }
  }
}, 300_000);

/** Runs the command killed at each place that it passes with one recording, then as it is. */
async function expectCommandSurvives(args: readonly string[], status: string): Promise<void> {
  const { rig } = at;
  const places = await placesOf((trail) => rig.preavisWith(trail, ...args));
  const ofStage = places.filter((place) => place.startsWith(args[0] ?? ''));
  expect(ofStage.length).toBeGreaterThanOrEqual(4);
  for (const place of ofStage) {
    try {
      await at.rig.stopServe();
      await prepare(args[0] ?? '');
      expect(await rig.preavisWith({ PREAVIS_TEST_KILL_AT: place }, ...args)).toMatchObject({ code: -1 });
      expect(await rig.preavis(...args)).toMatchObject({ code: 0 });
      await expectAllAgree();
      expect((await rows()).every((row) => row.status === status || row.status === 'erased')).toBe(true);
    } catch (error) {
      throw new Error(`killed at: ${place}`, { cause: error });
    }
  }
}

/** One more recording for the stage. */
async function prepare(stage: string): Promise<void> {
  const { rig } = at;
  const before = (await rows()).length;
  await rig.startServe();
  await callThrough();
  await eventually(async () => (await rows()).filter(({ status }) => status === 'recorded').length > 0);
  await rig.stopServe();
  expect(await rows()).toHaveLength(before + 1);
  if (stage === 'retention') expect(await rig.preavis('upload')).toMatchObject({ code: 0 });
}

it(
  'sends each recording once and whole, wherever upload is killed',
  () => expectCommandSurvives(['upload'], 'archived'),
  300_000,
);

it('erases what is due and leaves nothing of it, wherever retention is killed', async () => {
  await expectCommandSurvives(['retention', 'run'], 'erased');
  expect(objects()).toEqual([]);
  // The last pass has brought the certificates of all those before it to the ledger and the archive.
  const { stdout } = await at.rig.preavis('certificates', 'list', '--json');
  const { certificates } = JSON.parse(stdout) as { certificates: { recording: string; jws: string }[] };
  const erased = (await rows()).filter(({ status }) => status === 'erased').map(({ id }) => id);
  expect(certificates.map(({ recording }) => recording).sort()).toEqual(erased.sort());
  expect(await at.rig.preavis('certificates', 'verify')).toMatchObject({ code: 0 });
  const ledger = readFileSync(join(at.rig.folder, 'erasures.jsonl'), 'utf8').trim().split('\n');
  expect(ledger.sort()).toEqual(certificates.map(({ jws }) => jws).sort());
  expect(filesBelow(at.rig.archiveFolder)).toHaveLength(certificates.length);
  expect(readdirSync(at.rig.asterisk.spoolFolder)).toEqual([]);
  expect(existsSync(at.rig.archiveFolder)).toBe(true);
}, 300_000);
