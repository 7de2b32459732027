import { access, constants, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AriQueries } from '../../ari/port.ts';
import type { Prompt } from '../../prompts/library.ts';
import type { Clock } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import type { IdMaker } from '../../core/ids.ts';
import { sentencesOf, type Order } from '../decide/order.ts';
import type { UnrecordedReason } from '../decide/unrecordedReasons.ts';
import { spoolUnusable } from './spoolRights.ts';

const mebibyte = 1024 * 1024;

/**
 * How much room Asterisk's recording folder has left, MiB. Throws spool_unusable when it cannot be read and written by us.
 */
export async function spoolRoomMib(folder: string): Promise<number> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const disk = await statfs(folder);

    return (disk.bavail * disk.bsize) / mebibyte;
  } catch (cause) {
    throw await spoolUnusable(folder, cause);
  }
}

/** Throws spool_unusable, or spool_full when less than `minimumFreeMib` is left there. */
export async function checkSpool(folder: string, minimumFreeMib: number): Promise<void> {
  const free = await spoolRoomMib(folder);
  if (free >= minimumFreeMib) return;
  throw new PreavisError(
    'spool_full',
    `recording.spoolFolder ${folder}: ${Math.floor(free)} MiB free, ${minimumFreeMib} MiB wanted`,
  );
}

/** No start proves a folder for so long, ms. */
const oldestProbeMs = 60_000;
const probeEnd = '-probe';
const probeName = /^preavis-([0-9A-HJKMNP-TV-Z]{26})-probe\.wav$/;

/** What starts have left that were killed while they proved it. */
async function removeOldProbes(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!probeName.test(name)) continue;
    const file = join(folder, name);
    // Another start may remove it at the same time.
    const found = await stat(file).catch(() => undefined);
    if (found?.size === 0 && now - found.mtimeMs > oldestProbeMs) await rm(file, { force: true });
  }
}

/** Whether the folder is where this Asterisk records: a file put there is a stored recording of it. Throws spool_unusable. */
async function isSpoolOf(
  ari: Pick<AriQueries, 'hasRecording'>,
  folder: string,
  ids: Pick<IdMaker, 'channel'>,
  clock: Clock,
): Promise<boolean> {
  const name = `${ids.channel()}${probeEnd}`;
  const file = join(folder, `${name}.wav`);
  try {
    await removeOldProbes(folder, clock.now());
    await writeFile(file, '', { flag: 'wx' });
    try {
      return await ari.hasRecording(name);
    } finally {
      await rm(file, { force: true });
    }
  } catch (cause) {
    if (cause instanceof PreavisError) throw cause;
    throw await spoolUnusable(folder, cause);
  }
}

/** Throws spool_unusable where the folder is not where this Asterisk records. */
export async function proveSpool(
  folder: string,
  ari: Pick<AriQueries, 'hasRecording'>,
  ids: Pick<IdMaker, 'channel'>,
  clock: Clock,
): Promise<void> {
  if (await isSpoolOf(ari, folder, ids, clock)) return;
  throw new PreavisError('spool_unusable', `recording.spoolFolder ${folder} is not where this Asterisk records`);
}

/** Throws spool_unusable where it is: what is collected would be removed there, and be the only one. */
export async function refuseSharedSpool(
  folder: string,
  ari: Pick<AriQueries, 'hasRecording'>,
  ids: Pick<IdMaker, 'channel'>,
  clock: Clock,
): Promise<void> {
  if (!(await isSpoolOf(ari, folder, ids, clock))) return;
  throw new PreavisError('spool_unusable', `recording.spoolFolder ${folder} is where this Asterisk records`, {
    hint: 'Set recording.spool: shared; or, where Asterisk is on another machine, recording.spoolFolder to a folder of Préavis alone.',
  });
}

/** The prompts that are not on Asterisk's disk in exactly their own language (P2). */
export async function missingPrompts(
  prompts: readonly Prompt[],
  languagesOfSound: AriQueries['languagesOfSound'],
): Promise<Prompt[]> {
  const found = await Promise.all(prompts.map((prompt) => languagesOfSound(prompt.soundName)));

  return prompts.filter((prompt, index) => found[index]?.includes(prompt.language) !== true);
}

/** How long an answer about the disk may be used for other calls, ms. */
const diskLifeMs = 1_000;
/** About a sound, ms. Its name carries its hash, so it can only vanish; one that vanishes within this time fails to play (P2). */
const soundLifeMs = 5_000;

type ReadinessOptions = {
  spoolFolder: string;
  minimumFreeMib: number;
  languagesOfSound: AriQueries['languagesOfSound'];
  clock: Clock;
};

/** Whether a call could be announced and recorded now. */
export type Readiness = {
  check(order: Order): Promise<'ready' | UnrecordedReason>;
};

/** Asks the disk and Asterisk before each call, sharing answers of the last seconds. */
export function makeReadiness(options: ReadinessOptions): Readiness {
  const { clock } = options;
  const answers = new Map<string, { askedAt: number; answer: Promise<unknown> }>();

  const shared = <T>(key: string, lifeMs: number, ask: () => Promise<T>): Promise<T> => {
    const known = answers.get(key);
    const age = known === undefined ? Infinity : clock.now() - known.askedAt;
    if (known !== undefined && age >= 0 && age < lifeMs) return known.answer as Promise<T>;
    const answer = ask();
    answers.set(key, { askedAt: clock.now(), answer });

    return answer;
  };

  return {
    check: async (order) => {
      try {
        await shared('spool', diskLifeMs, () => checkSpool(options.spoolFolder, options.minimumFreeMib));
      } catch (error) {
        return error instanceof PreavisError && error.code === 'spool_full' ? 'spool_full' : 'spool_unusable';
      }
      const prompts = sentencesOf(order).map((sentence) => sentence.prompt);
      const missing = await missingPrompts(prompts, (sound) =>
        shared(`sound ${sound}`, soundLifeMs, () => options.languagesOfSound(sound)),
      );

      return missing.length === 0 ? 'ready' : 'prompts_missing';
    },
  };
}
