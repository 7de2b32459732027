/**
 * Time to find the calls of one person by the number: `npm run bench:subject [-- --calls 1000000 --numbers 1000]`.
 *
 * A catalogue file with so many calls, each with a recording and a caller, is made in a temporary folder and removed at the end. Five
 * calls have the same number. `search` is the question that an operator waits for: which calls are of this number; `gather` also reads
 * each call with its recording, the ends of its purposes and its holds, as `subject export` and `subject erase` do.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCallerHash } from '../src/call/plan/preferences.ts';
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { openSqlite } from '../src/catalogue/sqlite/sqlite.ts';
import { callsOfPerson } from '../src/dataSubject/findCalls.ts';
import { ascending, quantile } from './figures.ts';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '1000000' }, numbers: { type: 'string', default: '1000' } },
});
const calls = Number(values.calls);
const numbers = Number(values.numbers);
const callsOfEach = 5;
const persons = Math.ceil(calls / callsOfEach);
const hashKey = 'a key of the benchmark, of no use elsewhere';
const firstCall = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

const idOf = (index: number): string => `01K${String(index).padStart(23, '0')}`;
/** Spread, so that the calls of one person lie far apart. */
const personOf = (call: number): number => (call * 7_919) % persons;
const numberOf = (person: number): string => `+324${String(70_000_000 + person).padStart(8, '0')}`;
const hashOf = makeCallerHash(hashKey, 'BE');
const hashes = Array.from({ length: persons }, (_, person) => hashOf(numberOf(person)) ?? '');

const folder = await mkdtemp(join(tmpdir(), 'preavis-bench-subject-'));
const file = join(folder, 'catalogue.db');
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function fill(): void {
  openCatalogue(file, { now: () => firstCall }).close();
  const database = openSqlite(file);
  database.pragma('synchronous = OFF');
  const call = database.prepare(`
    INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, purposes, languages,
      language_reason, phase, result, recording_id, keep_days)
    VALUES (?, ?, ?, 'one', '22.5.2', 'node', 'default', '["training","agreement"]', '["fr"]', 'line', 'ended', 'recorded', ?, 395)`);
  const recording = database.prepare(`
    INSERT INTO recordings (id, call_id, status, notice_finished_at, started_at, finished_at, keep_days, keep_until, bytes,
      duration_ms, sha256)
    VALUES (?, ?, 'archived', ?, ?, ?, 395, ?, 960044, 60000, ?)`);
  const end = database.prepare(`INSERT INTO recording_purposes VALUES (?, ?, ?)`);
  const caller = database.prepare(`INSERT INTO callers VALUES (?, ?, ?)`);
  // As long as a seal is.
  const sealed = `1.${'s'.repeat(70)}`;
  database.transaction(() => {
    for (let index = 0; index < calls; index += 1) {
      const id = idOf(index);
      const at = firstCall + index * 1_000;
      call.run(id, at, at + 60_000, id);
      recording.run(id, id, at + 5_000, at + 6_000, at + 60_000, at + 395 * dayMs, 'f'.repeat(64));
      end.run(id, 'training', at + 28 * dayMs);
      end.run(id, 'agreement', at + 395 * dayMs);
      caller.run(id, hashes[personOf(index)], sealed);
    }
  })();
  database.close();
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;

async function measure(name: string, step: (hash: string) => Promise<number>): Promise<void> {
  const times: number[] = [];
  let found = 0;
  for (let index = 0; index < numbers; index += 1) {
    const person = (index * 104_729) % persons;
    const startedAt = performance.now();
    // What the operator gives is a number.
    found += await step(hashOf(numberOf(person)) ?? '');
    times.push(performance.now() - startedAt);
  }
  const sorted = ascending(times);
  say(
    `${name}: p50 ${ms(quantile(sorted, 0.5))}, p95 ${ms(quantile(sorted, 0.95))}, p99 ${ms(quantile(sorted, 0.99))}, ` +
      `most ${ms(quantile(sorted, 1))} (${numbers} numbers, ${found} calls found)`,
  );
}

try {
  const startedAt = performance.now();
  fill();
  const megabytes = (await stat(file)).size / 1e6;
  say(
    `${calls} calls of ${persons} persons: ${megabytes.toFixed(0)} MB, made in ${((performance.now() - startedAt) / 1e3).toFixed(0)} s`,
  );
  const catalogue = openCatalogue(file, { now: () => firstCall });
  await measure('search', async (hash) => (await catalogue.callers.callsOf(hash, '', 200)).length);
  await measure('gather', async (hash) => {
    let count = 0;
    for await (const each of callsOfPerson(catalogue, { kind: 'caller', hash })) if (each.kind === 'call') count += 1;

    return count;
  });
  catalogue.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
