import { makeAriCommands } from '../ari/commands.ts';
import { makeDeadmanCommands } from '../ari/deadmanCommands.ts';
import { makeAriHttp, type AriRequest } from '../ari/http.ts';
import type { AriCommands, AriDeadman, AriPromptCommands, AriQueries } from '../ari/port.ts';
import { missingPrompts } from '../call/readiness.ts';
import { neededPrompts, type Policy } from '../config/policy.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { required } from './required.ts';

/** What speaks with Asterisk. */

export type Ari = {
  commands: AriCommands & AriPromptCommands & AriQueries;
  deadman: AriDeadman;
  request: AriRequest;
  /** As request, with a connection of its own: what is slow elsewhere does not keep it waiting. */
  probe: AriRequest;
  renew: () => void;
  close: () => void;
};

export function makeAri(config: Config): Ari {
  const { url, username, application, requestTimeoutMs } = config.ari;
  const password = required(config.ari.password, 'ari.password');
  const access = { url, username, password, timeoutMs: requestTimeoutMs };
  const http = makeAriHttp(access);
  const probe = makeAriHttp({ ...access, connections: 1 });

  return {
    commands: makeAriCommands(http.request, application),
    // What is slow elsewhere must not let it expire.
    deadman: makeDeadmanCommands(probe.request, application),
    request: http.request,
    probe: probe.request,
    renew: () => {
      http.renew();
      probe.renew();
    },
    close: () => {
      http.close();
      probe.close();
    },
  };
}

export function ariPassword(config: Config): string {
  return required(config.ari.password, 'ari.password');
}

/** P2: throws prompts_missing with the list unless every prompt is on Asterisk in exactly its language. */
export async function refuseMissingPrompts(policy: Policy, ari: AriQueries): Promise<void> {
  const missing = await missingPrompts(neededPrompts(policy), (sound) => ari.languagesOfSound(sound));
  if (missing.length === 0) return;
  const list = missing.map((prompt) => `${prompt.language}/${prompt.soundName}`).join(', ');
  throw new PreavisError('prompts_missing', `not on Asterisk in its own language: ${list}`);
}
