/**
 * The demo: a real Asterisk with Préavis on it, a real S3 server, real calls with sound, and the console that shows them. `--once` ends by
 * itself; without it all stays up until Ctrl-C, for calls of your own.
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { hashPassword } from '../src/access/password.ts';
import { makeMinioStore } from '../src/store/s3/store.ts';
import type { Catalogue } from '../src/catalogue/catalogue.ts';
import type { CallRow } from '../src/catalogue/rows.ts';
import { followEndedCalls, openCatalogueOf, printCalls, reportCall, type ReportCall } from './callReport.ts';
import { linkMinutes, startDoor, type Door } from './console/door.ts';
import { servedConsole } from './console/served.ts';
import { visitConsole } from './console/visit.ts';
import { runProgram, say, type Program } from './program.ts';
import { burstTone, continuousTone } from './telephones/audio.ts';
import { labPurpose, rigBucket, startRig, type Rig } from './rig.ts';
import { placeCall, startAgent, type CallOptions } from './telephones/sip.ts';
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

type Report = {
  calls: ReportCall[];
  archive: { store: string; objects: number };
  retention: { due: number; erased: number };
  console: { url: string };
};

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
    const calls = (await catalogue.calls.list(100)).reverse();
    const counts = await catalogue.recordings.counts();
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
  for (const row of await catalogue.recordings.list({ status: 'archived', limit: -1 })) {
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

function printReport(report: Report): void {
  printCalls(report.calls);
  say(`Archive (${report.archive.store}): ${report.archive.objects} objects after the retention pass.`);
  say(`Retention: ${report.retention.due} due, ${report.retention.erased} erased.`);
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

type DemoOptions = { once: boolean; json: string | undefined; wav: string | undefined };
type Demo = { rig: Rig; store: LabStore; catalogue: Catalogue; url: string; door: Door };

/** Who hears what is for agreements, sees every call, and answers the persons who called. */
const usualUser = 'officer';
/** The others see less, or act on calls that go on. Each is named as its role. */
const users = [usualUser, 'legal', 'operator', 'coach', 'auditor', 'admin'] as const;

const purposes = {
  training: {
    ...labPurpose('training', 'A purpose of the demo whose recordings are kept for no time at all.', 0),
    names: { fr: 'Formation', nl: 'Opleiding', de: 'Schulung', en: 'Training' },
  },
  agreement: {
    ...labPurpose('agreement', 'Calls of the demo are kept in order to show how keeping works.', 392),
    names: {
      fr: 'Preuve d’un accord',
      nl: 'Bewijs van een afspraak',
      de: 'Nachweis einer Vereinbarung',
      en: 'Evidence of an agreement',
    },
    kind: 'evidence',
    holdsAllowed: true,
    mayListen: ['legal', 'officer'],
  },
};

const lines = {
  default: {
    names: { fr: 'Commandes', nl: 'Bestellingen', de: 'Bestellungen', en: 'Orders' },
    purposes: ['agreement'],
    defaultLanguages: ['fr'],
  },
  short: {
    names: { fr: 'Accueil', nl: 'Onthaal', de: 'Empfang', en: 'Reception' },
    purposes: ['training'],
    defaultLanguages: ['fr'],
  },
};

/** Longer than the ten seconds that a player jumps by, ms. */
const talkMs = 12_000;

async function startTelephones(
  program: Program,
  passwordHash: string,
): Promise<Pick<Demo, 'rig' | 'store' | 'catalogue'>> {
  const store = await program.keep(startStore());
  await store.makeBucket(rigBucket);
  const agent = await program.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1_000), ringMs: 800, hangUpAfterMs: talkMs, atOnce: 20 }),
  );
  const busy = await program.keep(startAgent({ behaviour: 'busy' }));
  const rig = await program.keep(
    startRig({
      store,
      extensions: {
        100: `${agent.dialString},20`,
        200: `${agent.dialString},20,line=short`,
        300: `${busy.dialString},20`,
      },
      config: {
        purposes,
        lines,
        access: { users: Object.fromEntries(users.map((role) => [role, { role, passwordHash }])) },
        web: { listen: '127.0.0.1:0' },
      },
    }),
  );

  return { rig, store, catalogue: await openCatalogueOf(rig, program) };
}

async function startDemo(program: Program): Promise<Demo> {
  // Of this run alone, and shown to nobody: the door signs in with it.
  const password = randomBytes(32).toString('base64url');
  const telephones = await startTelephones(program, await hashPassword(password));
  const url = await program.unlessAsked(servedConsole(telephones.rig));
  const door = await program.keep(startDoor({ console: url, password, now: () => performance.now() }));

  return { ...telephones, url, door };
}

