import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lintDialplan, type LintResult } from '../../../src/dialplan/lint.ts';
import { readExtensions } from '../../../src/dialplan/source/extensionsConf.ts';
import { readFeatures, standardFeatures } from '../../../src/dialplan/source/features.ts';
import { livesDangerously } from '../../../src/dialplan/source/refusal.ts';
import type { ConfigFiles } from '../../../src/dialplan/source/statements.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { aPolicy } from '../policy/policies.ts';
import { obligedTree } from '../call/calls.ts';

/** Dialplans that are looked at from memory. */

const root = join(import.meta.dirname, '..', '..', '..');
const includeFile = '/opt/preavis/dialplan/preavis.conf';
const includeText = readFileSync(join(root, 'dialplan', 'preavis.conf'), 'utf8');

/** The texts of files by their names; the include file of Préavis is always where it is installed. */
export function filesOf(texts: Readonly<Record<string, string>>): ConfigFiles {
  const all: Readonly<Record<string, string>> = { [includeFile]: includeText, ...texts };

  return {
    read: (path) => Promise.resolve(all[path]),
    included: (pattern) => Promise.resolve(Object.keys(all).filter((name) => name === pattern)),
  };
}

/** The lines of the documents: callers may refuse, and those of `trading` must be recorded. */
function documentPolicy(): Policy {
  const { purposes } = obligedTree() as { purposes: { agreement: Record<string, unknown> } };
  const agreement = { ...purposes.agreement, optInForCountries: ['DE'] };
  const line = (purpose: string): unknown => ({ purposes: [purpose], defaultLanguages: ['fr'] });
  const ordinary = ['default', 'sales', 'support', 'out', 'outbound', 'orders'].map((name) => [
    name,
    line('agreement'),
  ]);
  const lines = { ...(Object.fromEntries(ordinary) as Record<string, unknown>), trading: line('training') };

  return aPolicy({ purposes: { ...purposes, agreement }, lines });
}

export type LintedText = { features?: string; policy?: Policy; more?: Readonly<Record<string, string>> };

/** What lint says of this extensions.conf, with the include file at its end unless it includes it itself. */
export async function lintText(
  text: string,
  { features, policy = documentPolicy(), more = {} }: LintedText = {},
): Promise<LintResult> {
  const whole = text.includes('include "') ? text : `${text}\n#include "${includeFile}"\n`;
  const files = filesOf({
    'extensions.conf': whole,
    ...more,
    ...(features === undefined ? {} : { 'features.conf': features }),
  });

  return lintDialplan({
    dialplan: await readExtensions(['extensions.conf'], files),
    features: features === undefined ? standardFeatures : await readFeatures('features.conf', files),
    policy,
    application: 'preavis',
    refusesFunctions: !(await livesDangerously('asterisk.conf', files)),
  });
}

/** `code line`, as short as can be compared. */
export const inShort = ({ faults }: LintResult): string[] => faults.map(({ code, line }) => `${code} ${line ?? '-'}`);
