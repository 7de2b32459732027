import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose, type Rig } from '../../../lab/rig.ts';
import { placeCall, startAgent, type CallEnd } from '../../../lab/telephones/sip.ts';
import { tonePresence } from '../../support/audio/audio.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import {
  catalogueNotices,
  endedCall,
  expectNobodyConnected,
  expectNothingRecorded,
  useRig,
} from '../../support/rig/rigs.ts';
import { heardPart, promptSound } from '../../support/audio/sound.ts';

const agentHz = 1000;

/** Each call has a line and a language of its own, so that what is done to one's prompts does not touch the others. */
const languages = { moved: 'fr', vanished: 'nl', stopped: 'de', shortened: 'en', absent: 'fr' } as const;
type Name = keyof typeof languages;
const names = Object.keys(languages) as Name[];

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 1500, atOnce: 6 }),
  );
  const line = (language: string, purposes: string[]) => ({ purposes, language, defaultLanguages: [language] });
  return {
    extensions: Object.fromEntries(names.map((name) => [name, `${agent.dialString},20,line=${name}`])),
    config: {
      purposes: {
        training: {
          ...labPurpose('training', 'Calls of the lab may be refused, so that a notice has two sentences.', 28),
          consent: 'optOut',
        },
      },
      lines: {
        ...Object.fromEntries(names.map((name) => [name, line(languages[name], ['training'])])),
        // The same language as another one, so other prompts.
        absent: line('fr', ['agreement']),
      },
    },
  };
});

let operator: Operator;
beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
});

/** The files of one prompt on this Asterisk, in all formats. */
async function filesOf(rig: Rig, language: string, prompt: string): Promise<string[]> {
  const folder = folderOf(rig, language);
  const named = new RegExp(`^${prompt}-[0-9a-f]{12}\\.`);
  const files = (await readdir(folder)).filter((name) => named.test(name));
  expect(files).not.toEqual([]);

  return files.map((name) => join(folder, name));
}

/** Moves files into a folder; the returned function puts them back. */
async function move(files: readonly string[], folder: string): Promise<() => Promise<void>> {
  const targets = files.map((file) => join(folder, basename(file)));
  await mkdir(folder, { recursive: true });
  for (const [index, file] of files.entries()) await rename(file, targets[index] ?? '');

  return async () => {
    for (const [index, file] of files.entries()) await rename(targets[index] ?? '', file);
  };
}

const folderOf = (rig: Rig, language: string): string => join(rig.asterisk.soundsFolder, language, 'preavis');
const aside = (rig: Rig): string => join(rig.folder, 'aside');

type Outcome = { end: CallEnd; receiver: RtpReceiver };

async function callBy(name: Name, meanwhile?: (receiver: RtpReceiver) => Promise<void>): Promise<Outcome> {
  const receiver = await at.keep(startRtpReceiver());
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: name, tone: await continuousTone(440), receiver }),
  );
  await meanwhile?.(receiver);

  return { end: await call.ended, receiver };
}

/** P3 and P2: connected, unrecorded, and both the catalogue and the log say why. */
async function expectUntold(name: Name, { end, receiver }: Outcome, reason: string): Promise<void> {
  expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(tonePresence(receiver.samples(), agentHz, { share: 0.7 }).length).toBeGreaterThanOrEqual(1);
  const call = await endedCall(at.rig, name);
  expect(call).toMatchObject({ result: 'unrecorded', reason });
  const said = at.rig.log().find((entry) => entry['call'] === call.id && entry['msg'] === 'call ended unrecorded');
  expect(said).toMatchObject({ reason, line: name });
  await expectNobodyConnected(at.rig);
  await expectNothingRecorded(at.rig);
}

it('does not count a prompt that lies in another language only', async () => {
  const { rig } = at;
  // Under the same name: what Asterisk would play without a word.
  const undo = await move(await filesOf(rig, 'fr', 'notice-training'), folderOf(rig, 'en'));
  try {
    const outcome = await at.onTime('moved', () => callBy('moved'));
    await expectUntold('moved', outcome, 'prompts_missing');
    expect(heardPart(outcome.receiver.samples(), promptSound('fr', 'notice-training')).share).toBeLessThan(0.2);
  } finally {
    await undo();
  }
});

