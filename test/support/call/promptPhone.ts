/**
 * Operators who record prompts by telephone: real Asterisk, real keys, a real voice. The voice is a sentence that is played
 * again and again, so whatever stretch is recorded, it is in it whole. Up to four operators are let in at the same time.
 */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toneFromFile, type ToneFile } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import type { Rig } from '../../../lab/rig.ts';
import { placeCall, type Call } from '../../../lab/telephones/sip.ts';
import { plainWav } from '../../../src/prompts/soundFile.ts';
import { eventually } from '../poll.ts';
import { shippedSounds } from '../policy/promptFolder.ts';
import { expectNobodyConnected, logText, useRig } from '../rig/rigs.ts';
import { temporaryFolder } from '../temporaryFolder.ts';

export const pin = '904173';
export const extension = '790';

type Phone = {
  readonly call: Call;
  readonly receiver: RtpReceiver;
  type(keys: string): Promise<void>;
  /** The states that the session of this operator came to, in order. */
  states(): string[];
  /** Waits until it came to this one so many times. */
  reached(state: string, times?: number): Promise<void>;
  /** Proves who they are and names the prompt: until it plays as it is now. */
  choose(code: string): Promise<void>;
  /** The same, and until the tone after which one speaks is over. The old sentence need not be heard. */
  speakTo(code: string): Promise<void>;
  /** Why takes of this operator could not be used, in order. */
  unusable(): unknown[];
  /** Waits until the session ended without a recording, for this reason. */
  endsWithout(reason: string): Promise<void>;
};

export type PhoneRig = {
  readonly rig: Rig;
  /** A path in the folder of this test. */
  folder(name: string): string;
  sounds(): string;
  sourceOf(language: string, prompt: string): string;
  readonly voice: ToneFile;
  readonly silence: ToneFile;
  ring(speech: ToneFile): Promise<Phone>;
  /** Does it again when the lab was late meanwhile: keys that come late are other keys to Asterisk. */
  onTime<T>(act: () => Promise<T>): Promise<T>;
  takesLeft(): string[];
  /** Nobody is connected, and no take lies about. */
  expectNothingLeft(): Promise<void>;
};

export function usePhoneRig(): PhoneRig {
  const folder = temporaryFolder();
  const sounds = (): string => join(folder.path(), 'sounds');
  let voices: { voice: ToneFile; silence: ToneFile } | undefined;
  const at = useRig(() => {
    mkdirSync(sounds());
    cpSync(shippedSounds, sounds(), { recursive: true });
    return {
      lines: [
        `exten => ${extension},1,Stasis(preavis,task=recordPrompt)`,
        ` same => n,NoOp(after ${extension}: result=\${PREAVIS_RESULT} reason=\${PREAVIS_REASON})`,
        ' same => n,Hangup()',
      ],
      config: {
        notice: { soundsFolder: sounds() },
        promptRecording: { maximumSeconds: 12 },
      },
      environment: { PREAVIS_PROMPT_RECORDING_PIN: pin },
    };
  });
  beforeAll(async () => {
    writeFileSync(folder.path('silence.wav'), plainWav({ rate: 8000, samples: new Int16Array(8000) }));
    voices = {
      silence: await toneFromFile(folder.path('silence.wav')),
      voice: await toneFromFile(join(shippedSounds, 'en', 'opt-out-ack.wav')),
    };
  });
  afterEach(() => {
    expect(logText(at.rig)).not.toContain(pin);
  });

  const spoken = (): { voice: ToneFile; silence: ToneFile } => {
    if (voices === undefined) throw new Error('the voices are not there yet');
    return voices;
  };
  const moves = (): Record<string, unknown>[] =>
    at.rig.log().filter(({ msg }) => msg === 'prompt recording state changed');
  const sessions = (): Set<unknown> => new Set(moves().map(({ call }) => call));
  const takesLeft = (): string[] => readdirSync(at.rig.asterisk.spoolFolder);

  /** One after the other, so that the newest session is that of the call which has just come. */
  let doorway: Promise<unknown> = Promise.resolve();

  async function connect(speech: ToneFile): Promise<Phone> {
    const known = sessions();
    const receiver = await at.keep(startRtpReceiver());
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: extension, tone: speech, receiver }));
    await eventually(() => receiver.packets() > 0);
    const session = await eventually(() => [...sessions()].find((each) => !known.has(each)) ?? false);
    const states = (): string[] => moves().flatMap((line) => (line['call'] === session ? [String(line['to'])] : []));
    const phone: Phone = {
      call,
      receiver,
      type: async (keys) => {
        // As a hand does it: Asterisk drops keys that come closer than 45 ms, and packets bunch on a busy machine.
        for (const key of keys) {
          await receiver.pressDigit(key, 120);
          await sleep(120);
        }
      },
      states,
      reached: async (state, times = 1) => {
        await eventually(() => states().filter((each) => each === state).length >= times, { everyMs: 50 });
      },
      choose: async (code) => {
        await phone.reached('enteringPin');
        await phone.type(`${pin}#`);
        await phone.reached('enteringCode');
        await phone.type(`${code}#`);
        await phone.reached('presenting');
      },
      speakTo: async (code) => {
        await phone.choose(code);
        await phone.type('#');
        await phone.reached('recording');
      },
      unusable: () =>
        at.rig
          .log()
          .flatMap(({ msg, call: of, reason }) => (msg === 'take rejected' && of === session ? [reason] : [])),
      endsWithout: async (reason) => {
        await phone.reached('ended');
        await eventually(() => {
          const ends = at.rig.log().filter(({ msg }) => msg === 'prompt recording ended without a recording');
          expect(ends).toContainEqual(expect.objectContaining({ call: session, reason }));
        });
      },
    };

    return phone;
  }

  return {
    get rig() {
      return at.rig;
    },
    folder: (name) => folder.path(name),
    sounds,
    sourceOf: (language, prompt) => join(sounds(), language, `${prompt}.source.wav`),
    get voice() {
      return spoken().voice;
    },
    get silence() {
      return spoken().silence;
    },
    ring: (speech) => {
      const phone = doorway.then(() => connect(speech));
      doorway = phone.catch(() => undefined);
      return phone;
    },
    onTime: (act) => at.onTime([], act),
    takesLeft,
    expectNothingLeft: async () => {
      await expectNobodyConnected(at.rig);
      await eventually(() => takesLeft().length === 0);
    },
  };
}
