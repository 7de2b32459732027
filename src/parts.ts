import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeDirectoryStore } from './archive/directoryStore.ts';
import { longestCheckMs, type FinishPorts } from './archive/finish.ts';
import { makeMinioStore } from './archive/minioStore.ts';
import { makePromptsHeard } from './archive/promptsHeard.ts';
import { checkRecording } from './archive/selfCheck.ts';
import type { ObjectStore } from './archive/store.ts';
import type { UploadPorts } from './archive/uploader.ts';
import { makeAriCommands } from './ari/commands.ts';
import { makeAriHttp, type AriRequest } from './ari/http.ts';
import type { AriCommands, AriPromptCommands, AriQueries } from './ari/port.ts';
import { makePinGuard } from './call/pinGuard.ts';
import { makeCallerKeeper, makeNumberReader } from './call/callers.ts';
import type { CallerKeeper, LanguagePreferences } from './call/ports.ts';
import { makePreferences } from './call/preferences.ts';
import { PromptDesk, type PromptDeskPorts } from './call/promptDesk.ts';
import type { PromptShelf } from './call/promptRecorderSession.ts';
import type { Catalogue } from './catalogue/catalogue.ts';
import { missingPrompts } from './call/readiness.ts';
import { neededPrompts, type Policy } from './config/policy.ts';
import { promptOfCode, recordingProgress, storeRecording } from './config/promptRecording.ts';
import { loadPrompts, readPrompt, readPromptSource, type PromptLibrary } from './config/prompts.ts';
import type { Config } from './config/schema.ts';
import type { Clock } from './core/clock.ts';
import { PreavisError } from './core/errors.ts';
import type { Logger } from './core/log.ts';
import { openSigner, type Signer } from './core/signing.ts';
import { receiptOfRecording, receiptText } from './evidence/receipt.ts';
import { makeWitnessPass, type WitnessPorts } from './evidence/witnessPass.ts';
import type { RetentionPorts } from './retention/enforcer.ts';
import type { FetchPorts } from './retention/fetch.ts';
import { copyCertificates } from './retention/copies.ts';
import { eraseRecording } from './retention/erasure.ts';
import { makeLedger } from './retention/ledger.ts';
import type { ReconcilePorts } from './retention/reconcile.ts';
import { checkSchedule } from './retention/schedule.ts';
import type { SubjectErasurePorts } from './subject/eraseForPerson.ts';
import type { SubjectExportPorts } from './subject/exportForPerson.ts';

/** Builds single parts from the configuration, for `serve` and for the commands. */

/** The folder of sounds that comes with Préavis. */
export const shippedSounds = fileURLToPath(new URL('../sounds', import.meta.url));

export function soundsFolder(config: Config): string {
  return config.notice.soundsFolder ?? shippedSounds;
}

export function loadLibrary(config: Config): Promise<PromptLibrary> {
  return loadPrompts(soundsFolder(config));
}

function required(value: string | undefined, key: string): string {
  if (value === undefined || value === '') throw new PreavisError('config_invalid', `${key}: is missing`);

  return value;
}

