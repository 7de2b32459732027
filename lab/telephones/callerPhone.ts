/** A telephone that a person uses: one call at a time, keys while it lasts, hung up when they like. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startRtpReceiver, type RtpReceiver } from './rtpReceiver.ts';
import { placeCall, type Call, type CallEnd, type SipEvent } from './sip.ts';
import type { ToneFile } from './audio.ts';

export type CallerPhone = {
  /** Places a call. Rejects while another one is on. */
  call(to: string, from: string): Promise<void>;
  /** BYE, or CANCEL while it rings. Rejects where there is no call. */
  hangUp(): Promise<void>;
  /** Presses these keys, one after the other. Rejects where there is no call, or nothing was heard of it yet. */
  press(keys: string): Promise<void>;
  /** What SIPp saw in all calls so far. */
  events(): SipEvent[];
  /** Hangs up, and gives up a call that does not end. */
  stop(): Promise<void>;
};

export type CallerPhoneOptions = {
  sipPort: number;
  tone: ToneFile;
  /** Told what happens to the telephone. */
  report: (text: string) => void;
};

type Current = { call: Call; receiver: RtpReceiver };

const betweenKeysMs = 200;
const hangUpLimitMs = 3_000;

function ending(end: CallEnd): string {
  const by = end.endedBy === undefined ? '' : ` by the ${end.endedBy === 'caller' ? 'caller' : 'other side'}`;
  const code = end.finalCode === undefined || end.finalCode === 200 ? '' : ` (${end.finalCode})`;

  return `the call has ended${by}: ${end.status}${code}${end.problem === undefined ? '' : `\n${end.problem}`}`;
}

/** Makes such a telephone; it has no port of its own before it calls. */
export function makeCallerPhone({ sipPort, tone, report }: CallerPhoneOptions): CallerPhone {
  const past: SipEvent[] = [];
  let current: Current | undefined;
  let placing: Promise<void> | undefined;
  const theCall = (): Current => {
    if (current === undefined) throw new Error('There is no call. c places one.');
    return current;
  };
  const over = async ({ call, receiver }: Current): Promise<void> => {
    try {
      report(ending(await call.ended));
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
    past.push(...call.events());
    current = undefined;
    receiver.close();
  };
  const place = async (to: string, from: string): Promise<void> => {
    const receiver = await startRtpReceiver();
    const placed = { call: await placeCall({ sipPort, to, fromNumber: from, tone, receiver }), receiver };
    current = placed;
    report(`calls ${to} as ${from}, sound from port ${placed.call.voicePort} to port ${receiver.port}`);
    void over(placed);
  };

  return {
    call: async (to, from) => {
      if (placing !== undefined || current !== undefined) throw new Error('A call is on. h hangs up.');
      placing = place(to, from);
      try {
        await placing;
      } finally {
        placing = undefined;
      }
    },
    hangUp: async () => {
      await theCall().call.hangUp();
    },
    press: async (keys) => {
      const { receiver } = theCall();
      for (const key of keys.split('')) {
        await receiver.pressDigit(key);
        report(`pressed ${key}`);
        await sleep(betweenKeysMs);
      }
    },
    events: () => [...past, ...(current?.call.events() ?? [])],
    stop: async () => {
      await placing?.catch(() => undefined);
      if (current === undefined) return;
      const { call: last } = current;
      try {
        await Promise.race([last.hangUp(), sleep(hangUpLimitMs)]);
        await last.stop();
      } catch {
        // over() has told it.
      }
    },
  };
}
