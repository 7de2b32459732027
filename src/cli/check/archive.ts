import { whatLiesElsewhere } from '../../archive/archives.ts';
import { capabilityFacts } from '../../store/capabilities.ts';
import { lifecycleState, type LifecycleState } from '../../store/s3/lifecycle.ts';
import { ruleInWords } from '../../store/s3/lifecycleRules.ts';
import { protectionNotes, protectionProblems } from '../../archive/protection.ts';
import { seeArchive } from '../../archive/protectionMonitor.ts';
import type { EncryptedStore } from '../../store/encryption/store.ts';
import { encryptionInWords, type ObjectStore } from '../../store/store.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { Config } from '../../config/schema.ts';
import { counted } from '../../core/text/counted.ts';
import { asPreavisError } from '../../core/errors.ts';
import { escapedWhere } from '../../core/text/oneLine.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { lifecycleOptions, makeStore, type ArchiveServices } from '../../services/store.ts';
import { elsewhereFindings } from './elsewhere.ts';
import { failed, leaveOut, type CheckResult, type Look } from './checklist.ts';

const limitMs = 120_000;

/** For trying the key of the archive, ms. */
const keyLimitMs = 60_000;

/** @param services undefined before there is a catalogue: then nothing is known to be in the archive */
export async function lookAtArchive(
  config: Config,
  services: ArchiveServices | undefined,
  list: CheckResult[],
  look: Look,
): Promise<void> {
  const { store, catalogue } = services ?? { store: await makeStore(config, undefined), catalogue: undefined };
  if (services !== undefined) list.push(...elsewhereFindings(await whatLiesElsewhere(services, services.catalogue)));
  const trial = store.check().then(
    () => undefined,
    (thrown: unknown) => asPreavisError(thrown),
  );
  const works = await look('archive', async () => {
    const fault = await trial;
    if (fault !== undefined) throw fault;
  });
  // Of an account that lacks a right the trial says which; a wrong key was told.
  const isDenied = (await trial)?.code === 'archive_denied';
  if (!works) leaveOut(list, uncheckedWithout(store, catalogue, isDenied));
  // Whether the store encrypts was seen, or not, with what it was just asked to store.
  if (works || store.encryption?.mode !== 'server') {
    const tried = (): Promise<void> => store.tryKey(timeLimit(keyLimitMs));
    await look('encryption of the archive', tried, encryptionInWords(store.encryption));
  }
  if (works && catalogue !== undefined) await lookAtKeys(catalogue, store, look);
  if (!works && !isDenied) return;
  const seen = await archiveFindings(config, store, catalogue);
  list.push(...seen.filter((finding) => works || finding.ok || finding.code !== 'archive_denied'));
}

/** What an archive that cannot be used leaves unknown. */
function uncheckedWithout(store: EncryptedStore, catalogue: Catalogue | undefined, isDenied: boolean): string[] {
  return [
    ...(store.encryption?.mode === 'server' ? ['encryption of the archive'] : []),
    ...(catalogue === undefined ? [] : ['encryption keys of recordings in the archive']),
    ...(isDenied
      ? []
      : ['what the archive can do', 'protection by the archive', ...(store.kind === 'minio' ? [check] : [])]),
  ];
}

/** The key of the archive may work, and yet not be the one that what lies there needs: one recording of each is opened. */
async function lookAtKeys(catalogue: Catalogue, store: EncryptedStore, look: Look): Promise<void> {
  for (const { keyId, recordings, objectKey, newest } of await catalogue.archiveCopies.archiveKeys(store.location)) {
    const open = async (): Promise<void> => {
      try {
        (await store.read(objectKey, null, timeLimit(keyLimitMs))).destroy();
      } catch (thrown) {
        // It may have been erased just now.
        if ((await catalogue.recordings.find(newest))?.status === 'archived') throw thrown;
      }
    };
    await look(
      'encryption key of recordings in the archive',
      open,
      `${keyId}, for ${counted(recordings, 'recording')}`,
    );
  }
}

/** What the archive can do, whether that is what the purposes ask for, and whether its own rules leave recordings alone. */
async function archiveFindings(
  config: Config,
  store: ObjectStore,
  catalogue: Catalogue | undefined,
): Promise<CheckResult[]> {
  const signal = timeLimit(limitMs);
  try {
    const { purposes } = config;
    const { bucket } = config.archive.minio;
    const archive = await seeArchive(store, { bucket, purposes, refused: 'is tried' }, signal);
    const facts = capabilityFacts(archive.capabilities, archive.trial);
    const seen: CheckResult = {
      check: 'what the archive can do',
      ok: true,
      facts,
      notes: protectionNotes(archive),
    };
    const problems = protectionProblems(purposes, archive).map(({ severity, code, problem, hint }): CheckResult =>
      severity === 'warning'
        ? { check: 'protection by the archive', ok: true, warning: `${problem}. ${hint}` }
        : { check: 'protection by the archive', ok: false, code, problem, hint },
    );
    if (archive.capabilities.lifecycle !== 'rules') return [seen, ...problems];

    const state = await lifecycleState(lifecycleOptions(config, store, catalogue, signal));

    return [seen, ...problems, lifecycleFinding(state)];
  } catch (thrown) {
    return [failed('what the archive can do', thrown)];
  }
}

const check = 'lifecycle rules of the archive';

/** Pure. One rule of ours that is missing is no fault: the second net is for who wants it. */
function lifecycleFinding({ changes, early, held, plan }: LifecycleState): CheckResult {
  const fault = (problem: string, hint: string): CheckResult => ({
    check,
    ok: false,
    code: 'archive_lifecycle_early',
    problem,
    hint,
  });
  const [first] = early;
  if (first !== undefined) {
    return fault(
      `the rule "${printable(first.id)}" removes recordings that are kept for up to ${counted(plan.keepDays, 'day')} (${printable(ruleInWords(first))})`,
      'If it is ours (preavis-...), run preavis archive lifecycle --apply; else have it leave recordings/ alone.',
    );
  }
  const present = changes.filter(({ found }) => found !== undefined);
  if (present.length === 0) return { check, ok: true, notes: ['none of ours: preavis archive lifecycle --apply'] };
  if (held > 0) {
    return fault(
      `${counted(held, 'recording has', 'recordings have')} a hold that may last longer than the rule of the bucket, which knows nothing of holds`,
      'Give the holds an end, raise archive.minio.lifecycleMarginDays and apply it, or take the rule away.',
    );
  }
  const different = changes.filter(({ state }) => state === 'differs' || state === 'missing');
  if (different.length > 0) {
    const ids = different.map(({ id }) => id).join(', ');

    return {
      check,
      ok: true,
      warning: `not as they should be (${ids}): preavis archive lifecycle shows it, --apply writes it`,
    };
  }

  return { check, ok: true };
}

/** What others have named may hold anything, also what a terminal would obey. */
export function printable(text: string): string {
  return escapedWhere(/[^\x20-\x7e]/gu, text);
}
