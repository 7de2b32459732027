import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import type { Dialplan } from '../dialplan.ts';
import { readDialplanShow, readGlobalsShow } from './dialplanShow.ts';
import { readFeaturesShow, type Features } from './features.ts';
import { configFiles } from './files.ts';
import { livesDangerously, refusesByRelease } from './refusal.ts';

/** The Asterisk that runs on this machine, asked by its own console: ARI shows no dialplan. */

const answerWithinMs = 20_000;
const longestAnswer = 64 * 1_048_576;
/** Where Asterisk is, which is not in the PATH of every user. */
const places = '/usr/local/sbin:/usr/sbin:/sbin';

const notShown = (why: string, cause?: unknown): PreavisError => new PreavisError('dialplan_not_shown', why, { cause });

function ask(command: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const options = {
    env: { ...environment, PATH: `${environment['PATH'] ?? ''}:${places}` },
    timeout: answerWithinMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: longestAnswer,
  };

  return new Promise((resolve, reject) => {
    execFile('asterisk', ['-rx', command], options, (error, answer) => {
      if (error === null) {
        resolve(answer);
        return;
      }
      const missing = errnoOf(error) === 'ENOENT';
      const late = error.killed === true;
      const why = missing
        ? 'the program asterisk is not here'
        : late
          ? `asterisk -rx gave no answer within ${answerWithinMs / 1000} s`
          : 'asterisk -rx reaches no running Asterisk, or may not';
      reject(notShown(why, error));
    });
  });
}

/** Throws dialplan_not_shown. */
export async function askDialplan(environment: NodeJS.ProcessEnv): Promise<Dialplan> {
  const dialplan = readDialplanShow(await ask('dialplan show', environment));
  if (dialplan.contexts.size === 0) throw notShown('asterisk -rx "dialplan show" shows no context');

  return { ...dialplan, globals: readGlobalsShow(await ask('dialplan show globals', environment)) };
}

/** Throws dialplan_not_shown. */
export async function askFeatures(environment: NodeJS.ProcessEnv): Promise<Features> {
  return readFeaturesShow(await ask('features show', environment));
}

/** Whether it refuses functions behind the notice; true where its asterisk.conf cannot be read. Throws dialplan_not_shown. */
export async function askRefusal(environment: NodeJS.ProcessEnv): Promise<boolean> {
  if (!refusesByRelease(await ask('core show version', environment))) return false;
  const [, folder = ''] =
    /^ *Configuration directory: +(\/.*)$/m.exec(await ask('core show settings', environment)) ?? [];
  const path = join(folder, 'asterisk.conf');

  return !(await livesDangerously(path, configFiles(path, folder)).catch(() => false));
}
