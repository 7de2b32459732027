import { makeAriCommands } from '../ari/requests.ts';
import { makeDeadmanCommands } from '../ari/deadmanRequests.ts';
import { makeAriDownloads } from '../ari/download.ts';
import { hostAndPort, makeAriHttp, type AriRequest } from '../ari/httpClient.ts';
import { makeStoredRecordings, type AriStored } from '../ari/storedRecordings.ts';
import type {
  AriClaims,
  AriCommands,
  AriDeadman,
  AriEndpoints,
  AriPromptCommands,
  AriQueries,
  AriUserEvents,
  AsteriskIdentity,
} from '../ari/port.ts';
import { missingPrompts } from '../call/plan/readiness.ts';
import { neededPrompts, type Policy } from '../policy/policy.ts';
import type { Config } from '../config/schema.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { spokenBy } from '../core/crypto/tlsProbe.ts';
import { required } from './required.ts';

/** What speaks with Asterisk. */

export type Ari = {
  password: string;
  commands: AriClaims & AriCommands & AriPromptCommands & AriQueries & AriUserEvents & AriEndpoints;
  deadman: AriDeadman;
  /** The files in its recording folder. */
  stored: AriStored;
  request: AriRequest;
  /** As request, with a connection of its own: what is slow elsewhere does not keep it waiting. */
  probe: AriRequest;
  renew: () => void;
  close: () => void;
};

export type AriOptions = {
  /** What each request goes through. */
  guard?: (request: AriRequest) => AriRequest;
  /** The application of the other worker. */
  peer?: string | undefined;
};

export function makeAri(config: Config, { guard = (request) => request, peer }: AriOptions = {}): Ari {
  const { url, username, application, requestTimeoutMs } = config.ari;
  const password = required(config.ari.password, 'ari.password');
  const access = { url, username, password, timeoutMs: requestTimeoutMs };
  const http = makeAriHttp(access);
  const probe = makeAriHttp({ ...access, connections: 1 });
  const downloads = makeAriDownloads(access);
  const [request, probed] = [guard(http.request), guard(probe.request)];

  return {
    password,
    commands: makeAriCommands(request, application, peer),
    // What is slow elsewhere must not let it expire.
    deadman: makeDeadmanCommands(probed, application),
    stored: makeStoredRecordings(request, downloads.open),
    request,
    probe: probed,
    renew: () => {
      http.renew();
      probe.renew();
    },
    close: () => {
      http.close();
      probe.close();
      downloads.close();
    },
  };
}

/**
 * Who Asterisk is, asked first of all.
 *
 * @throws PreavisError `ari_unreachable`, which says so where `ari.url` speaks TLS and Asterisk does not, or the other way round;
 * `ari_unauthorized`, `ari_request_failed`
 */
export async function identify({ commands }: Ari, { ari: { url } }: Config): Promise<AsteriskIdentity> {
  try {
    return await commands.identity();
  } catch (thrown) {
    throw (await schemeFault(thrown, url)) ?? thrown;
  }
}

/** What a refused connection or a wrong name fails with: there is nobody to ask. */
const nobodyThere = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

async function schemeFault(thrown: unknown, url: string): Promise<PreavisError | undefined> {
  if (!(thrown instanceof PreavisError) || thrown.code === 'ari_unauthorized') return undefined;
  if (nobodyThere.has(errnoOf(thrown.cause) ?? '')) return undefined;
  const { protocol, hostname, port } = new URL(url);
  const usesTls = protocol === 'https:';
  const spoken = await spokenBy(hostname.replace(/^\[|\]$/g, ''), Number(port === '' ? (usesTls ? 443 : 80) : port));
  if (spoken === undefined || (spoken === 'tls') === usesTls) return undefined;
  const [speaks, scheme] = usesTls ? ['HTTP without TLS', 'http'] : ['TLS', 'https'];
  const address = hostAndPort(url);

  return new PreavisError(
    'ari_unreachable',
    `Asterisk speaks ${speaks} at ${address}, and ari.url begins with ${protocol}//`,
    {
      cause: thrown,
      hint: `Set ari.url: ${scheme}://${address}, or the port of the other kind (http.conf: bindport, tlsbindaddr).`,
    },
  );
}

/** P2: throws prompts_missing with the list unless every prompt is on Asterisk in exactly its language. */
export async function refuseMissingPrompts(policy: Policy, ari: AriQueries): Promise<void> {
  const missing = await missingPrompts(neededPrompts(policy), (sound) => ari.languagesOfSound(sound));
  if (missing.length === 0) return;
  const list = missing.map((prompt) => `${prompt.language}/${prompt.soundName}`).join(', ');
  throw new PreavisError('prompts_missing', `not on Asterisk in its own language: ${list}`);
}
