import * as z from 'zod';
import { parse } from '../ari/answers.ts';
import type { AriRequest } from '../ari/httpClient.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { serveLease } from '../catalogue/jobs/leases.ts';
import type { Config } from '../config/schema.ts';
import { applicationOf, baseOf, type Workers } from '../config/workers.ts';
import { workerNames } from '../config/workerNames.ts';
import { PreavisError } from '../core/errors.ts';
import { thisProcess } from '../core/processes.ts';
import { makeAri } from '../services/ari.ts';
import { serveNameOf } from '../services/serveName.ts';
import { nameOf, processOf } from './serveLease.ts';

/** The global variable of Asterisk that names its PBX (`ari.pbx`), as whoever served there last has told it. */
export const pbxVariable = 'PREAVIS_PBX';

const globalAnswer = z.object({ value: z.string() });

/** undefined where Asterisk does not tell. */
async function namedPbx(request: AriRequest): Promise<string | undefined> {
  try {
    return parse(globalAnswer, await request('GET', '/asterisk/variable', { variable: pbxVariable })).value;
  } catch {
    return undefined;
  }
}

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
  { leases }: CataloguePart<{ leases: 'otherHolder' }>,
): Promise<void> {
  const { pbx, application } = serveNameOf(config);
  if (pbx === undefined) return;
  const ari = makeAri(config);
  const named = await namedPbx(ari.request).finally(ari.close);
  if (named === undefined || named === '' || named === pbx) return;
  const base = baseOf(application, workers);
  for (const each of [base, ...workerNames.map((worker) => applicationOf(base, worker))]) {
    const serve = { pbx: named, application: each };
    const holder = await leases.otherHolder(serveLease(serve), thisProcess());
    if (holder === undefined) continue;
    throw new PreavisError(
      'job_busy',
      `ari.url is the Asterisk of another PBX: ${processOf(holder)} serves ${nameOf(serve)} there`,
      {
        hint: 'Compare ari.url and ari.pbx: each PBX has an Asterisk of its own (docs/operations/workers.md).',
      },
    );
  }
}
