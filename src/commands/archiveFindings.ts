import { capabilityFacts } from '../archive/capabilities.ts';
import { lifecycleState, type LifecycleState } from '../archive/lifecycle.ts';
import { ruleInWords } from '../archive/lifecycleRules.ts';
import { protectionNotes, protectionProblems } from '../archive/protection.ts';
import { seeArchive } from '../archive/protectionWatch.ts';
import type { ObjectStore } from '../archive/store.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { asPreavisError } from '../core/errors.ts';
import { lifecycleOptions } from '../parts.ts';
import type { Finding } from './finding.ts';

const limitMs = 120_000;

/** What the archive can do, whether that is what the purposes ask for, and whether its own rules leave recordings alone. */
export async function archiveFindings(
  config: Config,
  store: ObjectStore,
  catalogue: Catalogue | undefined,
): Promise<Finding[]> {
  const signal = AbortSignal.timeout(limitMs);
  try {
    const { purposes } = config;
    const { bucket } = config.archive.minio;
    const archive = await seeArchive(store, { bucket, purposes, refused: 'is tried' }, signal);
    const facts = capabilityFacts(archive.capabilities, archive.trial);
    const seen: Finding = { check: 'what the archive can do', ok: true, facts, notes: protectionNotes(archive) };
    const problems = protectionProblems(purposes, archive).map(({ severity, code, problem, hint }): Finding =>
      severity === 'warning'
        ? { check: 'protection by the archive', ok: true, warning: `${problem}. ${hint}` }
        : { check: 'protection by the archive', ok: false, code, problem, hint },
    );
    if (archive.capabilities.lifecycle !== 'rules') return [seen, ...problems];

    const state = await lifecycleState(lifecycleOptions(config, store, catalogue, signal));

    return [seen, ...problems, lifecycleFinding(state)];
  } catch (thrown) {
    const { code, message, hint } = asPreavisError(thrown);

    return [{ check: 'what the archive can do', ok: false, code, problem: message, hint }];
  }
}

const check = 'lifecycle rules of the archive';

/** Pure. One rule of ours that is missing is no fault: the second net is for who wants it. */
export function lifecycleFinding({ changes, early, held, plan }: LifecycleState): Finding {
  const fault = (problem: string, hint: string): Finding => ({
    check,
    ok: false,
    code: 'archive_lifecycle_early',
    problem,
    hint,
  });
  const [first] = early;
  if (first !== undefined) {
    return fault(
      `the rule "${printable(first.id)}" removes recordings that are kept for up to ${plan.keepDays} days (${printable(ruleInWords(first))})`,
      'If it is ours (preavis-...), run preavis archive lifecycle --apply; else have it leave recordings/ alone.',
    );
  }
  const present = changes.filter(({ found }) => found !== undefined);
  if (present.length === 0) return { check, ok: true, notes: ['none of ours: preavis archive lifecycle --apply'] };
  if (held > 0) {
    return fault(
      `${held} recordings have a hold that may last longer than the rule of the bucket, which knows nothing of holds`,
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
  return text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
