import { dirname, join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { PreavisError } from '../../core/errors.ts';
import { counted } from '../../core/text/counted.ts';
import { oneLine } from '../../core/text/oneLine.ts';
import type { Dialplan } from '../../dialplan/dialplan.ts';
import type { Fault } from '../../dialplan/faults.ts';
import { lintDialplan, type LintResult } from '../../dialplan/lint.ts';
import { askDialplan, askFeatures, askRefusal } from '../../dialplan/source/asterisk.ts';
import { readExtensions } from '../../dialplan/source/extensionsConf.ts';
import { readFeatures, standardFeatures, type Features } from '../../dialplan/source/features.ts';
import { configFiles } from '../../dialplan/source/files.ts';
import { livesDangerously } from '../../dialplan/source/refusal.ts';
import { makePolicy, type Policy } from '../../policy/policy.ts';
import { loadLibrary } from '../../services/prompts.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';

export type LintOptions = { live: boolean; etc?: string; features?: string; json: boolean };

type Source = { dialplan: Dialplan; features: Features; refusesFunctions: boolean };

async function featuresBeside(first: string, { features, etc }: LintOptions): Promise<Features> {
  const path = features ?? join(etc ?? dirname(first), 'features.conf');
  const files = configFiles(path, etc);
  // What nobody named may be missing: Asterisk has codes of its own.
  if (features === undefined && (await files.read(path)) === undefined) return standardFeatures;

  return readFeatures(path, files);
}

async function fromFiles(names: readonly string[], options: LintOptions): Promise<Source> {
  const [first = ''] = names;
  const files = configFiles(first, options.etc);
  const asteriskConf = join(options.etc ?? dirname(first), 'asterisk.conf');

  return {
    dialplan: await readExtensions(names, files),
    features: await featuresBeside(first, options),
    refusesFunctions: !(await livesDangerously(asteriskConf, files)),
  };
}

/** The dialplan that runs on this machine. Throws dialplan_not_shown. */
export async function liveLint(
  { ari: { application } }: Config,
  policy: Policy,
  environment: NodeJS.ProcessEnv,
  features?: Features,
): Promise<LintResult> {
  return lintDialplan({
    dialplan: await askDialplan(environment),
    features: features ?? (await askFeatures(environment)),
    refusesFunctions: await askRefusal(environment),
    policy,
    application,
  });
}

/** More than anybody reads; `--json` has all. */
const mostShown = 500;

const amounts = (faults: readonly Fault[]): { errors: number; warnings: number } => {
  const errors = faults.filter(({ severity }) => severity === 'error').length;

  return { errors, warnings: faults.length - errors };
};

/** `2 errors and 1 warning` */
export function amountsInWords(faults: readonly Fault[]): string {
  const { errors, warnings } = amounts(faults);

  return `${counted(errors, 'error')} and ${counted(warnings, 'warning')}`;
}

function inWords({ file, line, severity, code, problem, remedy }: Fault): string {
  const place = line === null ? file : `${file}:${line}`;

  return `${oneLine(place)}: ${severity}: ${oneLine(problem)} [${code}]\n  ${oneLine(remedy)}`;
}

function words({ faults, files, lines, unknownJumps }: LintResult, live: boolean): string[] {
  const looked = `${counted(lines, live ? 'step' : 'line')} of ${counted(files, 'file')}`;
  const jumps =
    unknownJumps === 0
      ? []
      : [`${counted(unknownJumps, 'jump')} to where a variable says: not followed, and nothing is said of it`];

  const more = faults.length - mostShown;

  return [
    ...faults.slice(0, mostShown).map(inWords),
    ...(more > 0 ? [`and ${more} more: --json lists all`] : []),
    ...jumps,
    faults.length === 0 ? `${looked}: nothing found` : `${looked}: ${amountsInWords(faults)}`,
  ];
}

/** Looks in a dialplan for callers who are recorded untold, and for what Préavis would refuse. Exit 3 when anything is found. */
export async function dialplanLint(
  context: CommandContext,
  names: readonly string[],
  options: LintOptions,
): Promise<ExitCode> {
  const { live, json } = options;
  if (live === names.length > 0) throw new PreavisError('usage', 'give files, or --live');
  const config = await configOf(context);
  const policy = makePolicy(config, await loadLibrary(config));
  const { features } = options;
  const given =
    live && features !== undefined ? await readFeatures(features, configFiles(features, options.etc)) : undefined;
  const { application } = config.ari;
  const result = live
    ? await liveLint(config, policy, context.environment, given)
    : lintDialplan({ ...(await fromFiles(names, options)), policy, application });
  const { faults, ...looked } = result;
  const document = { source: live ? 'live' : 'files', ...looked, ...amounts(faults), faults };
  answer(context, json, document, () => words(result, live));

  return faults.length === 0 ? 0 : 3;
}
