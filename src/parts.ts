import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeDirectoryStore } from './archive/directoryStore.ts';
import { makeEncryptedStore, type EncryptedStore } from './archive/encryptedStore.ts';
import { longestCheckMs, type FinishPorts } from './archive/finish.ts';
import type { LifecycleOptions } from './archive/lifecycle.ts';
import { makeKeyring, makeLocalKey, type Keyring, type WrappingKey } from './archive/keyring.ts';
import { makeKmsKey } from './archive/kmsCommand.ts';
import { makeMinioStore } from './archive/minioStore.ts';
import { makePromptsHeard } from './archive/promptsHeard.ts';
import { ProtectionWatch } from './archive/protectionWatch.ts';
import { checkRecording } from './archive/selfCheck.ts';
import type { RewrapPorts } from './archive/rewrap.ts';
import type { ObjectStore, RawStore } from './archive/store.ts';
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
import type { DeliveryFigures, Subscriber } from './catalogue/deliveries.ts';
import { missingPrompts } from './call/readiness.ts';
import type { PurposeLock } from './config/locks.ts';
import { encryptionKeyOf } from './config/encryptionKey.ts';
import { neededPrompts, type Policy } from './config/policy.ts';
import { promptOfCode, recordingProgress, storeRecording } from './config/promptRecording.ts';
import { loadPrompts, readPrompt, readPromptSource, type PromptLibrary } from './config/prompts.ts';
import { nameOfPurpose, purposeOf } from './config/purposeRules.ts';
import type { Config } from './config/schema.ts';
import { webhookKey } from './config/webhooks.ts';
import { dayMs, type Clock } from './core/clock.ts';
import { PreavisError } from './core/errors.ts';
import type { Logger } from './core/log.ts';
import { openSigner, type Signer } from './core/signing.ts';
import type { BundlePorts } from './evidence/bundle.ts';
import { receiptOfRecording, receiptText } from './evidence/receipt.ts';
import { fetchTimeStamp } from './evidence/timestamp.ts';
import { makeWitnessPass, type WitnessPorts } from './evidence/witnessPass.ts';
import type { RetentionPorts } from './retention/enforcer.ts';
import type { FetchPorts } from './retention/fetch.ts';
import { copyCertificates } from './retention/copies.ts';
import { eraseRecording, lockInArchive } from './retention/erasure.ts';
import { makeLedger, type Ledger } from './retention/ledger.ts';
import type { ReconcilePorts } from './retention/reconcile.ts';
import { checkSchedule } from './retention/schedule.ts';
import type { Endpoint } from './webhooks/message.ts';
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

/** What a program that speaks with a KMS may need, and no secret of ours. */
function environmentOfKms(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PREAVIS_')));
}

function localKey(text: string, key: string): WrappingKey {
  const bytes = encryptionKeyOf(text);
  if (bytes === undefined) throw new PreavisError('config_invalid', `${key}: holds no key`);

  return makeLocalKey(bytes);
}

/** Whatever the mode, what was encrypted before stays readable for as long as its key is configured. */
function keyringOf({ archive }: Config): Keyring {
  const { mode, key, oldKeys = [], kmsCommand: command, keyId, oldKeyIds, kmsSeconds } = archive.encryption;
  const kmsKey = (id: string): WrappingKey =>
    makeKmsKey({
      command: command ?? [],
      keyId: id,
      timeLimitMs: kmsSeconds * 1_000,
      environment: environmentOfKms(process.env),
    });
  const own = key === undefined ? undefined : localKey(key, 'archive.encryption.key');
  const configured = own ?? (keyId === undefined ? undefined : kmsKey(keyId));
  const earlier = [...oldKeys.map((text) => localKey(text, 'archive.encryption.oldKeys')), ...oldKeyIds.map(kmsKey)];

  return makeKeyring(
    mode === 'client' ? configured : undefined,
    configured === undefined ? earlier : [...earlier, configured],
  );
}

/** The catalogue is undefined before there is one: then nothing is known to be in the archive. */
export function makeStore(config: Config, catalogue: Pick<Catalogue, 'knownObject'> | undefined): EncryptedStore {
  return makeEncryptedStore(makeRawStore(config, catalogue), keyringOf(config));
}

