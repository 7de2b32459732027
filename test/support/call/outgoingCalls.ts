/**
 * Outgoing calls: somebody of the house dials somebody outside, who is told when they answer. Each side has a tone of its own, and so has each
 * sentence in each language.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { labPurpose, type RigOptions } from '../../../lab/rig.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type AgentOptions, type Call } from '../../../lab/telephones/sip.ts';
import { presentMs } from '../audio/audio.ts';
import { eventually } from '../poll.ts';
import { toneWav } from '../policy/promptFolder.ts';
import { useRig, type RigInUse } from '../rig/rigs.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import type { Phone } from './followedCalls.ts';

export const employeeHz = 440;
export const customerHz = 1_000;
export const noticeHz = { fr: 700, nl: 800 } as const;
/** What follows from a refusal, from a yes, and from silence. */
export const refusedHz = { fr: 1_300, nl: 1_400 } as const;
const agreedHz = { fr: 2_600, nl: 2_700 } as const;
export const silentHz = { fr: 1_700, nl: 1_800 } as const;
export const questionHz = { fr: 2_200, nl: 2_300 } as const;
/** Of whoever must be recorded and cannot be. */
export const turnedAwayHz = { fr: 1_900, nl: 2_000 } as const;
export const turnedAwayMs = 1_500;
export const noticeMs = 2_000;
const answerMs = 500;
/** Numbers of Liège and of Ghent. */
export const number = { fr: '+3242345678', nl: '+3292345678' } as const;

const languages = ['fr', 'nl'] as const;
const purposes = { training: 'announce', refusable: 'optOut', asked: 'optIn', obliged: 'announce' } as const;

function writeSounds(path: (name: string) => string): void {
  const text = 'text: { fr: Une phrase., nl: Een zin. }';
  const notices = Object.keys(purposes).map(
    (id) => `  notice-${id}: { kind: whole, wording: may, purposes: [${id}], statesMaxDays: { ${id}: 28 }, ${text} }\n`,
  );
  for (const language of languages) {
    mkdirSync(path(language), { recursive: true });
    const say = (name: string, hz: number, ms: number): void => {
      writeFileSync(path(`${language}/${name}.wav`), toneWav(hz, ms));
    };
    // Each file is another one.
    for (const [index, id] of Object.keys(purposes).entries())
      say(`notice-${id}`, noticeHz[language], noticeMs + index * 20);
    say('opt-out', questionHz[language], answerMs);
    say('opt-in', questionHz[language], answerMs + 100);
    say('opt-out-ack', refusedHz[language], answerMs);
    say('opt-in-ack', agreedHz[language], answerMs);
    say('no-answer', silentHz[language], answerMs);
    say('erased-ack', refusedHz[language], answerMs + 100);
    say('turned-away', turnedAwayHz[language], turnedAwayMs);
  }
  writeFileSync(
    path('prompts.yaml'),
    `languages: { fr: { made: recording, voice: a tone }, nl: { made: recording, voice: a tone } }
prompts:
${notices.join('')}  opt-out: { kind: optOut, keys: { refuse: '9' }, ${text} }
  opt-in: { kind: optIn, keys: { accept: '1', refuse: '2' }, ${text} }
  opt-out-ack: { kind: optOutAck, ${text} }
  opt-in-ack: { kind: optInAck, ${text} }
  no-answer: { kind: noAnswer, ${text} }
  erased-ack: { kind: erasedAck, ${text} }
  turned-away: { kind: turnedAway, ${text} }
`,
  );
}

/** A telephone, for one call at a time. */
/** The telephone of who is called on each line. */
export function phoneBook<Line extends string>(): {
  set: (line: Line, phone: Phone) => void;
  of: (line: Line) => Phone;
} {
  const phones = new Map<Line, Phone>();

  return {
    set: (line, phone) => {
      phones.set(line, phone);
    },
    of: (line) => {
      const found = phones.get(line);
      if (found === undefined) throw new Error(`nobody for ${line}`);

      return found;
    },
  };
}
/** The employee's side. */
export type Dialled = { call: Call; receiver: RtpReceiver };

