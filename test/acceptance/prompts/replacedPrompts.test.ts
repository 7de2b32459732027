import { createHash } from 'node:crypto';
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { placeCall, startAgent, type CallEnd } from '../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import { shippedSounds, toneWav } from '../../support/policy/promptFolder.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  useRig,
} from '../../support/rig/rigs.ts';
import { heardPart, promptSound } from '../../support/audio/sound.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const agentHz = 1000;
const newHz = 700;
const newMs = 3000;
/** With one call in a hundred recorded, this many recorded ones in a row come once in a million runs. */
const sampleTries = 3;

/** Of another sentence less than a fifth is found; of this one a busy machine shifts pieces out of their place. */
const leastShare = 0.6;

const folder = temporaryFolder();
const sounds = (): string => folder.path('sounds');
const wavOf = (): string => join(sounds(), 'en/notice-training.wav');

let operator: Operator;
const at = useRig(async () => {
  cpSync(shippedSounds, sounds(), { recursive: true });
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 20_000, atOnce: 4 }),
  );
  const line = { purposes: ['training'], language: 'en', defaultLanguages: ['en'] };
  const sampled = Array.from({ length: sampleTries }, (_, index) => `sampled${index}`);
  return {
    extensions: Object.fromEntries(
      ['before', 'after', ...sampled].map((name) => [name, `${agent.dialString},20,line=${name}`]),
    ),
    config: {
      notice: { soundsFolder: sounds() },
      purposes: {
        agreement: {
          ...labPurpose('sampled', 'One call in a hundred of the lab is recorded, to see the others go.', 28),
          recordPercent: 1,
          kind: 'evidence',
        },
      },
      lines: {
        before: line,
        after: line,
        ...Object.fromEntries(sampled.map((name) => [name, { ...line, purposes: ['agreement'] }])),
      },
    },
  };
});

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
});

async function callBy(
  line: string,
  meanwhile: (receiver: RtpReceiver) => Promise<void>,
): Promise<{ end: CallEnd; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone: await continuousTone(440), receiver }),
  );
  await meanwhile(receiver);
  const voice = () => tonePresence(receiver.latest(3000), agentHz, { share: 0.7 }).length >= 2;
  await eventually(voice, { everyMs: 200 });
  await call.hangUp();

  return { end: await call.ended, receiver };
}

const receiptOf = async (line: string): Promise<Receipt> =>
  receiptSchema.parse(
    JSON.parse((await at.rig.preavis('calls', 'receipt', (await endedCall(at.rig, line)).id)).stdout),
  );
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What an operator does who has recorded a sentence anew. */
async function replaceNotice(): Promise<{ copied: string[]; kept: string[] }> {
  for (const file of readdirSync(join(sounds(), 'en')).filter((name) => name.startsWith('notice-training.'))) {
    rmSync(join(sounds(), 'en', file));
  }
  writeFileSync(wavOf(), toneWav(newHz, newMs));

  return at.rig.preavisJson('prompts', 'install', '--to', at.rig.asterisk.soundsFolder);
}

it('plays the old sentence to the end when it is replaced during a call, and the new one in the next', async () => {
  const old = readFileSync(wavOf());
  const installed = join(at.rig.asterisk.soundsFolder, 'en/preavis');
  const oldName = `notice-training-${digest(old).slice(0, 12)}.wav`;
  const before = await callBy('before', async () => {
    await operator.playing('before', 'notice-training');
    const { copied } = await replaceNotice();
    expect(copied).toHaveLength(1);
    // The next start knows the new one; this call is taken up by it.
    await operator.dialled('before', 'ANSWER');
    await eventually(async () => (await catalogueRecordings(at.rig)).some(({ startedAt }) => startedAt !== null));
    await at.rig.killServe();
    await at.rig.startServe();
  });
  const after = await at.onTime('after', () => callBy('after', () => Promise.resolve()));
  const changed = readFileSync(wavOf());

  expect(heardPart(before.receiver.samples(), promptSound('en', 'notice-training')).share).toBeGreaterThan(leastShare);
  const tone = tonePresence(after.receiver.samples(), newHz, { share: 0.7 });
  expect(Math.max(...tone.map(({ startMs, endMs }) => endMs - startMs))).toBeGreaterThan(newMs - 200);
  expect(await receiptOf('before')).toMatchObject({
    call: { result: 'recorded' },
    notice: [{ prompt: 'notice-training', sha256: digest(old), verified: true }],
  });
  expect(await receiptOf('after')).toMatchObject({
    call: { result: 'recorded' },
    notice: [{ prompt: 'notice-training', sha256: digest(changed), verified: true }],
  });
  // What the old receipt names is still there, byte for byte.
  expect(readFileSync(join(installed, oldName)).equals(old)).toBe(true);
  const [first, second] = [await endedCall(at.rig, 'before'), await endedCall(at.rig, 'after')];
  expect(first.policyVersion).not.toBe(second.policyVersion);
});

it('announces and connects, and does not record, a call that the lot leaves out', async () => {
  for (let index = 0; index < sampleTries; index += 1) {
    const line = `sampled${index}`;
    const { end, receiver } = await callBy(line, () => Promise.resolve());
    expect(end).toMatchObject({ status: 'answered' });
    const call = await endedCall(at.rig, line);
    if (call.result === 'recorded') continue;
    expect(call).toMatchObject({ result: 'unrecorded', reason: 'not_sampled' });
    const receipt = await receiptOf(line);
    expect(receipt).toMatchObject({ recording: null, notice: [{ verified: true }] });
    // The same words for those who are recorded and those who are not: only "may" is true of both.
    expect(receipt.notice[0]?.text).toMatch(/may be recorded/);
    expect(heardPart(receiver.samples(), promptSound('en', 'notice-agreement')).share).toBeGreaterThan(leastShare);
    const ends = at.rig.log().filter((entry) => entry['call'] === call.id && entry['result'] !== undefined);
    expect(ends).toMatchObject([{ level: 'info', reason: 'not_sampled' }]);
    return;
  }
  throw new Error(`${sampleTries} of ${sampleTries} calls were recorded`);
});

it('leaves nobody connected, and only recordings that may be kept', async () => {
  await expectNobodyConnected(at.rig);
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  await expectOnlyConsented(at.rig);
  expect((await catalogueCalls(at.rig)).length).toBeGreaterThanOrEqual(3);
});