/** The console shows the calls of the report, and hands out the very sound that was archived. */
async function checkConsole(door: Door, { calls }: Report): Promise<void> {
  const played = calls.find(({ recording }) => recording?.status === 'archived');
  const archived = played?.recording;
  if (played === undefined || archived == null)
    throw new Error('No recording of the demo is archived, so the console has none to play.');
  const seen = await visitConsole(door.linkFor(usualUser), archived.id);
  if (seen.calls !== calls.length) throw new Error(`The console shows ${seen.calls} of ${calls.length} calls.`);
  if (seen.sha256 !== archived.sha256)
    throw new Error(`The console hands out another sound than was recorded (${archived.id}).`);
  say(`Console: it shows ${seen.calls} calls, and plays call ${played.id} (${seen.bytes} bytes, as archived).`);
}

/** The way into the console, and another one whenever somebody asks for it, until the end. */
async function showWayIn({ door, url }: Demo, program: Program): Promise<void> {
  const sayLink = (user: string): void => {
    say(`Sign in as ${user}, once and within ${linkMinutes} minutes: ${door.linkFor(user)}`);
  };
  say(`\nConsole: ${url}`);
  sayLink(usualUser);
  say(`Enter shows another link; a name with Enter, one for ${users.slice(1).join(', ')}.`);
  const typed = createInterface({ input: process.stdin });
  await program.keep({
    stop: () => {
      typed.close();
      return Promise.resolve();
    },
  });
  typed.on('line', (line) => {
    const name = line.trim() === '' ? usualUser : line.trim();
    const user = users.find((each) => each === name);
    if (user === undefined) say(`There is nobody of this name. There are: ${users.join(', ')}.`);
    else sayLink(user);
  });
}

async function demo(program: Program, options: DemoOptions): Promise<void> {
  say('The sentences have a placeholder voice: a machine speaks them, until a person does (sounds/README.md).');
  say('Starting Asterisk, an S3 server, agents, Préavis and its console ...');
  const parts = await startDemo(program);
  const { rig, store, catalogue, url, door } = parts;
  say('Calling ...');
  await program.unlessAsked(makeCalls(rig));
  await settle(catalogue);
  const archive = async (): Promise<void> => {
    say('Uploading ...');
    const uploaded = await rig.preavis('upload');
    say(`  ${(uploaded.stdout || uploaded.stderr).trim()}`);
    if (options.wav !== undefined) await fetchWavs(catalogue, store, options.wav);
  };
  const reports = (calls: readonly CallRow[]): Promise<ReportCall[]> =>
    Promise.all(calls.map((call) => reportCall(call, catalogue, options.wav)));
  await archive();
  say('Retention ...');
  const retention = await rig.preavisJson<{ due: number; erased: number }>('retention', 'run');
  const report: Report = {
    calls: await reports(await settle(catalogue)),
    archive: { store: 'minio', objects: await countObjects(store) },
    retention: { due: retention.due, erased: retention.erased },
    console: { url },
  };
  printReport(report);
  say(`Health page: http://127.0.0.1:${rig.healthPort}/health`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  const surprises = unexpected(report);
  if (surprises.length > 0) throw new Error(`The demo did not go as it should: ${surprises.join(', ')}.`);
  await program.unlessAsked(checkConsole(door, report));
  if (options.once) return;
  say(`\nCall sip:100@127.0.0.1:${rig.asterisk.sipPort} with a softphone on this machine (A-law, no account).`);
  say('It is shown here and in the console when it has ended. Ctrl-C ends everything.');
  await showWayIn(parts, program);
  await followEndedCalls(catalogue, program.asked, async (calls) => {
    const isNew = (call: ReportCall): boolean => call.recording?.status === 'recorded';
    if ((await reports(calls)).some(isNew)) await archive();
    printCalls(await reports(calls));
  });
}

function help(): void {
  say('npm run demo -- [--once] [--json FILE] [--wav FOLDER]');
  say('  --once        end after the calls, instead of waiting for Ctrl-C');
  say('  --json FILE   write what happened as one JSON object');
  say('  --wav FOLDER  fetch the recordings from the archive into FOLDER');
}

await runProgram('demo', async (program) => {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean' },
      json: { type: 'string' },
      wav: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) help();
  else await demo(program, { once: values.once === true, json: values.json, wav: values.wav });
});
