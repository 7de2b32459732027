/**
 * Tell, then follow: a caller whose telephone speaks G.722 is recorded with 16,000 Hz, in one channel or two. A tone of 6000 Hz, which
 * 8000 Hz cannot hold, is in the recording.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import wavefile from 'wavefile';
import { continuousTone, type ToneFile } from '../../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../../lab/telephones/sip.ts';
import { presentMs, readChannels } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { talkedMs } from '../../../support/call/talked.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const highHz = 6_000;
const agentHz = 1_000;
const lines = ['wide', 'sides', 'narrow'] as const;
type Line = (typeof lines)[number];
const notice = useBriefNotice();
let high: ToneFile;

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), atOnce: lines.length }),
  );

  return {
    idle: true,
    lines: lines.flatMap((line) => [
      `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
      ` same => n,Dial(${agent.dialString},20)`,
      ' same => n,Hangup()',
    ]),
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          {
            purposes: ['training'],
            language: 'fr',
            defaultLanguages: ['fr'],
            sound: line === 'sides' ? 'stereo' : 'mono',
          },
        ]),
      ),
    },
  };
});

/** A tone in G.722, made by Asterisk. */
async function highTone(): Promise<ToneFile> {
  const { soundsFolder } = at.rig.asterisk;
  const path = join(soundsFolder, 'high.g722');
  const samples = Int16Array.from({ length: 32_000 }, (_none, index) =>
    Math.round(9_000 * Math.sin((2 * Math.PI * highHz * index) / 16_000)),
  );
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, 16_000, '16', samples);
  writeFileSync(join(soundsFolder, 'high.wav16'), wav.toBuffer());
  // Both lie in its folder of sounds.
  const said = await at.rig.asterisk.cli('file convert high.wav16 high.g722');
  if (!existsSync(path)) throw new Error(said);
  const { size } = await stat(path);

  return { path, lengthMs: size / 8 };
}

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  high = await highTone();
  await at.rig.startServe();
});

async function record(line: Line) {
  const voice = line === 'narrow' ? { tone: await continuousTone(440) } : { tone: high, codec: 'g722' as const };
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, ...voice }));
  const { id, startedAt } = await eventually(async () => {
    const made = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const found = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === made?.id);
    if (found?.startedAt === undefined || found.startedAt === null) throw new Error(`${line} is not being recorded`);

    return { id: found.id, startedAt: found.startedAt };
  });
  await eventually(() => Date.now() > startedAt + 4_000);
  const files = (await readdir(dirname(spooledWav(at.rig, id)))).filter((name) => name.includes(id)).sort();
  await call.hangUp();
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const recording = await finishedRecording(at.rig, line);

  return {
    recording,
    files,
    talkMs: talkedMs(call, recording.startedAt),
    ...readChannels(spooledWav(at.rig, recording.id)),
  };
}

/** For how long a tone is there; as samples of 8000 Hz, those of 16,000 Hz are twice as many of half the frequency. */
const msOf = (samples: Int16Array | undefined, hz: number, share = 0.15): number =>
  presentMs(samples ?? new Int16Array(), hz / 2, { share }) / 2;

test('who speaks G.722 is recorded with 16,000 Hz, up to its high tones', () =>
  at.onTime(['wide'], async () => {
    const { recording, files, talkMs, rate, channels } = await record('wide');
    expect([files, rate, channels.length, recording.flags]).toEqual([
      [`preavis-${recording.id}-1.wav16`],
      16_000,
      1,
      [],
    ]);
    const durationMs = (channels[0]?.length ?? 0) / 16;
    expect(Math.abs(durationMs - (recording.durationMs ?? 0))).toBeLessThanOrEqual(1);
    for (const hz of [highHz, agentHz]) expect(msOf(channels[0], hz)).toBeGreaterThan(talkMs - 400);
  }));

test('with each side in a channel of its own, too', () =>
  at.onTime(['sides'], async () => {
    const { recording, talkMs, rate, channels } = await record('sides');
    const [left, right] = channels;
    expect([rate, channels.length, recording.flags]).toEqual([16_000, 2, []]);
    expect(msOf(left, highHz, 0.8)).toBeGreaterThan(talkMs - 400);
    expect(msOf(right, agentHz, 0.8)).toBeGreaterThan(talkMs - 400);
    expect([msOf(left, agentHz, 0.02), msOf(right, highHz, 0.02)]).toEqual([0, 0]);
  }));

test('who speaks A-law is recorded with 8000 Hz', () =>
  at.onTime(['narrow'], async () => {
    const { rate, channels } = await record('narrow');
    expect([rate, channels.length]).toEqual([8_000, 1]);
  }));
