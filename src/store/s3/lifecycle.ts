import { setImmediate as breathe } from 'node:timers/promises';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import {
  compareRules,
  earlyRules,
  mergeRules,
  othersOf,
  parseRules,
  planLifecycle,
  type Lifecycle,
  type LifecyclePlan,
  type LifecycleRule,
  type RuleChange,
} from './lifecycleRules.ts';
import type { ObjectStore } from '../store.ts';

/** The lifecycle rules of the bucket against what they should be. */
export type LifecycleState = {
  plan: LifecyclePlan;
  found: Lifecycle | undefined;
  changes: RuleChange[];
  /** Rules of others; they stay. */
  others: LifecycleRule[];
  /** Rules that remove recordings before their time is over. */
  early: LifecycleRule[];
  /** How many recordings have a hold that may outlive the rule, which knows nothing of holds. */
  held: number;
};

export type LifecycleOptions = {
  store: ObjectStore;
  /** undefined before there is one: then nothing is kept yet. */
  catalogue: CataloguePart<{ figures: 'longestKeptDays' | 'heldBeyond' }> | undefined;
  /** Of the purposes as they are configured now, days. */
  longestKeepDays: number;
  marginDays: number;
  /** Before every key of the store. */
  prefix: string;
  signal: AbortSignal;
};

/** Recordings that are looked at at a time: who listens meanwhile must not wait. */
const batch = 2_000;

/** The longest that anything is kept after its end, days. */
async function longestKept({ catalogue, signal }: LifecycleOptions): Promise<number> {
  let longest = 0;
  for (let after: string | undefined = ''; catalogue !== undefined && after !== undefined;) {
    signal.throwIfAborted();
    const part: { days: number; next: string | undefined } = await catalogue.figures.longestKeptDays(after, batch);
    longest = Math.max(longest, part.days);
    after = part.next;
    await breathe();
  }

  return longest;
}

/** Throws archive_unsupported, archive_denied, and what the catalogue throws. */
export async function lifecycleState(options: LifecycleOptions): Promise<LifecycleState> {
  const { store, catalogue, longestKeepDays, marginDays, prefix, signal } = options;
  const found = await store.lifecycle(signal);
  // What was recorded under an earlier configuration may be kept longer.
  const keepDays = Math.max(longestKeepDays, await longestKept(options));
  const plan = planLifecycle(prefix, keepDays, marginDays);
  const rules = parseRules(found);

  return {
    plan,
    found,
    changes: compareRules(rules, plan),
    others: othersOf(rules, plan),
    early: earlyRules(rules, plan),
    held: (await catalogue?.figures.heldBeyond(keepDays + marginDays)) ?? 0,
  };
}

export function isAsPlanned({ changes }: Pick<LifecycleState, 'changes'>): boolean {
  return changes.every(({ state }) => state === 'same' || state === 'withoutAbort');
}

/**
 * Writes the rules and reads them back.
 * @throws PreavisError `archive_lifecycle_early` when a hold may outlive them: nothing is written then; `archive_failed` when
 *   they read back otherwise.
 */
export async function applyLifecycle(
  { plan, found, others, held }: LifecycleState,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<RuleChange[]> {
  if (held > 0) {
    throw new PreavisError(
      'archive_lifecycle_early',
      `${counted(held, 'recording has', 'recordings have')} a hold that may last longer than the rule allows; nothing was written`,
      { hint: 'Give the holds an end, raise archive.minio.lifecycleMarginDays, or do without the rule.' },
    );
  }
  await store.setLifecycle(mergeRules(found, plan), signal);
  const rules = parseRules(await store.lifecycle(signal));
  const changes = compareRules(rules, plan);
  const left = othersOf(rules, plan);
  const lost = others.filter(({ id }) => !left.some((rule) => rule.id === id));
  if (!isAsPlanned({ changes }) || lost.length > 0 || left.length !== others.length) {
    throw new PreavisError('archive_failed', 'the object store gives other lifecycle rules back than were written', {
      hint: 'Look at them with the client of the store (mc ilm rule ls).',
    });
  }

  return changes;
}
