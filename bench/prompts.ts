/**
 * Time of `preavis prompts check` for the shipped sounds: `npm run bench:prompts [-- --runs 9]`, of the built program, its start included.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ascending, quantile } from './figures.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '9' } } });
const project = join(import.meta.dirname, '..');
const command = [join(project, 'dist/main.js'), 'prompts', 'check', '--sounds', join(project, 'sounds')];

const times: number[] = [];
for (let run = 0; run < Number(values.runs); run += 1) {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`preavis prompts check ended with ${String(status)}: ${stderr}`);
  times.push(performance.now() - startedAt);
}
const [median, least, most] = [quantile(ascending(times), 0.5), Math.min(...times), Math.max(...times)].map((ms) =>
  ms.toFixed(0),
);
process.stdout.write(`prompts check: median ${median} ms, least ${least} ms, most ${most} ms (of ${times.length})\n`);