function makeRawStore(config: Config, catalogue: Pick<Catalogue, 'knownObject'> | undefined): RawStore {
  const { store, directory, minio, encryption } = config.archive;
  switch (store) {
    case 'directory': {
      const made: RawStore = makeDirectoryStore({
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
        serverSideEncryption: encryption.mode === 'server',
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

export function makeProtectionWatch(config: Config, store: ObjectStore, log: Logger): ProtectionWatch {
  return new ProtectionWatch({ store, bucket: config.archive.minio.bucket, purposes: config.purposes, log });
}

/** Which Object Lock each purpose asks for now: a recording that waits gets that of the time when it is stored. */
export function purposeLocksOf({ purposes }: Config): ReadonlyMap<string, PurposeLock> {
  return new Map(Object.entries(purposes).map(([id, { lock }]) => [id, lock]));
}

export function uploadPorts({ config, catalogue, store, clock, log, actor }: Shared): UploadPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    locks: purposeLocksOf(config),
    receiptOf: async (id) => receiptText(await receiptOfRecording(catalogue, id, store.encryption)),
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

/** By the purposes of today: a name that is not one of them allows none. */
export function makeHoldsAllowed({ purposes }: Config): (purpose: string) => boolean {
  return (purpose) => purposeOf(purposes, purpose)?.holdsAllowed === true;
}

/** Opened once, and again only where that failed. */
export function makeSigner(config: Config, catalogue?: Pick<Catalogue, 'countCertificates'>): () => Promise<Signer> {
  const file = signingKeyFile(config);
  // One that has signed before and is gone is not replaced in silence.
  const mayMake = async (): Promise<boolean> =>
    config.evidence.trustedKeys.length > 0 || ((await catalogue?.countCertificates()) ?? 0) === 0;
  let opened: Promise<Signer> | undefined;

  return () => {
    opened ??= openSigner(file, mayMake).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });

    return opened;
  };
}

/** The key that is used now, and those that evidence.trustedKeys names. */
export function makeTrust(config: Config): (kid: string) => Promise<boolean> {
  const file = signingKeyFile(config);

  const signer = makeSigner(config);

  // Only looking makes no key.
  return async (kid) => config.evidence.trustedKeys.includes(kid) || (existsSync(file) && (await signer()).kid === kid);
}

function signingKeyFile(config: Config): string {
  return config.evidence.signingKeyFile ?? besideCatalogue(config, 'signing-key.pem');
}

export function ledgerOf(config: Config): Ledger {
  return makeLedger(config.evidence.ledgerFile ?? besideCatalogue(config, 'erasures.jsonl'));
}

function besideCatalogue(config: Config, name: string): string {
  return join(dirname(config.catalogue.file), name);
}

export function rewrapPorts({
  config,
  catalogue,
  store,
  log,
  actor,
}: Omit<Shared, 'store'> & { store: EncryptedStore }): RewrapPorts {
  const { uploadsAtOnce: atOnce, attemptSeconds } = config.archive;

  return { catalogue, store, log, actor, atOnce, attemptMs: attemptSeconds * 1_000 };
}

export function retentionPorts({ config, catalogue, store, clock, log, actor }: Shared): RetentionPorts {
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    ledger: ledgerOf(config),
    signer: makeSigner(config, catalogue),
    trusts: makeTrust(config),
    clock,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    certificatesKeptMs: config.evidence.certificateDays * dayMs,
    callersKeptMs: config.privacy.callerDays * dayMs,
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
  return {
    catalogue,
    store,
    spoolFolder: config.recording.spoolFolder,
    clock,
    actor,
    holdsAllowed: makeHoldsAllowed(config),
  };
}

/** Throws config_invalid for one without its secret. */
export function webhookEndpoints({ webhooks }: Config): Endpoint[] {
  return Object.entries(webhooks).map(([name, { url, secret, events }]) => {
    const key = secret === undefined ? undefined : webhookKey(secret);
    if (key === undefined) throw new PreavisError('config_invalid', `webhooks.${name}.secret: is missing`);

    return { name, url, key, events };
  });
}

/** What the catalogue must know of the webhooks where statuses of recordings move. */
export function webhookSubscribers({ webhooks }: Config): Subscriber[] {
  return Object.entries(webhooks).map(([name, { events }]) => ({ name, events }));
}

/** What there is for each webhook that is configured, also where that is nothing, and for those that were. */
export async function webhookFigures(
  { webhooks }: Config,
  catalogue: Pick<Catalogue, 'deliveryFigures'>,
): Promise<DeliveryFigures[]> {
  const found = await catalogue.deliveryFigures();
  const idle = Object.keys(webhooks).filter((name) => !found.some(({ endpoint }) => endpoint === name));

  return [...found, ...idle.map((endpoint) => ({ endpoint, waiting: 0, failed: 0, oldestWaitingAt: null }))];
}

/** @param timestampUrl where to have bundles stamped; undefined: nowhere */
export async function bundlePorts(
  shared: Omit<Shared, 'log'>,
  { version, timestampUrl }: { version: string; timestampUrl: string | undefined },
): Promise<BundlePorts> {
  const { config, catalogue } = shared;

  return {
    ...fetchPorts(shared),
    catalogue,
    soundsFolder: soundsFolder(config),
    signer: await makeSigner(config, catalogue)(),
    madeBy: `preavis ${version}`,
    company: config.controller.name,
    nameOf: (purpose, language) => nameOfPurpose(config.purposes, purpose, language),
    stamp:
      timestampUrl === undefined
        ? undefined
        : (sha256, signal) => fetchTimeStamp(timestampUrl, sha256, randomBytes(8).readBigUInt64BE() >> 1n, signal),
    random: Math.random,
  };
}

export function lifecycleOptions(
  { purposes, archive }: Config,
  store: ObjectStore,
  catalogue: LifecycleOptions['catalogue'],
  signal: AbortSignal,
): LifecycleOptions {
  const { prefix, lifecycleMarginDays: marginDays } = archive.minio;
  const longestKeepDays = Math.max(...Object.values(purposes).map(({ keepDays }) => keepDays));

  return { store, catalogue, longestKeepDays, marginDays, prefix, signal };
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
    lockInArchive: (row, signal) => lockInArchive(row, ports.store, signal),
    checkLedger: () => ports.ledger.check(),
    copyCertificates: () => copyCertificates({ ...ports, now: () => clock.now() }),
    clock,
    operator: actor,
  };
}
