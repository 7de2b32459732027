import { continuousTone } from '../../lab/telephones/audio.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { hold, resume, transfer } from '../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../lab/telephones/rtpReceiver.ts';
import { placeCall, type Call } from '../../lab/telephones/sip.ts';
import { presentMs, tonePresence } from '../support/audio/audio.ts';
import {
  extensionOf,
  hertz,
  lineOf,
  strangerExtension,
  type Destination,
  type Mode,
  type Way,
  type World,
} from './world.ts';

/** What a caller does. `recordable`: whether it may be recorded. `connects`: whether they are to reach somebody. */
export type Habit = {
  weight: number;
  name: string;
  mode: Mode;
  destination: Destination;
  keys?: readonly { afterMs: number; digit: string }[];
  hangUpAfterMs?: number;
  /** Puts the other side on hold, counted from the answer of Asterisk, and comes back. */
  holds?: { afterMs: number; ms: number };
  /** Sends the other side to the stranger, counted from the answer of Asterisk, and leaves. */
  transfersAfterMs?: number;
  recordable: 'yes' | 'no' | 'until the key';
  connects: boolean;
};

/** The notice takes a second, what is said after it half of one. */
export const habits: readonly [Habit, ...Habit[]] = [
  { weight: 30, name: 'listens', mode: 'announce', destination: 'brief', recordable: 'yes', connects: true },
  { weight: 15, name: 'talks long', mode: 'announce', destination: 'long', recordable: 'yes', connects: true },
  {
    weight: 8,
    name: 'hangs up in the talk',
    mode: 'announce',
    destination: 'long',
    hangUpAfterMs: 4_000,
    recordable: 'yes',
    // Not always: when serve is killed in the notice, they hang up while they wait.
    connects: false,
  },
  {
    weight: 8,
    name: 'hangs up in the notice',
    mode: 'announce',
    destination: 'brief',
    hangUpAfterMs: 500,
    recordable: 'no',
    connects: false,
  },
  { weight: 5, name: 'meets a busy line', mode: 'announce', destination: 'busy', recordable: 'no', connects: false },
  { weight: 4, name: 'is not answered', mode: 'announce', destination: 'silent', recordable: 'no', connects: false },
  { weight: 8, name: 'does not refuse', mode: 'optOut', destination: 'brief', recordable: 'yes', connects: true },
  {
    weight: 8,
    name: 'refuses',
    mode: 'optOut',
    destination: 'brief',
    keys: [{ afterMs: 700, digit: '9' }],
    recordable: 'no',
    connects: true,
  },
  {
    weight: 4,
    name: 'refuses in the talk',
    mode: 'optOut',
    destination: 'long',
    keys: [
      { afterMs: 4_500, digit: '*' },
      { afterMs: 5_000, digit: '9' },
    ],
    recordable: 'until the key',
    connects: true,
  },
  {
    weight: 6,
    name: 'agrees',
    mode: 'optIn',
    destination: 'brief',
    keys: [{ afterMs: 1_400, digit: '1' }],
    recordable: 'yes',
    connects: true,
  },
  {
    weight: 10,
    name: 'holds',
    mode: 'announce',
    destination: 'long',
    holds: { afterMs: 3_500, ms: 2_500 },
    recordable: 'yes',
    // Not always: when serve is killed in the notice, they hold while they wait.
    connects: false,
  },
  {
    weight: 10,
    name: 'transfers',
    mode: 'announce',
    destination: 'long',
    transfersAfterMs: 4_500,
    recordable: 'yes',
    connects: false,
  },
  { weight: 4, name: 'is silent', mode: 'optIn', destination: 'brief', recordable: 'no', connects: true },
];

export type Made = {
  habit: Habit;
  way: Way;
  line: string;
  /** ms since 1970. */
  from: number;
  to: number;
  /** How long the caller heard the notice, and the other side, ms. */
  noticeMs: number;
  agentMs: number;
  /** How much sound came at all, silence too, ms. */
  soundMs: number;
  /** From the answer to the end, and how much of that they held; 0 where they did not or could not. ms. */
  answeredMs: number;
  heldMs: number;
  /** The longest time for which they heard no tone, from the INVITE until the other side's, ms. */
  silentMs: number;
  /** No answer and no refusal came from Asterisk: as when it is down. */
  isStranded: boolean;
};