export type OutgoingOptions = {
  /** The purpose of each line. */
  lines: Readonly<Record<string, keyof typeof purposes>>;
  /** The dialplan; what follows each dialling is up to it. */
  dialplan: readonly string[];
  conf?: RigOptions['conf'];
  config?: RigOptions['config'];
};

export type Outgoing = RigInUse & {
  /** Somebody outside, who answers unless another behaviour is given. Their samples begin with the call that was placed last. */
  phone(hz?: number, options?: Partial<AgentOptions>): Promise<Phone>;
  /** An employee calls this extension, or somebody else whose telephone says so. */
  dial(to: string, headers?: readonly string[]): Promise<Dialled>;
};

/** From the first packet of a call on, as for a telephone without one before: where a tone begins behind silence there is a little of every other. */
function behindSilence(samples: Int16Array): Int16Array {
  const begin = samples.findIndex((sample) => sample !== samples[0]);

  return samples.subarray(Math.max(0, begin));
}

/** To be called once in a test file; `options` may make telephones. Préavis is started. */
export function useOutgoing(options: (at: Outgoing) => Promise<OutgoingOptions>): Outgoing {
  const folder = temporaryFolder();
  /** A call that is placed again must not find what the one before it let a telephone hear. */
  const callBegins: (() => void)[] = [];
  const at = useRig(async () => {
    writeSounds((name) => folder.path(name));
    const { lines, dialplan, conf = {}, config = {} } = await options(outgoing);

    return {
      idle: true,
      lines: dialplan,
      conf,
      config: {
        notice: { soundsFolder: folder.path(), languages: [...languages] },
        consent: { waitSeconds: 2 },
        privacy: { hashKey: 'a key of the lab, of thirty-two characters' },
        purposes: Object.fromEntries(
          Object.entries(purposes).map(([id, consent]) => [
            id,
            {
              ...labPurpose(id, 'Calls of the lab are recorded to see who hears of it.', 28),
              consent,
              ...(id === 'obliged' ? { kind: 'obligation', legalBasis: 'GDPR art. 6(1)(c)' } : {}),
            },
          ]),
        ),
        lines: Object.fromEntries(
          Object.entries(lines).map(([line, purpose]) => [line, { purposes: [purpose], defaultLanguages: ['nl'] }]),
        ),
        ...config,
      },
    };
  });
  beforeAll(async () => {
    const { rig } = at;
    const installed = await rig.preavis('prompts', 'install', '--to', rig.asterisk.soundsFolder);
    expect(installed).toMatchObject({ code: 0, stderr: '' });
    await rig.startServe();
  });
  const outgoing: Outgoing = {
    get rig() {
      return at.rig;
    },
    keep: (made) => at.keep(made),
    onTime: (lines, act) => at.onTime(lines, act),
    inVain: (lines) => at.inVain(lines),
    recordedInVain: (lines) => at.recordedInVain(lines),
    expectFrom: (lines, counted, each) => {
      at.expectFrom(lines, counted, each);
    },
    phone: async (hz = customerHz, more = {}) => {
      const receiver = await at.keep(startRtpReceiver());
      const tone = await continuousTone(hz);
      const agent = await at.keep(startAgent({ behaviour: 'answer', tone, receiver, ...more }));
      let before = 0;
      callBegins.push(() => {
        before = receiver.samples().length;
      });

      return { agent, receiver: { ...receiver, samples: () => behindSilence(receiver.samples().subarray(before)) } };
    },
    dial: async (to, headers = []) => {
      for (const begin of callBegins) begin();
      const receiver = await at.keep(startRtpReceiver());
      const tone = await continuousTone(employeeHz);
      const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver, headers });

      return { receiver, call: await at.keep(placed) };
    },
  };

  return outgoing;
}

/** Until a telephone has heard so much of a tone. */
export const hears = (receiver: RtpReceiver, hz: number, ms: number): Promise<unknown> =>
  eventually(() => presentMs(receiver.samples(), hz) >= ms, { everyMs: 50 });
