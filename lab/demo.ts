/**
 * The demo: a real Asterisk with Préavis on it, a real S3 server, and real calls with sound. `--once` ends by itself;
 * without it the telephone system stays up for calls of your own until Ctrl-C.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeMinioStore } from '../src/store/s3/store.ts';
import { openCatalogue, type Catalogue } from '../src/catalogue/catalogue.ts';
import type { CallRow } from '../src/catalogue/rows.ts';
import { table } from '../src/cli/table.ts';
import { isoTime, systemClock } from '../src/core/clock.ts';
import { gapMs } from '../src/receipt/receipt.ts';
import { burstTone, continuousTone } from './telephones/audio.ts';
import { labPurpose, rigBucket, startRig, type Rig } from './rig.ts';
import { placeCall, startAgent, type Agent, type CallOptions } from './telephones/sip.ts';
import { startStore, type LabStore } from './store/store.ts';

type DemoCall = { extension: string; what: string; fromNumber: string; hangUpAfterMs?: number; expected: string };

/** The numbers are examples of their zones; the last digits are never assigned. */
const demoCalls: readonly DemoCall[] = [
  { extension: '100', what: 'caller from Liège', fromNumber: '+3242000000', expected: 'recorded' },
  { extension: '100', what: 'caller from Antwerp', fromNumber: '+3232000000', expected: 'recorded' },
  { extension: '100', what: 'caller from Cologne', fromNumber: '+492210000000', expected: 'recorded' },
  { extension: '100', what: 'caller from London', fromNumber: '+442070000000', expected: 'recorded' },
  { extension: '200', what: 'kept for 0 days', fromNumber: '+3242000001', expected: 'recorded' },
  { extension: '300', what: 'destination is busy', fromNumber: '+3242000002', expected: 'notConnected' },
  {
    extension: '100',
    what: 'hangs up during the notice',
    fromNumber: '+3232000001',
    hangUpAfterMs: 1_500,
    expected: 'abandoned',
  },
];

type Recording = {
  id: string;
  file: string;
  bytes: number | null;
  durationMs: number | null;
  sha256: string | null;
  status: string;
  objectKey: string | null;
  keepUntil: string | null;
};

type ReportCall = {
  id: string;
  line: string | null;
  purpose: string;
  language: string;
  languageReason: string | null;
  result: string | null;
  notice: {
    prompt: string;
    language: string;
    sha256: string;
    startedAt: string | null;
    finishedAt: string | null;
    verified: boolean;
  }[];
  gapMs: number | null;
  recording: Recording | null;
};

type Report = {
  calls: ReportCall[];
  archive: { store: string; objects: number };
  retention: { due: number; erased: number };
  console: { url: string };
};

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const time = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

async function reportCall(call: CallRow, catalogue: Catalogue, folder: string | undefined): Promise<ReportCall> {
  const row = (await catalogue.recordings({ limit: -1 })).find((each) => each.callId === call.id);
  const name = row === undefined ? '' : `preavis-${row.id}.wav`;

  return {
    id: call.id,
    line: call.line,
    purpose: call.purposes.join('+'),
    language: call.languages.join('+'),
    languageReason: call.languageReason,
    result: call.result,
    notice: (await catalogue.notices(call.id)).map((sentence) => ({
      prompt: sentence.prompt,
      language: sentence.language,
      sha256: sentence.sha256,
      startedAt: time(sentence.startedAt),
      finishedAt: time(sentence.finishedAt),
      verified: sentence.verified,
    })),
    gapMs: row === undefined ? null : gapMs(row),
    recording:
      row === undefined
        ? null
        : {
            id: row.id,
            file: folder === undefined ? name : join(folder, name),
            bytes: row.bytes,
            durationMs: row.durationMs,
            sha256: row.sha256,
            status: row.status,
            objectKey: row.objectKey,
            keepUntil: time(row.keepUntil),
          },
  };
}

