import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncryptedStore } from '../archive/encryptedStore.ts';
import { encryptionInWords } from '../archive/store.ts';
import { checkSpool, proveSpool } from '../call/readiness.ts';
import { openCatalogue, type Catalogue } from '../catalogue/catalogue.ts';
import { numberKeyWarning } from '../catalogue/numberKeys.ts';
import { openSqlite } from '../catalogue/sqlite.ts';
import type { CallWitness } from '../catalogue/rows.ts';
import { makePolicy } from '../config/policy.ts';
import { halfRecorded, halfRecordedInWords } from '../config/promptRecording.ts';
import type { PromptLibrary } from '../config/prompts.ts';
import { purposeWarnings } from '../config/purposeWarnings.ts';
import type { Config } from '../config/schema.ts';
import { asPreavisError, errnoOf, PreavisError } from '../core/errors.ts';
import { makeIds } from '../core/ids.ts';
import { checkWitness } from '../evidence/witnessCheck.ts';
import { checkJobs, loadLibrary, makeAri, makeStore, refuseMissingPrompts, soundsFolder } from '../parts.ts';
import { archiveFindings } from './archiveFindings.ts';
import { configOf, type CommandContext } from './context.ts';
import type { Finding } from './finding.ts';
import { ledgerFindings } from './ledgerFindings.ts';

/** What `check` looks at, in order; a check that needs a failed one is left out. */
async function findings(config: Config, context: CommandContext): Promise<Finding[]> {
  const list: Finding[] = [];
  /** What a step gives as text is a warning; `about` says what is being looked at. */
  const look = async (name: string, step: () => unknown, about?: string): Promise<boolean> => {
    const check = { check: name, ...(about === undefined ? {} : { about }) };
    try {
      const warning = await step();
      list.push({ ...check, ok: true, ...(typeof warning === 'string' ? { warning } : {}) });

      return true;
    } catch (thrown) {
      const error = asPreavisError(thrown);
      list.push({ ...check, ok: false, code: error.code, problem: error.message, hint: error.hint });

      return false;
    }
  };

  await look('schedule', () => {
    checkJobs(config);
  });
  const library = await loadLibrary(config).catch((error: unknown) => asPreavisError(error));
  const policyFound = await look('prompts and purposes', async () => {
    if (library instanceof PreavisError) throw library;
    const { languages } = makePolicy(config, library);
    const offered = library.prompts.filter(({ language }) => languages.includes(language));
    const halves = await halfRecorded(soundsFolder(config), offered);

    return halves.length === 0 ? undefined : halves.map(halfRecordedInWords).join('; ');
  });
  const unchecked = Object.entries(config.purposes).filter(([, purpose]) => !purpose.checkedByCounsel);
  list.push({
    check: 'purposes checked by counsel',
    ok: true,
    ...(unchecked.length === 0
      ? {}
      : {
          warning: `not yet: ${unchecked.map(([id]) => id).join(', ')}. Have them checked, then set checkedByCounsel: true`,
        }),
  });
  if (!(library instanceof PreavisError)) list.push(...storageFindings(config, library));
  const { pin } = config.promptRecording;
  if (pin !== undefined && !(library instanceof PreavisError)) {
    const { languages } = library;
    await look('recording of prompts by telephone', async () => {
      for (const language of languages) await requireWritable(join(soundsFolder(config), language));
    });
  }
  await look('spool', () => checkSpool(config.recording.spoolFolder, config.recording.minimumFreeMib));
  let catalogue: Catalogue | undefined;
  const catalogueWorks = await look('catalogue', async () => {
    // One that is not there yet is made by serve, for the user that it runs as.
    const { file } = config.catalogue;
    if (existsSync(file)) {
      catalogue = openCatalogue(file, context.clock);
      // Reading works where a disk is full.
      await catalogue.notePass('check', context.clock.now());
      await newestWitness(catalogue);
    } else openSqlite(':memory:').close();
  });
  if (catalogueWorks) {
    await look('requests of persons by their number', () => numberKeyWarning(config, catalogue));
    // Only the catalogue knows whether there must be something in the archive.
    const store = makeStore(config, catalogue);
    const isArchive = await look('archive', () => store.check());
    // Whether the store encrypts was seen, or not, with what it was just asked to store.
    if (isArchive || store.encryption?.mode !== 'server') {
      await look(
        'encryption of the archive',
        () => store.tryKey(AbortSignal.timeout(keyLimitMs)),
        encryptionInWords(store.encryption),
      );
    }
    if (isArchive && catalogue !== undefined) await lookAtKeys(catalogue, store, look);
    // Of an account that lacks a right the trial says which; a wrong key was told.
    const isDenied = list.some(
      (finding) => !finding.ok && finding.check === 'archive' && finding.code === 'archive_denied',
    );
    if (isArchive || isDenied) {
      const seen = await archiveFindings(config, store, catalogue);
      list.push(...seen.filter((finding) => isArchive || finding.ok || finding.code !== 'archive_denied'));
    }
  }
  list.push(...(await ledgerFindings(config, catalogueWorks ? catalogue : undefined, context.clock)));
  const newest = catalogue === undefined || !catalogueWorks ? undefined : await newestWitness(catalogue);
  catalogue?.close();

  let ari: ReturnType<typeof makeAri> | undefined;
  const reachable = await look('asterisk', async () => {
    ari = makeAri(config);
    await ari.commands.identity();
  });
  if (reachable && ari !== undefined) {
    const { commands } = ari;
    await look('spool of this asterisk', () => proveSpool(config.recording.spoolFolder, commands, makeIds()));
  }
  if (reachable && policyFound && ari !== undefined && !(library instanceof PreavisError)) {
    const { commands } = ari;
    await look('prompts on asterisk', () => refuseMissingPrompts(makePolicy(config, library), commands));
  }
  const { celFile } = config.witness;
  if (reachable && ari !== undefined && celFile !== undefined) {
    const { commands } = ari;
    await look('second witness', () => checkWitness({ ari: commands, celFile, newest }));
  }
  ari?.close();

  return list;
}

