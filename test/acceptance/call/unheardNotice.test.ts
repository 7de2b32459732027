/**
 * Callers who cannot hear the notice although it is played whole: they hold from the first INVITE on, or nothing comes from them. They
 * reach the destination, unrecorded. Who is muted, and who only listens, hears it and is recorded.
 */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type CallOptions } from '../../../lab/telephones/sip.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import {
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  useRig,
} from '../../support/rig/rigs.ts';

const holds = ['sendonly', 'inactive', 'nowhere'] as const;
/** Answered by the dialplan before Préavis has the call, and by Préavis. */
const held = holds.flatMap((offers) => [`${offers}before`, offers]);
const lines = [...held, 'absent', 'muted', 'recvonly', 'local'];
const notice = useBriefNotice();

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 2_000, atOnce: 12 }),
  );
  const gosub = (line: string): string => `Gosub(preavis,s,1(${agent.dialString},20,line=${line}))`;
  const answered = held.filter((line) => line.endsWith('before'));

  return {
    idle: true,
    extensions: Object.fromEntries(
      lines.filter((line) => !answered.includes(line)).map((line) => [line, `${agent.dialString},20,line=${line}`]),
    ),
    lines: [
      // A caller without RTP of their own.
      'exten => vialocal,1,Dial(Local/local@incoming/n,60)',
      ' same => n,Hangup()',
      ...answered.flatMap((line) => [
        `exten => ${line},1,Answer()`,
        ` same => n,${gosub(line)}`,
        ' same => n,Hangup()',
      ]),
    ],
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

/** All at once: what each came to. */
const placed = new Map<string, Promise<void>>();
const place = (line: string, act: () => Promise<void>): void => {
  const made = at.onTime(line, act);
  made.catch(() => undefined);
  placed.set(line, made);
};

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  const tone = await continuousTone(440);
  for (const offers of holds) {
    for (const line of [`${offers}before`, offers]) place(line, () => call(line, { offers, tone }));
  }
  place('absent', () => call('absent', {}));
  place('muted', async () => {
    const receiver: RtpReceiver = await at.keep(startRtpReceiver());
    await call('muted', { receiver }).finally(receiver.reportOnly());
  });
  place('recvonly', () => call('recvonly', { offers: 'recvonly', tone }));
  place('local', () => call('vialocal', { tone }));
});

async function call(to: string, options: Partial<CallOptions>): Promise<void> {
  const placed = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, ...options }));
  expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
}

async function expectUntold(line: string, reason: string, verdict: string | undefined): Promise<void> {
  const ended = await endedCall(at.rig, line);
  expect(ended).toMatchObject({ result: 'unrecorded', reason });
  expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === ended.id)).toEqual([]);
  expect((await catalogueNotices(at.rig, line)).map((each) => each.verdict)).toEqual(
    verdict === undefined ? [] : [verdict],
  );
}

test.each(held)('a caller who holds from the first INVITE on is not told and not recorded: %s', async (line) => {
  await placed.get(line);
  await expectUntold(line, 'notice_on_hold', undefined);
});

test('a caller from whom nothing comes, neither sound nor reports, is not told and not recorded', async () => {
  await placed.get('absent');
  await expectUntold('absent', 'notice_not_received', 'notice_not_received');
});

test.each([
  ['who is muted, and whose telephone sends no silence,', 'muted'],
  ['who only listens', 'recvonly'],
  ['of a kind of which Asterisk tells no packets', 'local'],
])('a caller %s is told and recorded', async (_, line) => {
  await placed.get(line);
  await finishedRecording(at.rig, line);
});

test('leaves nobody connected', async () => {
  await Promise.allSettled(placed.values());
  await expectNobodyConnected(at.rig);
});
