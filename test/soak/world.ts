import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../lab/telephones/audio.ts';
import { makeLabFolder } from '../../lab/machine/processes.ts';
import { labPurpose, rigBucket, startRig, type Rig, type RigOptions } from '../../lab/rig.ts';
import { startAgent, type Agent } from '../../lab/telephones/sip.ts';
import { startStore, type LabStore } from '../../lab/store/store.ts';
import { startAriProxy, type AriProxy } from '../support/ari/ariProxy.ts';
import { toneWav } from '../support/policy/promptFolder.ts';

/** Everything of the soak but the calls: Asterisk and Préavis with clocks that can be set, a line between them that can be cut, an S3 server, and
 * whom one can call. */
export type World = {
  rig: Rig;
  store: LabStore;
  line: AriProxy;
  /** For Dial(): somebody with a tone of their own, whom nobody tells that anything is recorded. */
  stranger: string;
  /** The same as the soak's name of the bucket. */
  bucket: string;
  stop(): Promise<void>;
};

/** Every sentence is a tone of its own, so that a receiver or a recording tells what was said. */
export const hertz = { caller: 440, notice: 700, saying: 850, agent: 1000, stranger: 1600 } as const;
export const noticeMs = 1_000;
const sayingMs = 500;

const modes = ['announce', 'optOut', 'optIn'] as const;
export type Mode = (typeof modes)[number];
/** Préavis dials, or the caller is told and followed into the dialplan, which dials. */
const ways = ['bridge', 'follow'] as const;
export type Way = (typeof ways)[number];
const destinations = ['brief', 'long', 'busy', 'silent'] as const;
export type Destination = (typeof destinations)[number];

/** A caller has a line for each mode, so that the catalogue tells whose call it was. */
export const lineOf = (caller: number, mode: Mode): string => `c${caller}-${mode.toLowerCase()}`;
export const extensionOf = (caller: number, mode: Mode, destination: Destination, way: Way): string =>
  `${lineOf(caller, mode)}-${destination}-${way}`;

const prompts = `languages: { en: { made: recording, voice: tones } }
prompts:
  notice: { kind: whole, wording: is, purposes: [announced], statesMaxDays: { announced: 28 }, text: { en: This call is recorded. } }
  notice-out: { kind: whole, wording: may, purposes: [refusable], statesMaxDays: { refusable: 28 }, text: { en: This call may be recorded. } }
  notice-in: { kind: whole, wording: may, purposes: [asked], statesMaxDays: { asked: 28 }, text: { en: This call may be recorded for you. } }
  opt-out: { kind: optOut, keys: { refuse: '9' }, text: { en: Nine refuses. } }
  opt-out-ack: { kind: optOutAck, text: { en: Not recorded. } }
  opt-in: { kind: optIn, keys: { accept: '1', refuse: '2' }, text: { en: One agrees. } }
  opt-in-ack: { kind: optInAck, text: { en: Recorded from now on. } }
  no-answer: { kind: noAnswer, text: { en: No answer is a no. } }
  erased-ack: { kind: erasedAck, text: { en: Erased. } }
`;

/** Sentences of the notice, as a folder that `notice.soundsFolder` may name. */
export function writeSounds(folder: string): void {
  mkdirSync(join(folder, 'en'), { recursive: true });
  writeFileSync(join(folder, 'prompts.yaml'), prompts);
  const sound = (name: string, hz: number, ms: number): void => {
    writeFileSync(join(folder, 'en', `${name}.wav`), toneWav(hz, ms));
  };
  // One length apart, so that no two files are the same.
  ['notice', 'notice-out', 'notice-in'].forEach((name, index) => {
    sound(name, hertz.notice, noticeMs + 20 * index);
  });
  ['opt-out', 'opt-out-ack', 'opt-in', 'opt-in-ack', 'no-answer', 'erased-ack'].forEach((name, index) => {
    sound(name, hertz.saying, sayingMs + 20 * index);
  });
}

/** Whom callers are transferred to, and who joins. */
export const strangerExtension = 'stranger';
/** By how much clocks are set, as faketime writes it, and ms. Further apart than a soak is long. */
export const clockSteps = {
  '+3h': 10_800_000,
  '-3h': -10_800_000,
  '+60d': 5_184_000_000,
  '-60d': -5_184_000_000,
} as const;

export type Agents = Record<Destination, Agent>;

