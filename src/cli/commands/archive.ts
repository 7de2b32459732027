import { applyLifecycle, isAsPlanned, lifecycleState, type LifecycleState } from '../../store/s3/lifecycle.ts';
import { ruleInWords, type RuleChange } from '../../store/s3/lifecycleRules.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { hasCatalogue } from '../../services/catalogue.ts';
import { lifecycleOptions, makeStore } from '../../services/store.ts';
import { printable } from '../check/archive.ts';
import { withCatalogueOf } from '../withCatalogue.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';

type LifecycleCommandOptions = { apply: boolean; json: boolean };

const limitMs = 120_000;

/**
 * Shows the lifecycle rules of the bucket beside those that should be there, or writes them. Exit 3 when they differ and were
 * not written, and for what people should look at.
 */
export async function archiveLifecycle(
  context: CommandContext,
  { apply, json }: LifecycleCommandOptions,
): Promise<ExitCode> {
  const config = await configOf(context);
  if (config.archive.store === 'directory') {
    throw new PreavisError('archive_unsupported', 'an archive in a folder has no lifecycle rules', {
      hint: 'They are for archive.store: minio. In a folder retention alone erases.',
    });
  }
  const run = async (catalogue: Catalogue | undefined): Promise<ExitCode> => {
    const signal = timeLimit(limitMs);
    const store = await makeStore(config, catalogue);
    const state = await lifecycleState(lifecycleOptions(config, store, catalogue, signal));
    const isDone = isAsPlanned(state);
    const after = apply && !isDone ? await applyLifecycle(state, store, signal) : state.changes;
    const outcome = isDone ? 'same' : apply ? 'applied' : 'differs';
    const warnings = warningsOf(state, after);
    const { bucket } = config.archive.minio;
    const result = { bucket, outcome, warnings } as const;
    answer(context, json, asJson(state, result), () => [forPeople(state, result)]);

    return outcome === 'differs' || warnings.length > 0 ? 3 : 0;
  };

  // Before there is a catalogue nothing is kept yet.
  return (await hasCatalogue(config)) ? withCatalogueOf(context, config, run) : run(undefined);
}

type Outcome = { bucket: string; outcome: 'same' | 'differs' | 'applied'; warnings: string[] };

function warningsOf({ early, held, plan }: LifecycleState, after: readonly RuleChange[]): string[] {
  return [
    ...early
      .filter(({ id }) => !plan.rules.some((own) => own.id === id))
      .map(
        (rule) =>
          `the rule "${printable(rule.id)}" of others removes recordings early (${printable(ruleInWords(rule))}); it was left as it is`,
      ),
    ...(held > 0
      ? [
          `${counted(held, 'recording has', 'recordings have')} a hold that may last longer than the rule, which knows nothing of holds`,
        ]
      : []),
    ...(after.some(({ state }) => state === 'withoutAbort')
      ? ['the store does not keep the part for unfinished uploads; it may remove them by itself']
      : []),
  ];
}

function asJson({ plan, changes, others }: LifecycleState, { bucket, outcome, warnings }: Outcome): object {
  return {
    bucket,
    state: outcome,
    keepDays: plan.keepDays,
    rules: changes.map(({ id, found, wanted, state }) => ({
      id,
      state,
      found: found === undefined ? null : ruleInWords(found),
      wanted: ruleInWords(wanted),
    })),
    others: others.length,
    warnings,
  };
}

function forPeople({ plan, changes, others }: LifecycleState, { bucket, outcome, warnings }: Outcome): string {
  const lines = changes.flatMap(({ id, found, wanted, state }) => {
    if (state === 'same' || state === 'withoutAbort') return [`  ${id}  ${ruleInWords(wanted)}`];
    const before = found === undefined ? [] : [`- ${id}  ${printable(ruleInWords(found))}`];

    return [...before, `+ ${id}  ${ruleInWords(wanted)}`];
  });
  const endings = {
    same: 'nothing to change',
    differs: 'nothing was changed: --apply writes it',
    applied: 'written, and read back',
  };

  return [
    `bucket ${bucket}; the longest recording is kept for ${counted(plan.keepDays, 'day')}`,
    ...lines,
    counted(others.length, 'rule of others, which stays as it is', 'rules of others, which stay as they are'),
    ...warnings.map((warning) => `warning: ${warning}`),
    endings[outcome],
  ].join('\n');
}
