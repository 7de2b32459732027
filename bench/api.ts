/**
 * Time of the lists, filters and searches of the API: `npm run bench:api [-- --calls 1000000 --times 40 --folder FOLDER]`.
 *
 * A catalogue of so many calls, most with a recording, is made in FOLDER, or in a temporary one that is removed at the end; a FOLDER that
 * has one is used again. Each question is put over HTTP on loopback, as a page puts it: the first page, then the next ones. `busy` is the
 * processor time of both sides, which others on the machine hardly lengthen. The result is red where the 95th percentile of one
 * question is above 50 ms. `npm run bench:listeners` has the rest: calls while many listen.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Actor } from '../src/access/actor.ts';
import { ascending, quantile } from './figures.ts';
import { callId, firstCall, numberOf } from './largeCatalogue.ts';
import { actorOf, say, startLargeWeb } from './largeWeb.ts';

const limitMs = 50;
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '40' },
    folder: { type: 'string' },
  },
});
const calls = Number(values.calls);
const times = Number(values.times);

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'preavis-bench-api-')));
const actors: Readonly<Record<string, Actor>> = {
  officer: actorOf('officer'),
  operator: actorOf('operator'),
  coach: actorOf('coach'),
  team: { ...actorOf('coach'), name: 'token:team', lines: ['line-3'], extensions: ['123', '130', '137'] },
};
// In the middle of the catalogue: for training, the older half is over.
const at = firstCall + (calls * 20_000) / 2 + 28 * 86_400_000;
const server = await startLargeWeb(folder, calls, { actors, at });

type Question = { name: string; path: string; token?: string; body?: (time: number) => unknown };
const day = (number: number): string => new Date(firstCall + number * 86_400_000).toISOString();
const questions: readonly Question[] = [
  { name: 'every call', path: '/calls' },
  { name: 'every recording', path: '/recordings' },
  { name: 'a line', path: '/calls?line=line-3' },
  { name: 'a rare line', path: '/calls?line=rare' },
  { name: 'a line that none has', path: '/calls?line=nobody' },
  { name: 'a purpose', path: '/calls?purpose=agreement' },
  { name: 'a language', path: '/calls?language=nl' },
  { name: 'outgoing', path: '/calls?direction=outgoing' },
  { name: 'not recorded', path: '/calls?result=unrecorded' },
  { name: 'a rare reason', path: '/calls?reason=spool_full' },
  { name: 'turned away', path: '/calls?result=turnedAway' },
  { name: 'going on', path: '/calls?result=goingOn' },
  { name: 'an extension', path: '/calls?extension=123' },
  { name: 'the main number', path: '/calls?dialled=%2B3225550100' },
  { name: 'a direct number', path: '/calls?dialled=025551456' },
  { name: 'a PBX', path: '/calls?pbx=north' },
  { name: 'a PBX that none came to', path: '/calls?pbx=nowhere' },
  { name: 'a PBX, a line, a reason', path: '/calls?pbx=north&line=line-3&reason=refused' },
  { name: 'failed', path: '/recordings?status=failed' },
  { name: 'archived', path: '/recordings?status=archived' },
  { name: 'a rare flag', path: '/recordings?flag=unwatched_blanked' },
  { name: 'a flag', path: '/recordings?flag=silent' },
  { name: 'held', path: '/recordings?held=true' },
  { name: 'exemplary', path: '/recordings?exemplary=true' },
  { name: 'a day', path: `/calls?from=${day(100)}&to=${day(101)}` },
  { name: 'a day of a line', path: `/calls?from=${day(100)}&to=${day(101)}&line=line-3` },
  { name: 'a line, a language', path: '/calls?line=line-3&language=nl' },
  { name: 'a line, a reason', path: '/calls?line=line-3&reason=refused' },
  { name: 'a line closed long ago', path: '/calls?line=closed' },
  { name: 'a day, a rare line', path: `/calls?from=${day(100)}&to=${day(101)}&line=rare` },
  { name: 'a week, a rare reason', path: `/calls?from=${day(93)}&to=${day(100)}&reason=spool_full` },
  { name: 'a week, exemplary', path: `/recordings?from=${day(93)}&to=${day(100)}&exemplary=true` },
  { name: 'a line, held', path: '/recordings?line=line-3&held=true' },
  { name: 'a line, a flag', path: '/recordings?line=line-3&flag=silent' },
  { name: 'an extension, a line', path: '/calls?extension=123&line=line-3' },
  { name: 'the main number, a line', path: '/calls?dialled=%2B3225550100&line=line-3' },
  { name: 'the main number, a flag', path: '/recordings?dialled=%2B3225550100&flag=silent' },
  { name: 'three that few fit', path: '/calls?line=line-3&language=nl&purpose=obligation' },
  { name: 'four that few fit', path: '/recordings?status=archived&line=line-3&language=nl&purpose=obligation' },
  // Of these there is none: each page looks at as many as one ever does.
  { name: 'nobody: status, purpose', path: '/recordings?status=erased&purpose=obligation' },
  { name: 'nobody: line, status', path: '/recordings?line=line-3&status=archived&reason=refused&direction=incoming' },
  {
    name: 'nobody: five',
    path: '/recordings?direction=incoming&language=fr&purpose=agreement&status=erased&flag=silent',
  },
  { name: 'nobody: language', path: '/calls?direction=incoming&language=fr&purpose=training&reason=no_consent' },
  { name: 'nobody: line, outgoing', path: '/calls?direction=outgoing&line=line-3&language=nl&result=abandoned' },
  { name: 'nobody: result', path: '/calls?result=notConnected&direction=incoming&purpose=obligation&status=archived' },
  { name: 'two hundred calls', path: '/calls?limit=200' },
  { name: 'two hundred recordings', path: '/recordings?limit=200' },
  { name: 'why not recorded, a month', path: `/reports/unrecorded?from=${day(90)}&to=${day(120)}` },
  { name: 'why not recorded, 93 days', path: `/reports/unrecorded?from=${day(60)}&to=${day(153)}` },
  { name: 'the same, of a PBX', path: `/reports/unrecorded?from=${day(60)}&to=${day(153)}&pbx=north` },
  { name: 'calls that go on', path: '/live', token: 'operator' },
  { name: 'what a coach sees', path: '/calls', token: 'coach' },
  { name: 'what a team sees', path: '/calls', token: 'team' },
  {
    name: 'a number',
    path: '/calls/search',
    body: (time) => ({ number: numberOf(time * 7_919), ground: 'person' }),
  },
];

async function ask(
  { path, token = 'officer', body }: Question,
  time: number,
  cursor: string | null,
): Promise<string | null> {
  const next = cursor === null || body !== undefined ? '' : `${path.includes('?') ? '&' : '?'}cursor=${cursor}`;
  const answer = await fetch(`${server.url}/api/v1${path}${next}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body(time)) }),
  });
  const page = (await answer.json()) as { next?: string | null };
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(page)}`);

  return page.next ?? null;
}

const ms = (value: number): string => `${value.toFixed(1).padStart(7)} ms`;
let isTooSlow = false;
/** MiB. */
const memory = (): number => process.memoryUsage.rss() / 2 ** 20;
const memoryBefore = memory();
let mostMemory = memoryBefore;
say(`${calls} calls, ${times} times each; limit of the 95th percentile ${limitMs} ms`);
for (const question of questions) {
  const taken: number[] = [];
  const busy: number[] = [];
  let cursor: string | null = null;
  // The first time, statements are prepared and pages of the file come from the disk, as for the first who asks in the morning.
  for (let time = 0; time < times; time += 1) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    cursor = await ask(question, time, cursor);
    taken.push(performance.now() - began);
    const { user, system } = process.cpuUsage(used);
    busy.push((user + system) / 1_000);
  }
  mostMemory = Math.max(mostMemory, memory());
  const sorted = ascending(taken);
  const p95 = quantile(sorted, 0.95);
  if (p95 > limitMs) isTooSlow = true;
  say(
    `${question.name.padEnd(26)} p50 ${ms(quantile(sorted, 0.5))}  p95 ${ms(p95)}  most ${ms(quantile(sorted, 1))}  busy p50 ${ms(quantile(ascending(busy), 0.5))}  p95 ${ms(quantile(ascending(busy), 0.95))}`,
  );
}
const detail: number[] = [];
for (let time = 0; time < times; time += 1) {
  const began = performance.now();
  await fetch(`${server.url}/api/v1/recordings/${callId((time * 4_001 + 1) % calls)}`, {
    headers: { authorization: 'Bearer officer' },
  }).then((answer) => answer.text());
  detail.push(performance.now() - began);
}
say(
  `${'one recording'.padEnd(26)} p50 ${ms(quantile(ascending(detail), 0.5))}  p95 ${ms(quantile(ascending(detail), 0.95))}`,
);

say(
  `memory of both sides: ${memoryBefore.toFixed(0)} MiB before, ${mostMemory.toFixed(0)} most; load ${loadavg()[0]?.toFixed(1) ?? ''}`,
);

await server.stop();
if (values.folder === undefined) await rm(folder, { recursive: true });
process.exitCode = isTooSlow ? 1 : 0;