async function makeCalls(rig: Rig): Promise<void> {
  const tone = await continuousTone(440);
  const placed = demoCalls.map(async ({ extension, fromNumber, what, hangUpAfterMs, expected }) => {
    const options: CallOptions = { sipPort: rig.asterisk.sipPort, to: extension, fromNumber, tone };
    const call = await placeCall(hangUpAfterMs === undefined ? options : { ...options, hangUpAfterMs });
    const end = await call.ended;
    await call.stop();
    const ended = end.endedBy === undefined ? '' : `, ended by the ${end.endedBy}`;
    say(`  ${extension} ${what}: ${end.status}${ended} (expected: ${expected})`);
  });
  await Promise.all(placed);
}

/** Waits until every call is written down as ended and every recording's file was read. */
async function settle(catalogue: Catalogue): Promise<CallRow[]> {
  const until = Date.now() + 30_000;
  for (;;) {
    const calls = (await catalogue.calls(100)).reverse();
    const counts = await catalogue.counts();
    const done = calls.length === demoCalls.length && calls.every((call) => call.result !== null);
    if (done && (counts.recording ?? 0) === 0) return calls;
    if (Date.now() > until) throw new Error('The calls were not finished within 30 s.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const readLimitMs = 30_000;

/** Copies the archived WAVs, so that they can be listened to when the demo is over. */
async function fetchWavs(catalogue: Catalogue, store: LabStore, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const archive = makeMinioStore({ ...store, useTls: false, region: 'us-east-1', bucket: rigBucket });
  for (const row of await catalogue.recordings({ status: 'archived', limit: -1 })) {
    if (row.objectKey === null) continue;
    const wav = await archive.read(row.objectKey, row.objectVersion, AbortSignal.timeout(readLimitMs));
    await pipeline(wav, createWriteStream(join(folder, `preavis-${row.id}.wav`)));
  }
}

async function countObjects(store: LabStore): Promise<number> {
  const archive = makeMinioStore({ ...store, useTls: false, region: 'us-east-1', bucket: rigBucket });
  let objects = 0;
  for await (const object of archive.list('recordings/')) objects += object.key === '' ? 0 : 1;

  return objects;
}

function printCalls(calls: readonly ReportCall[]): void {
  const rows = calls.map((call) => [
    call.id,
    call.line ?? '',
    call.purpose,
    call.language,
    call.languageReason ?? '',
    `${call.notice.filter((sentence) => sentence.verified).length}/${call.notice.length}`,
    call.result ?? '',
    call.gapMs === null ? '' : `${call.gapMs} ms`,
    call.recording?.durationMs == null ? '' : `${(call.recording.durationMs / 1_000).toFixed(1)} s`,
    call.recording?.status ?? '',
    call.recording?.keepUntil?.slice(0, 10) ?? '',
  ]);
  const header = [
    'CALL',
    'LINE',
    'PURPOSE',
    'LANGUAGE',
    'BECAUSE OF',
    'HEARD',
    'RESULT',
    'GAP',
    'LENGTH',
    'STATUS',
    'KEPT UNTIL',
  ];
  say(`\n${table(header, rows)}\n`);
}

function printReport(report: Report): void {
  printCalls(report.calls);
  say(`Archive (${report.archive.store}): ${report.archive.objects} objects after the retention pass.`);
  say(`Retention: ${report.retention.due} due, ${report.retention.erased} erased.`);
  say(`Health page: ${report.console.url}`);
}

/** Calls of your own: each is sent to the archive and shown when it has ended, until `end` resolves. */
async function showOwnCalls(
  catalogue: Catalogue,
  archive: () => Promise<void>,
  folder: string | undefined,
  end: Promise<void>,
): Promise<void> {
  const shown = new Set((await catalogue.calls(100)).map((call) => call.id));
  const over = end.then(() => true as const);
  const report = (calls: readonly CallRow[]): Promise<ReportCall[]> =>
    Promise.all(calls.map((call) => reportCall(call, catalogue, folder)));
  do {
    const ended = (await catalogue.calls(100)).filter((call) => call.result !== null && !shown.has(call.id)).reverse();
    const reports = await report(ended);
    const ready = ended.filter((_, index) => reports[index]?.recording?.status !== 'recording');
    if (ready.length === 0) continue;
    if (reports.some((call) => call.recording?.status === 'recorded')) await archive();
    printCalls(await report(ready));
    for (const call of ready) shown.add(call.id);
  } while ((await Promise.race([over, sleep(500)])) !== true);
}

function unexpected(report: Report): string[] {
  const count = (results: (string | null)[], result: string): number =>
    results.filter((each) => each === result).length;
  const got = report.calls.map((call) => call.result);
  const wanted = demoCalls.map((call) => call.expected);

  return [...new Set([...wanted, ...got])]
    .filter((result) => result === null || count(got, result) !== count(wanted, result))
    .map((result) => `${result ?? 'no result'}: ${count(got, result ?? '')} calls`);
}

async function run(options: { once: boolean; json: string | undefined; wav: string | undefined }): Promise<void> {
  const parts: { stop(): Promise<void> }[] = [];
  const stopAll = async (): Promise<void> => {
    for (const part of parts.splice(0).reverse()) await part.stop();
  };
  const asked = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    say('Starting Asterisk, an S3 server, agents and Préavis ...');
    const store = await startStore();
    parts.push(store);
    await store.makeBucket(rigBucket);
    const agent: Agent = await startAgent({
      behaviour: 'answer',
      tone: await burstTone(1_000),
      ringMs: 800,
      hangUpAfterMs: 4_000,
      atOnce: 20,
    });
    parts.push(agent);
    const busy = await startAgent({ behaviour: 'busy' });
    parts.push(busy);
    const rig = await startRig({
      store,
      extensions: {
        100: `${agent.dialString},20`,
        200: `${agent.dialString},20,line=short`,
        300: `${busy.dialString},20`,
      },
      config: {
        purposes: {
          training: labPurpose('training', 'A purpose of the demo whose recordings are kept for no time at all.', 0),
        },
        lines: {
          default: { purposes: ['agreement'], defaultLanguages: ['fr'] },
          short: { purposes: ['training'], defaultLanguages: ['fr'] },
        },
      },
    });
    parts.push(rig);
    const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock);
    parts.push({
      stop: () => {
        catalogue.close();
        return Promise.resolve();
      },
    });

    say('Calling ...');
    const work = Promise.race([
      makeCalls(rig),
      asked.then(() => Promise.reject(new Error('The demo was interrupted.'))),
    ]);
    await work;
    await settle(catalogue);
    const archive = async (): Promise<void> => {
      say('Uploading ...');
      const uploaded = await rig.preavis('upload');
      say(`  ${(uploaded.stdout || uploaded.stderr).trim()}`);
      if (options.wav !== undefined) await fetchWavs(catalogue, store, options.wav);
    };
    await archive();
    say('Retention ...');
    const retention = await rig.preavisJson<{ due: number; erased: number }>('retention', 'run');
    const report: Report = {
      calls: await Promise.all((await settle(catalogue)).map((call) => reportCall(call, catalogue, options.wav))),
      archive: { store: 'minio', objects: await countObjects(store) },
      retention: { due: retention.due, erased: retention.erased },
      console: { url: `http://127.0.0.1:${rig.healthPort}/health` },
    };
    printReport(report);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    const surprises = unexpected(report);
    if (surprises.length > 0) throw new Error(`The demo did not go as it should: ${surprises.join(', ')}.`);
    if (!options.once) {
      say(`\nCall sip:100@127.0.0.1:${rig.asterisk.sipPort} with a softphone on this machine (A-law, no account).`);
      say('It is shown here when it has ended. Ctrl-C ends everything.');
      await showOwnCalls(catalogue, archive, options.wav, asked);
    }
  } finally {
    await stopAll();
  }
}

const { values } = parseArgs({
  options: { once: { type: 'boolean' }, json: { type: 'string' }, wav: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  say('npm run demo -- [--once] [--json FILE] [--wav FOLDER]');
  say('  --once        end after the calls, instead of waiting for Ctrl-C');
  say('  --json FILE   write what happened as one JSON object');
  say('  --wav FOLDER  fetch the recordings from the archive into FOLDER');
} else {
  try {
    await run({ once: values.once === true, json: values.json, wav: values.wav });
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
