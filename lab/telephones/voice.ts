/** The sound of callers and agents: orders for voice.mjs, one process for all telephones of this one, as long as there are any. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ulid } from 'ulid';
import { makeLabFolder, spawnLive, type LabFolder, type LiveProcess } from '../machine/processes.ts';

/** What becomes of the RTP of a telephone in the middle of its talk (RFC 3550, 5.1). */
type SourceChange = {
  /** How far the sequence number leaps from where it would go on, modulo 65,536; below 0: back. */
  leap: number;
  /** The SSRC and the timestamp stay what they are. Default: both are others, at random. */
  sameSource?: boolean;
};

export type Voice = {
  change(change: SourceChange): void;
  /** Sends nothing, until it is not mute any more. */
  mute(isMute: boolean): void;
  /** Says this file of whole packets (20 ms) once, before its sound goes on. */
  once(file: string): void;
  /** Presses a key (its number by RFC 4733) beside the sound, from the same source. */
  press(event: number, durationMs: number): void;
  stop(): Promise<void>;
};

type Speaker = { process: LiveProcess; folder: LabFolder };

let users = 0;
let speaker: Promise<Speaker> | undefined;

async function startSpeaker(): Promise<Speaker> {
  const folder = makeLabFolder();
  appendFileSync(join(folder.path, 'orders.txt'), '');
  const program = fileURLToPath(new URL('./voice.mjs', import.meta.url));
  const logFile = join(folder.path, 'voice.log');
  const env = { ...globalThis.process.env, NODE_OPTIONS: '' };

  return {
    process: await spawnLive(process.execPath, [program, folder.path], { logFile, env, priority: 'sound' }),
    folder,
  };
}

/** A voice for the SIPp that logs in this folder; its packets come from this port, numbered from `firstNumber` on, or at random. */
export async function giveVoice(sippFolder: string, port: number, firstNumber?: number): Promise<Voice> {
  users += 1;
  // One that was ended with all else of a test speaks no more.
  if ((await speaker)?.process.isRunning() === false) speaker = undefined;
  speaker ??= startSpeaker();
  const { folder, process } = await speaker;
  const id = ulid();
  let isStopped = false;
  // Who presses keys may do so until a little after the end of the call.
  const order = (...words: (string | number)[]): void => {
    if (!isStopped) appendFileSync(join(folder.path, 'orders.txt'), `${words.join('|')}\n`);
  };
  order('add', id, port, sippFolder, firstNumber ?? '');

  return {
    change: ({ leap, sameSource = false }) => {
      order('change', id, leap, sameSource ? 'same' : 'new');
    },
    mute: (isMute) => {
      order('mute', id, String(isMute));
    },
    once: (file) => {
      order('once', id, file);
    },
    press: (event, durationMs) => {
      order('press', id, event, Math.max(2, Math.round(durationMs / 20)));
    },
    stop: async () => {
      // A telephone may be ended twice, as by its test and with all that is left.
      if (isStopped) return;
      if (process.isRunning()) order('remove', id);
      isStopped = true;
      users -= 1;
      if (users > 0) return;
      speaker = undefined;
      await process.stop();
      folder.remove();
    },
  };
}
