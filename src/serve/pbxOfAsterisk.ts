import { globalVariable } from '../ari/deadmanRequests.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { applicationOf, baseOf, type Workers } from '../config/workers.ts';
import { workerNames } from '../config/workerNames.ts';
import { PreavisError } from '../core/errors.ts';
import { makeAri } from '../services/ari.ts';
import { serveNameOf } from '../services/serveName.ts';
import { findHolder, nameOf, processOf } from './serveLease.ts';

/** The global variable of Asterisk that names its PBX (`ari.pbx`), as whoever served there last has told it. */
export const pbxVariable = 'PREAVIS_PBX';

/**
 * One Asterisk is that of one PBX. A serve of another one would take its calls, or find none of its own there, and end their rows.
 * Two that start at the same time are not told apart: Asterisk has the name once one of them serves.
 *
 * @param config as this process has it: `ari.application` is its own
 * @throws PreavisError job_busy where a serve of another PBX of this catalogue serves that Asterisk, and what the catalogue throws
 */
export async function refuseOtherPbx(
  config: Config,
  workers: Workers | undefined,
  catalogue: CataloguePart<{ leases: 'otherHolder' }>,
): Promise<void> {
  const { pbx, application } = serveNameOf(config);
  if (pbx === undefined) return;
  const ari = makeAri(config);
  // Where Asterisk does not tell, nothing is refused.
  const named = await globalVariable(pbxVariable, ari.request)
    .catch(() => '')
    .finally(ari.close);
  if (named === '' || named === pbx) return;
  const base = baseOf(application, workers);
  const applications = [base, ...workerNames.map((worker) => applicationOf(base, worker))];
  const found = await findHolder(
    applications.map((each) => ({ pbx: named, application: each })),
    catalogue,
  );
  if (found === undefined) return;
  const { holder, serve } = found;
  throw new PreavisError(
    'job_busy',
    `ari.url is the Asterisk of another PBX: ${processOf(holder)} serves ${nameOf(serve)} there`,
    {
      hint: 'Compare ari.url and ari.pbx: each PBX has an Asterisk of its own (docs/operations/workers.md).',
    },
  );
}
