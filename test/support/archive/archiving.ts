import { mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { finishRecordings, type FinishPorts } from '../../../src/archive/finish/finish.ts';
import { makePeakKeeper } from '../../../src/audio/peaks.ts';
import { checkRecording } from '../../../src/audio/selfCheck.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import type { Lock } from '../../../src/store/objectLock.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { nobodyTells } from '../../../src/archive/finish/unwatchedSound.ts';
import type { UploadPorts } from '../../../src/archive/uploadPass.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { openSigner } from '../../../src/core/crypto/signing.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { receiptOfRecording, receiptText } from '../../../src/receipt/receipt.ts';
import { makeWitnessPass } from '../../../src/receipt/witnessPass.ts';
import type { Decisions } from '../../../src/retention/decisions.ts';
import { isRemovalProved } from '../../../src/retention/reconcile/removalProof.ts';
import type { RetentionPorts } from '../../../src/retention/pass.ts';
import { makeLedger } from '../../../src/retention/certificates/ledger.ts';
import { callStart } from '../call/calls.ts';
import { clockAt, recorderEnd, saveCall, type SavedCall, type TestClock } from '../catalogue/catalogues.ts';
import { decisionsIn } from '../call/decisions.ts';
import { collectingLog } from '../logLines.ts';
import { toneWav } from '../policy/promptFolder.ts';

/** A spool, an archive folder and a catalogue of their own, and what the jobs need to work on them. */
export type ArchiveStage = Omit<UploadPorts, 'catalogue' | 'clock'> &
  Omit<RetentionPorts, 'catalogue' | 'clock'> &
  Pick<FinishPorts, 'promptsHeard' | 'check' | 'peaks' | 'presence' | 'found' | 'checkMs' | 'signal'> & {
    catalogue: Catalogue;
    clock: TestClock;
    decisions: Decisions;
    store: ObjectStore;
    lines: ReturnType<typeof collectingLog>['lines'];
    /** A call whose WAV lies in the spool; status `recording`. */
    recorded(
      wav?: Buffer,
      options?: Parameters<typeof saveCall>[1],
    ): Promise<SavedCall & { wav: Buffer; file: string }>;
    /** The same, finished: status `recorded`, with no second witness. */
    finished(
      wav?: Buffer,
      options?: Parameters<typeof saveCall>[1],
    ): Promise<SavedCall & { wav: Buffer; file: string }>;
    /** All in the archive but certificates of erasure, and what says whose it is. */
    objects(): Promise<Map<string, Buffer>>;
    spooled(): Promise<string[]>;
  };

/** The self-check of a caller whose notice is not looked for. */
export function listeningPorts(): Pick<
  FinishPorts,
  'promptsHeard' | 'check' | 'peaks' | 'presence' | 'found' | 'checkMs' | 'signal'
> {
  return {
    promptsHeard: () => Promise.resolve({ prompts: [], missing: 0 }),
    check: checkRecording,
    peaks: makePeakKeeper(undefined),
    presence: nobodyTells,
    found: () => undefined,
    checkMs: 60_000,
    signal: new AbortController().signal,
  };
}

let tones = 0;

export async function archiveStage(
  folder: string,
  open: (file: string, clock: TestClock) => Catalogue | Promise<Catalogue>,
): Promise<ArchiveStage> {
  const spoolFolder = `${folder}/spool`;
  const archiveFolder = `${folder}/archive`;
  await mkdir(spoolFolder, { recursive: true });
  const clock = clockAt(callStart + 200_000);
  const catalogue = await open(`${folder}/catalogue.db`, clock);
  const store = makeDirectoryStore({ folder: archiveFolder });
  await store.check();
  const { log, lines } = collectingLog('info');
  const listening = listeningPorts();
  const trusts = async (kid: string) => kid === (await openSigner(`${folder}/signing-key.pem`)).kid;
  const recorded: ArchiveStage['recorded'] = async (wav = toneWav(200 + (tones += 1)), options = {}) => {
    const call = await saveCall(catalogue, options);
    const file = spoolFile(spoolFolder, call.id);
    await writeFile(file, wav);
    await utimes(file, recorderEnd / 1_000, recorderEnd / 1_000);

    return { ...call, wav, file };
  };

  return {
    catalogue,
    decisions: decisionsIn(folder, catalogue, clock),
    store,
    spoolFolder,
    clock,
    log,
    lines,
    actor: 'test',
    random: () => 0,
    ...listening,
    atOnce: 1,
    attemptMs: 30_000,
    alreadyLogged: new Set(),
    ledger: makeLedger(`${folder}/erasures.jsonl`),
    signer: () => openSigner(`${folder}/signing-key.pem`),
    trusts,
    certificatesKeptMs: 3_653 * 86_400_000,
    locks: new Map(),
    callersKeptMs: 90 * 86_400_000,
    dialledKeptMs: 90 * 86_400_000,
    tracesKeptMs: 395 * 86_400_000,
    headLock: undefined,
    isRemovalProved: (row) => isRemovalProved(row, catalogue, trusts),
    receiptOf: async (id: RecordingId) => receiptText(await receiptOfRecording(catalogue, id)),
    recorded,
    finished: async (wav, options) => {
      const call = await recorded(wav, options);
      await finishRecordings({ catalogue, spoolFolder, clock, log, actor: 'test', ...listening });
      await makeWitnessPass({
        catalogue,
        celFile: undefined,
        waitMs: 0,
        clock,
        log,
        actor: 'test',
        compared: () => undefined,
      })();

      return call;
    },
    objects: async () => {
      const found = new Map<string, Buffer>();
      for await (const { key } of store.list('')) {
        if (key.startsWith('certificates/') || key.startsWith('catalogues/')) continue;
        found.set(key, await readFile(`${archiveFolder}/${key}`));
      }

      return found;
    },
    spooled: () => readdir(spoolFolder),
  };
}

/** A folder that takes locks, though nothing enforces them: the clock of a live server cannot be set to the end of one. */
export function withLocks(store: ObjectStore): ObjectStore {
  const locks = new Map<string, Lock>();

  return {
    ...store,
    capabilities: async (signal) => ({ ...(await store.capabilities(signal)), objectLock: 'on' }),
    protect: (key, _version, lock) => {
      locks.set(key, lock);
      return Promise.resolve();
    },
    protection: (key) => Promise.resolve({ lock: locks.get(key), longest: locks.get(key), legalHold: 'off' }),
  };
}

class Killed extends Error {}

/**
 * Ports of a process that is killed at its n-th step: before that request is made, or after it was made and before its
 * answer comes. From then on nothing of the process works, as it does not when it is dead.
 */
export function killedAt<T extends { catalogue: object; store: object }>(
  ports: T,
  step: number,
  when: 'before' | 'after',
): { ports: T; steps: string[]; wasKilled: () => boolean } {
  const steps: string[] = [];
  let dead = false;
  const mortal = <P extends object>(port: P): P =>
    new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        // A repository of the catalogue.
        if (Object.is(target, ports.catalogue) && typeof member === 'object' && member !== null) return mortal(member);
        // What it says of itself is asked of nobody, and no step.
        if (typeof member !== 'function' || name === 'encryptionFor') return member;

        return async (...args: unknown[]): Promise<unknown> => {
          if (dead) throw new Killed();
          steps.push(String(name));
          const isLast = steps.length === step;
          if (isLast && when === 'before') {
            dead = true;
            throw new Killed();
          }
          const result: unknown = await (member as (...given: unknown[]) => unknown).apply(target, args);
          if (isLast) {
            dead = true;
            throw new Killed();
          }

          return result;
        };
      },
    });

  return {
    ports: { ...ports, catalogue: mortal(ports.catalogue), store: mortal(ports.store) },
    steps,
    wasKilled: () => dead,
  };
}
