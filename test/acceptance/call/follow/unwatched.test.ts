/**
 * Tell, then follow, while nobody watches: a serve that is killed in a talk and comes back goes on with the recording. One that stays away
 * leaves a recorder for no longer than recording.unwatchedSeconds (P1), and the talk goes on (P3).
 */
import { existsSync, statSync } from 'node:fs';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Call } from '../../../../lab/telephones/sip.ts';
import { presentMs, readWav, tonePresence } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const limitSeconds = 15;
const bytesPerSecond = 16_000;
const lines = ['back', 'away'] as const;
type Line = (typeof lines)[number];
const notice = useBriefNotice();

const at = useRig(async () => {
  const tone = await continuousTone(agentHz);
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));

  return {
    idle: true,
    lines: lines.flatMap((line) => [
      `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
      ` same => n,Dial(${agent.dialString},20)`,
      ' same => n,Hangup()',
    ]),
    config: {
      notice: notice.config(),
      recording: { unwatchedSeconds: limitSeconds },
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
});

beforeEach(async () => {
  if (at.rig.servePid() === undefined) await at.rig.startServe();
});

/** A call of which three seconds were written down. */
async function talk(line: Line): Promise<{ call: Call; receiver: RtpReceiver; part: string }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver }));
  const part = await eventually(async () => {
    const made = (await catalogueCalls(at.rig)).find((each) => each.line === line);
    const recording = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === made?.id);
    if (recording === undefined) throw new Error(`${line} is not being recorded`);

    return spooledWav(at.rig, `${recording.id}-1`);
  });
  await eventually(() => statSync(part).size > 3 * bytesPerSecond);

  return { call, receiver, part };
}

/** What was written down of the talk: a serve that comes back goes on in a part of its own, where Asterisk may drop what changed meanwhile. */
function bytesOf(part: string): number {
  const parts = [part, part.replace(/-1\.wav$/, '-2.wav')].filter(existsSync);

  return parts.reduce((sum, each) => sum + statSync(each).size, 0);
}

test('a serve that is killed in a talk and comes back goes on with it', () =>
  at.onTime(['back'], async () => {
    const { call, part } = await talk('back');
    await at.rig.killServe();
    await at.rig.startServe();
    const before = bytesOf(part);
    await eventually(() => bytesOf(part) > before + 3 * bytesPerSecond);
    await call.hangUp();
    expect(await endedCall(at.rig, 'back')).toMatchObject({ result: 'recorded' });
    const { id, flags } = await finishedRecording(at.rig, 'back');
    expect(flags).toEqual(['unwatched']);
    const samples = readWav(spooledWav(at.rig, id));
    // Asterisk may end the file later than the call.
    const untilMs = tonePresence(samples, callerHz).at(-1)?.endMs ?? Infinity;
    expect(untilMs).toBeGreaterThan(5_000);
    for (const hz of [callerHz, agentHz]) expect(presentMs(samples, hz)).toBeGreaterThan(untilMs - 500);
    await expectNobodyConnected(at.rig);
  }));

test('the dead-man channel ends the recorder of a serve that stays away, and they talk on', () =>
  at.onTime(['away'], async () => {
    const { call, receiver, part } = await talk('away');
    await at.rig.killServe();
    let size = 0;
    await eventually(
      () => {
        const before = size;
        size = statSync(part).size;
        return size === before;
      },
      // Asterisk writes 32 KiB at a time: two seconds of sound.
      { everyMs: 5_000 },
    );
    const heard = receiver.samples().length;
    await eventually(() => receiver.samples().length > heard + 16_000);
    expect(presentMs(receiver.latest(1_500), agentHz)).toBeGreaterThan(1_000);
    await at.rig.startServe();
    await call.hangUp();
    expect(await endedCall(at.rig, 'away')).toMatchObject({ result: 'recorded' });
    const { flags } = await finishedRecording(at.rig, 'away');
    expect(flags).toContain('unwatched_too_long');
    await expectNobodyConnected(at.rig);
  }));