/** Whom one can call. */
export async function startAgents(): Promise<Agents> {
  const tone = await burstTone(hertz.agent);
  const atOnce = 50;

  return {
    brief: await startAgent({ behaviour: 'answer', tone, ringMs: 100, hangUpAfterMs: 2_000, atOnce }),
    long: await startAgent({ behaviour: 'answer', tone, ringMs: 500, hangUpAfterMs: 6_000, atOnce }),
    busy: await startAgent({ behaviour: 'busy', atOnce }),
    silent: await startAgent({ behaviour: 'noAnswer', atOnce }),
  };
}

/** With a tone of their own, whom nobody tells. */
export const startStranger = async (): Promise<Agent> =>
  startAgent({
    behaviour: 'answer',
    tone: await continuousTone(hertz.stranger),
    hangUpAfterMs: 4_000,
    atOnce: 50,
  });

/** The dialplan and the configuration of one telephone system that these callers call; the sentences are in this folder. */
export function soakedRig(
  callers: number,
  agents: Agents,
  stranger: Agent,
  soundsFolder: string,
): { lines: string[]; config: NonNullable<RigOptions['config']> } {
  const each = <T>(make: (caller: number, mode: Mode) => T): T[] =>
    Array.from({ length: callers }, (_, caller) => modes.map((mode) => make(caller, mode))).flat();
  const purposeOf: Record<Mode, string> = { announce: 'announced', optOut: 'refusable', optIn: 'asked' };
  const purpose = (consent: Mode, keepDays: number) => ({
    ...labPurpose('soak', 'Calls of the lab are recorded in order to see that none is lost.', keepDays),
    consent,
  });
  const extensions = each((caller, mode) =>
    destinations.flatMap((destination) => {
      const to = `${agents[destination].dialString},${destination === 'silent' ? 2 : 20}`;
      const line = `line=${lineOf(caller, mode)}`;
      const steps: Record<Way, readonly [string, ...string[]]> = {
        bridge: [`Gosub(preavis,s,1(${to},${line}))`],
        follow: [`Gosub(preavis-tell,s,1(${line}))`, `Dial(${to})`],
      };
      return ways.map((way) => {
        const [first, ...more] = steps[way];
        const rest = [...more, 'Hangup()'].map((step) => `\n same => n,${step}`).join('');
        return `exten => ${extensionOf(caller, mode, destination, way)},1,${first}${rest}`;
      });
    }),
  );

  return {
    lines: [
      `exten => ${strangerExtension},1,Dial(${stranger.dialString},10)\n same => n,Hangup()`,
      ...extensions.flat(),
    ],
    config: {
      notice: { soundsFolder, languages: ['en'] },
      consent: { waitSeconds: 1 },
      purposes: {
        announced: purpose('announce', 28),
        // Due as soon as it ends: something is to be erased all the time.
        refusable: purpose('optOut', 0),
        asked: { ...purpose('optIn', 28), kind: 'evidence' },
      },
      lines: {
        default: { purposes: ['announced'], defaultLanguages: ['en'] },
        ...Object.fromEntries(
          each((caller, mode) => [lineOf(caller, mode), { purposes: [purposeOf[mode]], defaultLanguages: ['en'] }]),
        ),
      },
    },
  };
}

/** The sentences are brought to its Asterisk. Throws where one cannot be brought. */
export async function installSentences(rig: Rig): Promise<void> {
  const installed = await rig.preavis('prompts', 'install', '--to', rig.asterisk.soundsFolder);
  if (installed.code !== 0) throw new Error(`the prompts cannot be installed:\n${installed.stdout}${installed.stderr}`);
}

export async function startWorld(callers: number): Promise<World> {
  const sounds = makeLabFolder();
  writeSounds(sounds.path);
  const [store, line, agents] = await Promise.all([startStore(), startAriProxy(), startAgents()]);
  const stranger = await startStranger();
  await store.makeBucket(rigBucket, { versioning: true });
  const { lines, config } = soakedRig(callers, agents, stranger, sounds.path);
  const rig = await startRig({
    idle: true,
    asteriskClockOff: '+0',
    clockOff: '+0',
    store,
    rtpPorts: 400,
    lines,
    config: {
      ...config,
      ari: { url: line.url },
      schedule: { upload: '*/10 * * * * *', retention: '*/30 * * * * *', reconcile: '15 * * * * *' },
      archive: { attemptSeconds: 20 },
    },
  });
  line.leadTo(rig.asterisk.ariUrl);
  const stop = async (): Promise<void> => {
    await rig.stop();
    line.close();
    for (const agent of [...Object.values(agents), stranger]) await agent.stop();
    await store.stop();
    sounds.remove();
  };
  try {
    await installSentences(rig);
    await rig.startServe();
  } catch (error) {
    await stop();
    throw error;
  }

  return { rig, store, line, stranger: stranger.dialString, bucket: rigBucket, stop };
}