export type Ari = {
  commands: AriCommands & AriPromptCommands & AriQueries;
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

/** Throws config_invalid for a cron line or time zone that cannot be used. */
export function checkJobs({ schedule }: Config): void {
  const jobs = [
    { key: 'schedule.upload', cron: schedule.upload },
    { key: 'schedule.retention', cron: schedule.retention },
    { key: 'schedule.reconcile', cron: schedule.reconcile },
  ];
  checkSchedule(jobs, schedule.timezone);
}

/** P2: throws prompts_missing with the list unless every prompt is on Asterisk in exactly its language. */
export async function refuseMissingPrompts(policy: Policy, ari: AriQueries): Promise<void> {
  const missing = await missingPrompts(neededPrompts(policy), (sound) => ari.languagesOfSound(sound));
  if (missing.length === 0) return;
  const list = missing.map((prompt) => `${prompt.language}/${prompt.soundName}`).join(', ');
  throw new PreavisError('prompts_missing', `not on Asterisk in its own language: ${list}`);
}

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
function makePromptShelf(folder: string): PromptShelf {
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
  ports: Pick<PromptDeskPorts, 'ari' | 'ids' | 'log'> & { clock: Clock },
): PromptDesk | undefined {
  const { pin, maximumSeconds } = config.promptRecording;
  if (pin === undefined) return undefined;

  return new PromptDesk({
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

/** The catalogue is undefined before there is one: then nothing is known to be in the archive. */
export function makeStore(config: Config, catalogue: Pick<Catalogue, 'knownObject'> | undefined): ObjectStore {
  const { store, directory, minio } = config.archive;
  switch (store) {
    case 'directory': {
      const made: ObjectStore = makeDirectoryStore({
        folder: directory.folder,
        known: () => catalogue?.knownObject(made.location) ?? Promise.resolve('never'),
      });

      return made;
    }
    case 'minio':
      return makeMinioStore({
        endPoint: minio.endPoint,
        port: minio.port,
        useTls: minio.useTls,
        accessKey: required(minio.accessKey, 'archive.minio.accessKey'),
        secretKey: required(minio.secretKey, 'archive.minio.secretKey'),
        region: minio.region,
        bucket: minio.bucket,
        prefix: minio.prefix,
      });
  }
}

export type Shared = {
  config: Config;
  catalogue: Catalogue;
  store: ObjectStore;
  clock: Clock;
  log: Logger;
  actor: string;
};

export function uploadPorts({ config, catalogue, store, clock, log, actor }: Shared): UploadPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    receiptOf: async (id) => receiptText(await receiptOfRecording(catalogue, id)),
    clock,
    random: Math.random,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    attemptMs: config.archive.attemptSeconds * 1_000,
    told: new Set(),
  };
}

/**
 * What a command finishes recordings with: it listens in its own thread, and counts nothing. Throws prompts_invalid when the
 * prompts that are to be looked for cannot be read.
 */
export async function finishPorts(
  { config, catalogue, clock, log, actor }: Omit<Shared, 'store'>,
  signal: AbortSignal,
): Promise<FinishPorts> {
  return {
    catalogue,
    spoolFolder: config.recording.spoolFolder,
    clock,
    log,
    actor,
    promptsHeard: makePromptsHeard(soundsFolder(config), await loadLibrary(config), catalogue),
    check: checkRecording,
    found: () => undefined,
    checkMs: longestCheckMs,
    signal,
  };
}

/** One pass over the calls that were not yet compared with the second witness. */
export function makeWitness(
  { config, catalogue, clock, log, actor }: Omit<Shared, 'store'>,
  compared: WitnessPorts['compared'],
): () => Promise<void> {
  const { celFile, waitSeconds } = config.witness;

  return makeWitnessPass({ catalogue, celFile, waitMs: waitSeconds * 1_000, clock, log, actor, compared });
}

/** Opened once, and again only where that failed. */
export function makeSigner(config: Config): () => Promise<Signer> {
  const file = config.evidence.signingKeyFile ?? besideCatalogue(config, 'signing-key.pem');
  let opened: Promise<Signer> | undefined;

  return () => {
    opened ??= openSigner(file).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });

    return opened;
  };
}

function besideCatalogue(config: Config, name: string): string {
  return join(dirname(config.catalogue.file), name);
}

export function retentionPorts({ config, catalogue, store, clock, log, actor }: Shared): RetentionPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    ledger: makeLedger(config.evidence.ledgerFile ?? besideCatalogue(config, 'erasures.jsonl')),
    signer: makeSigner(config),
    clock,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    certificatesKeptMs: config.evidence.certificateDays * 86_400_000,
    callersKeptMs: config.privacy.callerDays * 86_400_000,
  };
}

/** Without `repairs` nothing can be changed. */
export function reconcilePorts(
  { config, catalogue, store, clock, log, actor }: Shared,
  repairs: FinishPorts | undefined,
): ReconcilePorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    clock,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    attemptMs: config.archive.attemptSeconds * 1_000,
    repairs,
  };
}

export function fetchPorts({ config, catalogue, store, clock, actor }: Omit<Shared, 'log'>): FetchPorts {
  return { catalogue, store, spoolFolder: config.recording.spoolFolder, clock, actor };
}

/** `actor` is who runs the command. */
export function subjectExportPorts({
  config,
  catalogue,
  store,
  clock,
  actor,
}: Omit<Shared, 'log'>): SubjectExportPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    config,
    numberOf: makeNumberReader(config.privacy.numberKey),
    clock,
    operator: actor,
  };
}

/** `actor` is who runs the command. */
export function subjectErasurePorts(shared: Shared): SubjectErasurePorts {
  const { catalogue, clock, actor } = shared;
  const ports = retentionPorts({ ...shared, actor: 'command' });

  return {
    catalogue,
    erase: (row) => eraseRecording(row, { rule: 'subject', operator: actor }, ports),
    copyCertificates: () => copyCertificates({ ...ports, now: () => clock.now() }),
    clock,
    operator: actor,
  };
}
