/**
 * Time of one decision of the language: `npm run bench:language [-- --decisions 100000]`.
 *
 * Each decision is about another caller: numbers of many countries and of every Belgian zone, mobiles, withheld and malformed ones,
 * with headers of one language or five. Nothing stronger than the number decides, so that all of the evidence is looked at in most
 * cases. The first decisions, which load the metadata of numbers, are told apart.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decideLanguage, type LanguageEvidence } from '../src/call/plan/language.ts';
import { loadConfig } from '../src/config/load.ts';
import { makePolicy } from '../src/policy/policy.ts';
import { loadPrompts } from '../src/prompts/library.ts';
import { ascending, mean, quantile } from './figures.ts';

const { values } = parseArgs({ options: { decisions: { type: 'string', default: '100000' } } });
const project = join(import.meta.dirname, '..');
const policy = makePolicy(
  await loadConfig(join(project, 'config/preavis.yaml'), {}),
  await loadPrompts(join(project, 'sounds')),
);
const line = [...policy.lines.values()].find(({ language }) => language === undefined);
if (line === undefined) throw new Error('every line of config/preavis.yaml has a language: nothing would be decided');

const beginnings = [
  '+322',
  '+323',
  '+324',
  '+329',
  '+3250',
  '+3287',
  '+3280',
  '+32475',
  '+331',
  '+3120',
  '+4930',
  '+4420',
];
const odd = ['', 'anonymous', '100', '+', '00000000000000000000', '+999123456'];
const headers = ['', 'nl-BE', 'de;q=0.5, fr;q=0.9, en;q=0.8, nl;q=0.1, it', 'x'.repeat(256)];

function numberOf(index: number): string {
  if (index % 10 === 9) return odd[((index / 10) % odd.length) | 0] ?? '';

  return `${beginnings[index % beginnings.length] ?? ''}${String(1_000_000 + ((index * 7_919) % 9_000_000)).slice(0, 7)}`;
}

const times: number[] = [];
for (let index = 0; index < Number(values.decisions); index += 1) {
  const evidence: LanguageEvidence = {
    argument: undefined,
    preference: undefined,
    line,
    channelLanguage: policy.asteriskDefaultLanguage,
    callerNumber: numberOf(index),
    purposes: line.purposes,
  };
  const header = headers[index % headers.length] ?? '';
  const startedAt = performance.now();
  await decideLanguage(evidence, policy, () => Promise.resolve(header));
  times.push(performance.now() - startedAt);
}

const [first = Number.NaN, ...others] = times;
const sorted = ascending(others);
const ms = (value: number): string => `${value.toFixed(4)} ms`;
process.stdout.write(
  `decision of the language: mean ${ms(mean(sorted))}, p50 ${ms(quantile(sorted, 0.5))}, p99 ${ms(quantile(sorted, 0.99))}, ` +
    `most ${ms(quantile(sorted, 1))} (of ${sorted.length}); the first of all ${first.toFixed(1)} ms\n`,
);
