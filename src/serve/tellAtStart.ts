import { whatLiesElsewhere } from '../archive/archives.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { requireOneTime } from '../catalogue/clockApart.ts';
import { tellWrongNumberKeys } from '../catalogue/numberKeys.ts';
import type { Config } from '../config/schema.ts';
import { asPreavisError, errorCodes } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { leftBehind } from '../services/leftBehind.ts';
import { serveNameOf } from '../services/serveName.ts';
import type { ArchiveServices } from '../services/store.ts';

/** What an operator is to know of the catalogue, and is no reason not to start. Throws what the catalogue throws. */
export async function tellAtStart(config: Config, catalogue: Catalogue, log: Logger): Promise<void> {
  await tellWrongNumberKeys(config, catalogue, log);
  await tellClocksApart(catalogue, log);
  if (serveNameOf(config).pbx !== undefined) await takeName(catalogue, log);
}

/** Times in receipts are Asterisk's: calls are recorded all the same, and nothing is erased. */
async function tellClocksApart(catalogue: Catalogue, log: Logger): Promise<void> {
  try {
    await requireOneTime(catalogue);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.code !== 'clock_apart') throw error;
    log.error({ code: error.code, err: error }, 'clocks of this machine and the database apart; nothing erased');
  }
}

/** Takes over what was left unfinished without a name. What was left under another name is told: nobody looks for it. */
async function takeName(catalogue: Catalogue, log: Logger): Promise<void> {
  const named = await catalogue.calls.nameUnnamed();
  if (named > 0) log.info({ calls: named }, 'unfinished calls without a PBX taken over');
  await catalogue.leases.forgetUnnamed();
  for (const { pbx: unserved, recordings } of await leftBehind(catalogue)) {
    log.warn({ unserved, recordings }, 'recordings not archived at a PBX without serve');
  }
}

/** What is stored from now on is not concerned: so it is no reason not to start. */
export async function tellElsewhere({ catalogue, log, ...archives }: ArchiveServices): Promise<void> {
  for (const { archive, isConfigured, recordings, copies } of await whatLiesElsewhere(archives, catalogue)) {
    if (isConfigured) continue;
    log.warn(
      { code: 'archive_changed', archive, recordings, copies, hint: errorCodes.archive_changed.remedy },
      'recordings stored in an archive that is not configured',
    );
  }
}