it('does not count a prompt that is nowhere', async () => {
  const undo = await move(await filesOf(at.rig, 'fr', 'notice-agreement'), aside(at.rig));
  try {
    await expectUntold('absent', await at.onTime('absent', () => callBy('absent')), 'prompts_missing');
  } finally {
    await undo();
  }
});

it('does not count a notice of which a sentence vanishes while another one is played', async () => {
  const { rig } = at;
  const files = await filesOf(rig, 'nl', 'opt-out');
  let undo: (() => Promise<void>) | undefined;
  try {
    const outcome = await at.onTime('vanished', async () => {
      await undo?.();
      undo = undefined;
      const others = rig.log().length;
      return callBy('vanished', async () => {
        const since = () => rig.log().slice(others);
        await eventually(() => since().some((entry) => entry['to'] === 'announcing'));
        undo = await move(files, aside(rig));
      });
    });
    await expectUntold('vanished', outcome, 'notice_failed');
    expect(heardPart(outcome.receiver.samples(), promptSound('nl', 'notice-training')).share).toBeGreaterThan(0.75);
  } finally {
    await undo?.();
  }
});

it('does not count a sentence that somebody stopped', async () => {
  const outcome = await at.onTime('stopped', () =>
    callBy('stopped', async (receiver) => {
      const playback = await operator.playing('stopped', 'notice-training');
      // Half a second of it.
      await eventually(() => receiver.packets() > 25);
      await operator.request('DELETE', `/playbacks/${playback}`);
    }),
  );
  await expectUntold('stopped', outcome, 'notice_cut_short');
  // On a busy machine it is the second that was stopped: the one who stops comes to Asterisk as the caller does.
  const notices = await catalogueNotices(at.rig, 'stopped');
  expect(notices.at(-1)).toMatchObject({ verified: false, verdict: 'notice_cut_short' });
});

it('does not count a sentence whose sound was replaced by a shorter one', async () => {
  const files = await filesOf(at.rig, 'en', 'opt-out');
  const undo = await move(files, aside(at.rig));
  // One format is enough: Asterisk takes what it finds.
  const wav = files.find((file) => file.endsWith('.wav')) ?? '';
  try {
    await writeFile(wav, toneWav(700, 1000));
    await expectUntold('shortened', await at.onTime('shortened', () => callBy('shortened')), 'notice_cut_short');
    const notices = await catalogueNotices(at.rig, 'shortened');
    expect(notices).toMatchObject([
      { prompt: 'notice-training', verified: true },
      { prompt: 'opt-out', verified: false, verdict: 'notice_cut_short' },
    ]);
  } finally {
    await rm(wav, { force: true });
    await undo();
  }
});

describe('with prompts missing at the start', () => {
  let files: string[];
  let undo: () => Promise<void>;
  beforeAll(async () => {
    await at.rig.stopServe();
    files = [...(await filesOf(at.rig, 'nl', 'notice-agreement')), ...(await filesOf(at.rig, 'de', 'opt-out'))];
    undo = await move(files, aside(at.rig));
  });
  afterAll(async () => {
    await undo();
    await at.rig.startServe();
  });

  const missing = (): string[] => [
    ...new Set(files.map((file) => `${basename(dirname(dirname(file)))}/preavis/${basename(file, extname(file))}`)),
  ];

  it('refuses to serve and names every one of them', async () => {
    const refusal = await at.rig.startServe().then(
      () => 'it serves',
      (error: unknown) => String(error),
    );
    expect(missing()).toHaveLength(2);
    expect(refusal).toContain('prompts_missing');
    for (const name of missing()) expect(refusal).toContain(name);
    expect(refusal).toContain('preavis prompts install');
    expect(at.rig.servePid()).toBeUndefined();
  });

  it('fails the check and names every one of them', async () => {
    const { code, stdout } = await at.rig.preavis('check');
    expect(code).toBe(1);
    for (const name of missing()) expect(stdout).toContain(name);
    const { checks } = await at.rig.preavisJson<{ checks: { check: string; ok: boolean; code?: string }[] }>('check');
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([{ check: 'prompts on asterisk', code: 'prompts_missing' }]);
  });
});
