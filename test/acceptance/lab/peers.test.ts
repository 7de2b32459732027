/** `npm run bench:peers` as a person has it, in its smallest form: what it says of real calls. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Batch, Summary } from '../../../bench/peers/report.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const project = join(import.meta.dirname, '..', '..', '..');
const temporary = temporaryFolder();
const atOnce = 2;
const talkMs = 2_000;

test('the same calls go by the peer and by both ways of Préavis, are recorded, and have their cost and gap told', async () => {
  const file = temporary.path('peers.json');
  const options = `--at-once ${atOnce} --rounds 1 --talk ${talkMs / 1_000} --warm-up 0 --ways mixMonitor,bridge,follow --json ${file}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'bench/peers.ts', ...options.split(' ')],
    { cwd: project, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const { batches, summaries } = JSON.parse(readFileSync(file, 'utf8')) as {
    batches: Batch[];
    summaries: Summary[];
  };
  expect(batches.map(({ way, answered, recorded }) => ({ way, answered, recorded }))).toEqual(
    ['mixMonitor', 'bridge', 'follow'].map((way) => ({ way, answered: atOnce, recorded: atOnce })),
  );
  for (const { way, cpu, gapsMs, packets } of batches) {
    expect({ way, works: cpu.asterisk > 0 && (cpu.serve > 0 || way === 'mixMonitor') }).toEqual({ way, works: true });
    expect({ way, gaps: gapsMs.length }).toEqual({ way, gaps: way === 'mixMonitor' ? 0 : atOnce });
    // The recorder begins when both are there, and before the talk is over.
    for (const gap of gapsMs)
      expect({ way, gap, isWithin: gap >= 0 && gap < talkMs }).toMatchObject({ isWithin: true });
    expect({ way, due: packets.due, isHeard: packets.came > 0 }).toEqual({
      way,
      due: (talkMs - 1_000) / 20,
      isHeard: true,
    });
  }
  const { ofMixMonitor } = summaries.find(({ way }) => way === 'mixMonitor') ?? {};
  expect(ofMixMonitor?.median).toBe(1);
  for (const row of ['MixMonitor()', 'bridge', 'follow']) expect(stdout).toContain(`\n${row} `);
});
