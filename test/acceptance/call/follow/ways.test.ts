/**
 * Tell, then follow: the caller goes back into the operator's own dialplan. Whatever it makes of them, what they talk with whom they called
 * is recorded whole: behind a plain Dial(), a ring group, Local/ channels that Asterisk takes out of the way, a queue, a phone's 302.
 */
import { bounds } from '../../../../lab/machine/lateness.ts';
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent } from '../../../../lab/telephones/sip.ts';
import { presentMs, readWav, tonePresence } from '../../../support/audio/audio.ts';
import { firstSoundLackMs } from '../../../support/audio/sound.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { endedCall, finishedRecording, spooledWav, useRig } from '../../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const talkMs = 4_000;
/** Of the talk that must be in the recording: what may lack at its beginning, and what the ends of a tone cost the measurement. */
const leastMs = talkMs - firstSoundLackMs - 200;
/** Until a telephone that has answered speaks: less than any of them rings. */
const latestBeginMs = bounds.timer + bounds.packet;
const ringMs = 300;
const notice = useBriefNotice();

const ways = ['dial', 'group', 'local', 'queue', 'moved', 'second'] as const;

const at = useRig(async () => {
  const tone = await continuousTone(agentHz);
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone, hangUpAfterMs: talkMs, atOnce: ways.length, ringMs }),
  );
  const nobody = await at.keep(startAgent({ behaviour: 'noAnswer', atOnce: ways.length }));
  const busy = await at.keep(startAgent({ behaviour: 'busy', atOnce: ways.length }));
  const moved = await at.keep(startAgent({ behaviour: 'forward', forwardTo: 'desk' }));
  const dials = {
    dial: [`Dial(${agent.dialString},20)`],
    group: [`Dial(${nobody.dialString}&${agent.dialString},20)`],
    local: ['Dial(Local/desk@ring,20)'],
    queue: ['Queue(desk,,,,20)'],
    moved: [`Dial(${moved.dialString},20)`],
    second: [`Dial(${busy.dialString},20)`, `Dial(${agent.dialString},20)`],
  } satisfies Record<(typeof ways)[number], string[]>;

  return {
    idle: true,
    lines: [
      ...ways.flatMap((way) => [
        `exten => ${way},1,Gosub(preavis-tell,s,1(line=${way}))`,
        ` same => n,NoOp(${way} told: \${PREAVIS_TOLD} \${PREAVIS_REASON})`,
        ...dials[way].map((dial) => ` same => n,${dial}`),
        ' same => n,Hangup()',
      ]),
      `exten => desk,1,Dial(${agent.dialString},20)`,
      ' same => n,Hangup()',
      '[ring]',
      `exten => desk,1,Dial(${agent.dialString},20)`,
    ],
    conf: {
      'app_queue.conf': '',
      'queues.conf':
        '[general]\npersistentmembers = no\n[desk]\nmusicclass = default\nstrategy = ringall\ntimeout = 15\nmember => Local/desk@ring\n',
    },
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        ways.map((way) => [way, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

/** Calls by this way, and looks at what was recorded. */
async function follow(way: (typeof ways)[number]): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to: way, tone, receiver });
  const end = await (await at.keep(placed)).ended;
  expect({ way, ...end }).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(at.rig.asterisk.logs()).toContain(`${way} told: yes`);
  expect(await endedCall(at.rig, way)).toMatchObject({ result: 'recorded' });
  const recording = await finishedRecording(at.rig, way);
  expect({ way, flags: recording.flags }).toEqual({ way, flags: [] });
  const samples = readWav(spooledWav(at.rig, recording.id));
  const heard = [callerHz, agentHz].map((hz) => presentMs(samples, hz));
  expect({ way, heard, lacking: heard.filter((ms) => ms <= leastMs) }).toEqual({ way, heard, lacking: [] });
  // Asterisk may end the file later than the call, by most of a second.
  expect(recording.durationMs).toBeLessThan(talkMs + 1_500);
  // Neither ringing nor what a queue plays: with either before them they would begin later.
  const begins = [callerHz, agentHz].map((hz) => tonePresence(samples, hz)[0]?.startMs ?? Infinity);
  expect({ way, begins, late: begins.filter((ms) => ms > latestBeginMs) }).toEqual({ way, begins, late: [] });
}

test('a caller who was told goes on in the dialplan, and both are recorded from the first sound to the last', () =>
  at.onTime([...ways], async () => {
    await Promise.all(ways.map(follow));
  }));
