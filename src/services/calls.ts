import { setTimeout as sleep } from 'node:timers/promises';
import { makeCallerKeeper } from '../call/plan/callerStore.ts';
import { makePinGuard } from '../call/promptRecording/pinGuard.ts';
import type { CallerKeeper, LanguagePreferences } from '../call/session/ports.ts';
import { makePreferences } from '../call/plan/preferences.ts';
import { PromptOperators, type PromptOperatorsPorts } from '../call/promptRecording/operators.ts';
import type { PromptStorage } from '../call/promptRecording/session.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Policy } from '../policy/policy.ts';
import { promptOfCode, recordingProgress, storeRecording } from '../prompts/recordings.ts';
import { readPrompt, readPromptSource } from '../prompts/library.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { soundsFolder } from './prompts.ts';

/** What a call, or an operator who records a prompt, needs beside Asterisk. */

export function callPreferences(
  config: Config,
  policy: Policy,
  catalogue: Catalogue,
  clock: Clock,
): LanguagePreferences {
  return makePreferences({
    table: catalogue,
    hashKey: config.privacy.hashKey,
    keepDays: config.privacy.preferenceDays,
    defaultCountry: policy.defaultCountry,
    clock,
  });
}

export function callKeeper(config: Config, policy: Policy, catalogue: Catalogue): CallerKeeper {
  const { hashKey, numberKey } = config.privacy;

  return makeCallerKeeper({ table: catalogue, hashKey, numberKey, defaultCountry: policy.defaultCountry });
}

/** The folder is read for each operator anew, so that a changed prompts.yaml and `preavis prompts list` agree. */
function makePromptShelf(folder: string): PromptStorage {
  return {
    find: async (code) => {
      const words = promptOfCode(await readPromptSource(folder), code);
      if (words === undefined) return undefined;
      const prompt = await readPrompt(folder, words);
      const soundName = typeof prompt === 'string' ? undefined : prompt.soundName;

      return { id: words.id, language: words.language, text: words.text, soundName };
    },
    store: (target, wav) => storeRecording(folder, target, wav),
    progress: async (language) =>
      (await recordingProgress(folder, await readPromptSource(folder))).find((each) => each.language === language),
  };
}

/** undefined without a PIN: then nobody can record prompts by telephone. */
export function makePromptDesk(
  config: Config,
  ports: Pick<PromptOperatorsPorts, 'ari' | 'ids' | 'log'> & { clock: Clock },
): PromptOperators | undefined {
  const { pin, maximumSeconds } = config.promptRecording;
  if (pin === undefined) return undefined;

  return new PromptOperators({
    ari: ports.ari,
    ids: ports.ids,
    log: ports.log,
    prompts: makePromptShelf(soundsFolder(config)),
    pin: makePinGuard(pin, ports.clock),
    spoolFolder: config.recording.spoolFolder,
    maximumSeconds,
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  });
}
