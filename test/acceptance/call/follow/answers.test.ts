/**
 * Tell, then follow: who answers is whom the caller meets first, by whatever way the dialplan finds them: the second agent of a queue, a ring
 * group, FollowMe(), a pickup. Both are recorded, and nothing of what the caller heard before: music, announcements, ringing.
 */
import { pressByInfo } from '../../../../lab/telephones/dialog.ts';
import { allOver, eventually } from '../../../support/poll.ts';
import {
  agentHz,
  announcement,
  announcementHz,
  asPhone,
  callerHz,
  endpointConf,
  expectAbsent,
  expectPresent,
  followMeConf,
  hearing,
  leastRecordedMs,
  musicHz,
  strangerHz,
  useFollowed,
  viaEndpoint,
  type Phone,
} from '../../../support/call/followedCalls.ts';
import type { RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { presentMs } from '../../../support/audio/audio.ts';
import { endedCall, expectNobodyConnected } from '../../../support/rig/rigs.ts';

type Way = 'queue' | 'group' | 'followme' | 'pickup' | 'grouppickup';
let reached: Phone;

const at = useFollowed(async () => {
  const nobody = await at.phone(strangerHz, { behaviour: 'noAnswer', atOnce: 8 });
  const agent = await at.phone(agentHz, { ringMs: 300, atOnce: 8 });
  reached = await at.phone(agentHz);
  const told: Record<Way, string[]> = {
    queue: ['Queue(desks,,,,60)'],
    group: [`Dial(${nobody.agent.dialString}&Local/desk@ring,20)`],
    followme: ['FollowMe(reached,s)'],
    pickup: [`Dial(${nobody.agent.dialString},20,g)`, 'NoOp(pickup after: ${PREAVIS_TOLD} ${PREAVIS_RECORDING})'],
    grouppickup: [
      `Dial(${viaEndpoint(nobody.agent, 'desk')},20,g)`,
      'NoOp(grouppickup after: ${PREAVIS_TOLD} ${PREAVIS_RECORDING})',
    ],
  };

  return {
    told,
    lines: [
      'exten => take,1,Pickup(pickup@incoming)',
      ' same => n,Hangup()',
      '[ring]',
      `exten => nobody,1,Dial(${nobody.agent.dialString},20)`,
      `exten => desk,1,Dial(${agent.agent.dialString},20)`,
      `exten => reached,1,Dial(${reached.agent.dialString},20)`,
    ],
    conf: {
      'app_queue.conf': '',
      'queues.conf': `[general]
persistentmembers = no
[desks]
musicclass = default
strategy = linear
timeout = 3
retry = 1
announce-to-first-user = yes
periodic-announce = ${announcement}
periodic-announce-frequency = 2
member => Local/nobody@ring
member => Local/desk@ring
`,
      ...followMeConf,
      'features.conf': '[general]\npickupexten = *8\n',
      '+pjsip.conf':
        endpointConf('desk', ['direct_media = no', 'call_group = 1']) +
        endpointConf('taker', ['direct_media = no', 'pickup_group = 1']),
    },
  };
});

const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.samples(), hz, { share: 0.7 });

/** The caller talks with whom they have reached, and hangs up; both are in the recording, and nothing else. */
async function expectRecorded(way: Way, receiver: RtpReceiver, heard: readonly number[]): Promise<void> {
  const { samples, row } = await at.soundOf(way);
  expect({ way, flags: row.flags }).toEqual({ way, flags: [] });
  expectPresent(samples, { [callerHz]: leastRecordedMs, [agentHz]: leastRecordedMs });
  expectAbsent(samples, [musicHz, announcementHz, strangerHz]);
  // It was there to be recorded.
  for (const hz of heard) expect(heardMs(receiver, hz)).toBeGreaterThan(300);
}

async function answered(way: 'queue' | 'group'): Promise<void> {
  const { call, receiver } = await at.call(way);
  await hearing(receiver, agentHz);
  await call.hangUp();
  await expectRecorded(way, receiver, way === 'queue' ? [musicHz, announcementHz] : []);
}

/** Who is reached is asked, and takes the call by a key. */
async function takenByKey(): Promise<void> {
  // That telephone has heard it in calls that were placed in vain, too, and such a call is not the one that is taken.
  const [callsBefore, heardBefore] = [reached.agent.dialogs().length, reached.receiver.samples().length];
  const { call, receiver } = await at.call('followme');
  await eventually(
    () => presentMs(reached.receiver.samples().slice(heardBefore), announcementHz, { share: 0.7 }) > 1_000,
  );
  const dialog = await eventually(() => reached.agent.dialogs()[callsBefore] ?? false);
  await eventually(
    async () => {
      expect(await pressByInfo(dialog, '1')).toBe(200);
      return heardMs(receiver, agentHz) > 0;
    },
    { everyMs: 1_000 },
  );
  await hearing(receiver, agentHz);
  await call.hangUp();
  await expectRecorded('followme', receiver, [announcementHz]);
}

/** Somebody takes a call that rings elsewhere. What was told to the dialplan stays. */
async function pickedUp(way: 'pickup' | 'grouppickup', by: string): Promise<void> {
  const { receiver } = await at.call(way);
  const rings = way === 'pickup' ? /^PJSIP\/agent-.*!Ringing!/m : /^PJSIP\/desk-.*!Ringing!/m;
  await eventually(async () => rings.test(await at.rig.asterisk.cli('core show channels concise')));
  const taker = await at.call(by, agentHz, [asPhone('taker')]);
  await hearing(receiver, agentHz);
  await hearing(taker.receiver, callerHz);
  await taker.call.hangUp();
  const { id } = (await at.recordingOf(way)) ?? {};
  await endedCall(at.rig, way);
  // Asterisk writes its log in a thread of its own.
  await eventually(() => {
    expect(at.rig.asterisk.logs()).toContain(`${way} after: yes ${id ?? ''}`);
  });
  await expectRecorded(way, receiver, []);
}

test('the second agent of a queue, a ring group with Local/ and FollowMe() are recorded, without what the caller heard before', () =>
  at.onTime(['queue', 'group', 'followme'], async () => {
    await allOver([answered('queue'), answered('group'), takenByKey()]);
    await expectNobodyConnected(at.rig);
  }));

test('who picks a ringing call up, by an extension or for their group, is whom the caller meets first', () =>
  at.onTime(['pickup', 'grouppickup'], async () => {
    // One after the other: what rings is known by its extension or group alone.
    await pickedUp('pickup', 'take');
    await pickedUp('grouppickup', '*8');
    await expectNobodyConnected(at.rig);
  }));