/** Longer than any habit: then Asterisk has died and nobody tells the caller. */
const longestMs = 40_000;

/** Alone; of the other side also while a stranger talks, too. */
const heardMs = (samples: Int16Array, hz: number, share = 0.7): number => presentMs(samples, hz, { share });
/**
 * The longest time without a tone before that of the other side, ms; where it never comes, to the end.
 *
 * @param leadMs from the INVITE to the first sample
 */
export function silenceBeforeAgent(samples: Int16Array, leadMs: number): number {
  const agentFromMs = tonePresence(samples, hertz.agent, { share: 0.3 })[0]?.startMs ?? samples.length / 8;
  const said = [hertz.notice, hertz.saying, hertz.stranger]
    .flatMap((hz) => tonePresence(samples, hz, { share: 0.7 }))
    .filter(({ startMs }) => startMs < agentFromMs)
    .toSorted((one, other) => one.startMs - other.startMs);
  let [longest, since] = [0, -leadMs];
  for (const { startMs, endMs } of [...said, { startMs: agentFromMs, endMs: agentFromMs }]) {
    longest = Math.max(longest, startMs - since);
    since = Math.max(since, endMs);
  }

  return Math.round(longest);
}

/** As a telephone does when its transfer has succeeded. */
const leavesAfterMs = 1_500;

/** What they do in the call beside listening and pressing keys; how long they held, ms. Asterisk may die in the middle of it. */
async function act(
  call: Call,
  receiver: RtpReceiver,
  { holds, transfersAfterMs }: Habit,
  hasEnded: () => boolean,
): Promise<number> {
  if (holds === undefined && transfersAfterMs === undefined) return 0;
  while (!call.isAnswered()) {
    if (hasEnded()) return 0;
    await sleep(20);
  }
  await sleep(holds?.afterMs ?? transfersAfterMs ?? 0);
  if (hasEnded()) return 0;
  if (holds === undefined) {
    await transfer(call.dialog(), strangerExtension);
    await sleep(leavesAfterMs);
    await call.hangUp();
    return 0;
  }
  if ((await hold(call.dialog(), receiver.port)) !== 200) return 0;
  const from = performance.now();
  await sleep(holds.ms);
  const heldMs = performance.now() - from;
  if (!hasEnded()) await resume(call.dialog(), receiver.port);

  return heldMs;
}

/** One call by this caller, from dialling to hanging up. */
export async function makeCall({ rig }: Pick<World, 'rig'>, caller: number, habit: Habit, way: Way): Promise<Made> {
  const { mode, destination, keys, hangUpAfterMs } = habit;
  const from = Date.now();
  const receiver = await startRtpReceiver();
  try {
    const call = await placeCall({
      sipPort: rig.asterisk.sipPort,
      to: extensionOf(caller, mode, destination, way),
      tone: await continuousTone(hertz.caller),
      receiver,
      ...(keys === undefined ? {} : { digits: keys }),
      ...(hangUpAfterMs === undefined ? {} : { hangUpAfterMs }),
    });
    let isOver = false;
    void call.ended.catch(() => undefined).then(() => (isOver = true));
    const acting = act(call, receiver, habit, () => isOver).catch(() => 0);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => {
        resolve(undefined);
      }, longestMs);
    });
    const end = await Promise.race([call.ended.catch(() => undefined), late]);
    clearTimeout(timer);
    await call.stop().catch(() => undefined);
    const heldMs = await acting;
    const samples = receiver.samples();
    const invitedAt = call.events().find(({ name }) => name === 'invited')?.at ?? from;

    return {
      habit,
      way,
      line: lineOf(caller, mode),
      from,
      to: Date.now(),
      noticeMs: heardMs(samples, hertz.notice),
      agentMs: heardMs(samples, hertz.agent, 0.3),
      soundMs: samples.length / 8,
      answeredMs: end?.durationMs ?? 0,
      heldMs,
      silentMs: silenceBeforeAgent(samples, (receiver.firstPacketAt() ?? Date.now()) - invitedAt),
      isStranded: end === undefined || end.status === 'failed',
    };
  } finally {
    receiver.close();
  }
}
