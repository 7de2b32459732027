import type { EncryptedStore } from '../store/encryption/store.ts';
import { longestCheckMs, type FinishPorts } from '../archive/finish/finish.ts';
import { makePeakKeeper } from '../audio/peaks.ts';
import { makePlayedPrompts } from '../receipt/playedPrompts.ts';
import type { RewrapPorts } from '../archive/rewrap.ts';
import { checkRecording } from '../audio/selfCheck.ts';
import { nobodyTells, type PresencePorts } from '../archive/finish/unwatchedSound.ts';
import type { UploadPorts } from '../archive/uploadPass.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { PurposeLock } from '../config/objectLockModes.ts';
import type { Config } from '../config/schema.ts';
import { readPresence } from '../archive/finish/presence.ts';
import { receiptOfRecording, receiptText } from '../receipt/receipt.ts';
import { makeWitnessPass, type WitnessPorts } from '../receipt/witnessPass.ts';
import { isRemovalProved } from '../retention/reconcile/removalProof.ts';
import type { ReconcilePorts } from '../retention/reconcile/reconcile.ts';
import { checkSchedule } from './schedule.ts';
import { loadLibrary, soundsFolder } from './prompts.ts';
import type { Shared } from './shared.ts';
import { makeTrust } from './signing.ts';

/** What stages and jobs need. */

/** Throws config_invalid for a cron line or time zone that cannot be used. */
export function checkJobs({ schedule }: Config): void {
  const jobs = [
    { key: 'schedule.upload', cron: schedule.upload },
    { key: 'schedule.retention', cron: schedule.retention },
    { key: 'schedule.reconcile', cron: schedule.reconcile },
  ];
  checkSchedule(jobs, schedule.timezone);
}

/** Which Object Lock each purpose asks for now: a recording that waits gets that of the time when it is stored. */
export function purposeLocksOf({ purposes }: Config): ReadonlyMap<string, PurposeLock> {
  return new Map(Object.entries(purposes).map(([id, { lock }]) => [id, lock]));
}

/** Whether a certificate of a trusted key says that a recording was erased. */
export function removalProof(config: Config, catalogue: Catalogue): UploadPorts['isRemovalProved'] {
  const trusts = makeTrust(config);

  return (row) => isRemovalProved(row, catalogue, trusts);
}

export function uploadPorts({ config, catalogue, store, former, clock, log, actor }: Shared): UploadPorts {
  return {
    catalogue,
    store,
    former,
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
    isRemovalProved: removalProof(config, catalogue),
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
    promptsHeard: makePlayedPrompts(soundsFolder(config), await loadLibrary(config), catalogue),
    check: checkRecording,
    peaks: makePeakKeeper(config.privacy.numberKey),
    presence: presenceOf(config),
    found: () => undefined,
    checkMs: longestCheckMs,
    signal,
  };
}

/** By CEL, where it is configured. */
export function presenceOf({ witness: { celFile, waitSeconds } }: Config): PresencePorts {
  if (celFile === undefined) return nobodyTells;

  return { of: (intervals, window) => readPresence(celFile, intervals, window), waitMs: waitSeconds * 1_000 };
}

/** One pass over the calls that were not yet compared with the second witness. */
export function makeWitness(
  { config, catalogue, clock, log, actor }: Omit<Shared, 'store'>,
  compared: WitnessPorts['compared'],
): () => Promise<void> {
  const { celFile, waitSeconds } = config.witness;

  return makeWitnessPass({ catalogue, celFile, waitMs: waitSeconds * 1_000, clock, log, actor, compared });
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

/** Without `repairs` nothing can be changed. */
export function reconcilePorts(
  { config, catalogue, store, former, clock, log, actor }: Shared,
  repairs: FinishPorts | undefined,
): ReconcilePorts {
  return {
    catalogue,
    store,
    former,
    spoolFolder: config.recording.spoolFolder,
    clock,
    log,
    actor,
    atOnce: config.archive.uploadsAtOnce,
    attemptMs: config.archive.attemptSeconds * 1_000,
    trusts: makeTrust(config),
    repairs,
  };
}