type Look = (name: string, step: () => unknown, about?: string) => Promise<boolean>;

/** The key of the archive may work, and yet not be the one that what lies there needs: one recording of each is opened. */
async function lookAtKeys(catalogue: Catalogue, store: EncryptedStore, look: Look): Promise<void> {
  for (const { keyId, recordings, objectKey } of await catalogue.archiveKeys(store.location)) {
    const about = `${keyId}, for ${recordings} recordings`;
    const open = async (): Promise<void> => {
      const audio = await store.read(objectKey, null, AbortSignal.timeout(keyLimitMs));
      audio.destroy();
    };
    await look('encryption key of recordings in the archive', open, about);
  }
}

/** For trying the key of the archive, ms. */
const keyLimitMs = 60_000;

/** How many calls are looked at for one that the witness was asked about. */
const newestCalls = 20;

async function newestWitness(catalogue: Catalogue): Promise<CallWitness | undefined> {
  const said = (await catalogue.calls(newestCalls)).map(({ witness }) => witness);

  return said.find((status) => status !== null && status !== 'unavailable') ?? undefined;
}

/** Nothing of these is refused: the sentences are the company's, and counsel may know more than the table of laws. */
function storageFindings(config: Config, { prompts }: PromptLibrary): Finding[] {
  const { duration, lastDay } = purposeWarnings(config.purposes, prompts);
  const finding = (check: string, warnings: readonly string[]): Finding => ({
    check,
    ok: true,
    ...(warnings.length === 0 ? {} : { warning: warnings.join('; ') }),
  });

  return [finding('callers told how long', duration), finding('erased within the legal maximum', lastDay)];
}

async function requireWritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new PreavisError('prompts_unwritable', `${folder}: ${errnoOf(cause) ?? 'error'}`, { cause });
  }
}

/**
 * Looks at everything `serve` needs and says what is wrong and how to mend it. Exit 1 when anything is; 3 when there are
 * only warnings.
 */
export async function check(context: CommandContext, { json }: { json: boolean }): Promise<0 | 1 | 3> {
  const list = await findings(await configOf(context), context);
  const ok = list.every((finding) => finding.ok);
  if (json) context.print(JSON.stringify({ ok, checks: list }, undefined, 2));
  else {
    for (const finding of list) {
      const what = finding.about === undefined ? finding.check : `${finding.check} (${finding.about})`;
      if (!finding.ok) {
        context.print(`WRONG  ${what}: ${finding.problem} [${finding.code}]\n       ${finding.hint}`);
      } else {
        const { warning, facts = {}, notes = [] } = finding;
        context.print(warning === undefined ? `ok     ${what}` : `WARN   ${what}: ${warning}`);
        const said = Object.entries(facts).map(([fact, value]) => `${fact}: ${value}`);
        if (said.length > 0) context.print(`       ${said.join(', ')}`);
        for (const note of notes) context.print(`       ${note}`);
      }
    }
  }

  if (!ok) return 1;

  return list.some((finding) => 'warning' in finding) ? 3 : 0;
}
