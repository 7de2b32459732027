/**
 * The lab for a person who looks into a call: Asterisk, two telephones, an S3 server and Préavis, with the logs of all in one pane. It stays
 * until Ctrl-C; `--once` places one call, waits for its recording and ends.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Catalogue } from '../src/catalogue/catalogue.ts';
import { isoTime } from '../src/core/clock.ts';
import { shellWord } from '../src/core/text/shell.ts';
import { followEndedCalls, openCatalogueOf, reportCall, type ReportCall } from './callReport.ts';
import { followFile, followList, lookEach } from './pane/follow.ts';
import { prefixed, preavisLine, storeLine, timeOfDay, type Source } from './pane/lines.ts';
import { defaultExtension, orderHelp, parseOrder, type Order } from './pane/orders.ts';
import { runProgram, say, wordsOf, type Program } from './program.ts';
import { labPurpose, rigBucket, startRig, type Rig } from './rig.ts';
import { startStore, type LabStore } from './store/store.ts';
import { burstTone, continuousTone } from './telephones/audio.ts';
import { makeCallerPhone, type CallerPhone } from './telephones/callerPhone.ts';
import { startAgent, type Agent, type SipEvent } from './telephones/sip.ts';

type Lab = { store: LabStore; agent: Agent; rig: Rig; catalogue: Catalogue; caller: CallerPhone };

/** Of Liège, where the notice is in one language; its last digits are never assigned. */
const defaultNumber = '+3242000000';
const callerHz = 440;
const agentHz = 1_000;
const ringMs = 800;
/** `--once`: how long they talk, and how long the call with its recording may take. */
const talkMs = 2_000;
const onceLimitMs = 120_000;
const serveEachMs = 500;

const tell = (source: Source, text: string): void => {
  say(prefixed(source, text));
};

/** An extension for each kind of consent. Each purpose has shipped sentences. */
const consents = [
  { extension: defaultExtension, line: 'announce', purpose: 'mifid', consent: 'announce', what: 'announced only' },
  { extension: '200', line: 'opt-out', purpose: 'training', consent: 'optOut', what: 'key 9 refuses' },
  { extension: '300', line: 'opt-in', purpose: 'agreement', consent: 'optIn', what: 'key 1 agrees, key 2 refuses' },
] as const;

const purposeOf = (purpose: string, consent: string): Record<string, unknown> => ({
  ...labPurpose(purpose, 'Calls of the lab are recorded in order to see how a call goes.', 28),
  consent,
  ...(purpose === 'agreement' ? { kind: 'evidence' } : {}),
  // As long as its sentence promises.
  ...(purpose === 'mifid' ? { keepDays: 1_827, holdsAllowed: true } : {}),
});

async function startLab(program: Program): Promise<Lab> {
  say('Starting an S3 server, telephones, Asterisk and Préavis ...');
  const store = await program.keep(startStore());
  await store.makeBucket(rigBucket);
  const agent = await program.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), ringMs, atOnce: 4 }),
  );
  const rig = await program.keep(
    startRig({
      store,
      extensions: Object.fromEntries(
        consents.map(({ extension, line }) => [extension, `${agent.dialString},20,line=${line}`]),
      ),
      config: {
        purposes: Object.fromEntries(consents.map(({ purpose, consent }) => [purpose, purposeOf(purpose, consent)])),
        lines: Object.fromEntries(
          consents.map(({ line, purpose }) => [line, { purposes: [purpose], defaultLanguages: ['fr'] }]),
        ),
      },
    }),
  );
  const caller = await program.keep(
    makeCallerPhone({
      sipPort: rig.asterisk.sipPort,
      tone: await continuousTone(callerHz),
      report: (text) => {
        tell('caller', text);
      },
    }),
  );

  return { store, agent, rig, caller, catalogue: await openCatalogueOf(rig, program) };
}

/** A file that a shell reads to have `preavis` work on this lab: the passwords stay out of the pane. */
function writeEnvironment(rig: Rig): string {
  const file = join(rig.folder, 'preavis.env');
  const lines = Object.entries(rig.variables).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });

  return file;
}

function printAddresses({ rig, store, agent }: Lab): void {
  const { asterisk, healthPort } = rig;
  const { ports } = asterisk;
  const file = writeEnvironment(rig);
  const rows: [string, string][] = [
    ...consents.map(({ extension, what }): [string, string] => [`Extension ${extension}`, what]),
    ['Asterisk', `${asterisk.version} in ${asterisk.folder}`],
    ['Asterisk console', asterisk.console.join(' ')],
    ['SIP', `sip:${defaultExtension}@127.0.0.1:${ports.sip} by UDP (A-law, no account)`],
    ['RTP', `ports ${ports.rtpFirst} to ${ports.rtpLast}`],
    ['ARI', `${asterisk.ariUrl}/ari, user ${asterisk.ariUsername}`],
    ['Recordings', asterisk.spoolFolder],
    ['Agent', `sip:agent@127.0.0.1:${agent.port} answers and waits`],
    ['S3', `http://${store.endPoint}:${store.port}, bucket ${rigBucket}, access key ${store.accessKey}`],
    ['S3 log', join(store.folder, 'log')],
    ['Health page', `http://127.0.0.1:${healthPort}/health, with /metrics beside it`],
    ['Log of serve', rig.logFile],
    ['Configuration', `${rig.configFile}, for preavis --config`],
    ['Passwords', `${file}, for the environment of preavis`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  say(`\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n`);
  say('Commands, in another shell in this folder:');
  say(`  . ${file}`);
  say('  node dist/main.js recordings list\n');
}

function printKeys(): void {
  say('Keys, each with Enter behind it:');
  for (const line of orderHelp) say(`  ${line}`);
  say('');
}

/** Shows what all of them log from now on, and what serve has logged since its start. */
async function showLogs({ rig, store, agent, caller }: Lab, program: Program): Promise<void> {
  const phone =
    (source: Source) =>
    ({ name, at }: SipEvent): void => {
      tell(source, `${timeOfDay(isoTime(Math.round(at)))} ${name}`);
    };
  const gateway = join(store.folder, 'log/client.rgw.log');
  let wasRunning = true;
  const parts = [
    followFile(rig.logFile, 'start', (line) => {
      tell('preavis', preavisLine(line));
    }),
    followFile(rig.asterisk.logFile, 'end', (line) => {
      tell('asterisk', line);
    }),
    followFile(gateway, 'end', (line) => {
      const text = storeLine(line);
      if (text !== undefined) tell('store', text);
    }),
    followList(() => agent.events(), phone('agent')),
    followList(() => caller.events(), phone('caller')),
    lookEach(serveEachMs, () => {
      const isRunning = rig.servePid() !== undefined;
      if (wasRunning !== isRunning) tell('lab', `preavis serve is ${isRunning ? 'up again' : 'down; r starts it'}`);
      wasRunning = isRunning;
    }),
  ];
  for (const part of parts) await program.keep(part);
}

function outcome(call: ReportCall): string {
  const heard = call.notice.filter((sentence) => sentence.verified).length;
  const { recording } = call;
  const told = `${call.language} because of ${call.languageReason ?? 'nothing'}, ${heard} of ${call.notice.length} sentences heard`;
  const kept =
    recording === null
      ? 'no recording'
      : `recording ${recording.id} ${recording.status}, ${((recording.durationMs ?? 0) / 1_000).toFixed(1)} s`;

  return `call ${call.id} is over: ${call.result ?? 'no result'}, ${told}, ${kept}`;
}

async function upload(rig: Rig): Promise<void> {
  const { code, stdout, stderr } = await rig.preavis('upload');
  for (const line of stderr.trim().split('\n')) if (line !== '') tell('preavis', preavisLine(line));
  tell('lab', `preavis upload (exit code ${code}): ${stdout.trim()}`);
}

async function restart(rig: Rig): Promise<void> {
  await rig.stopServe();
  await rig.startServe();
}

/** Does what was typed; resolves with true when that is the end. */
async function obey(order: Order, { rig, caller }: Lab): Promise<boolean> {
  switch (order.do) {
    case 'call':
      await caller.call(order.to, order.from ?? defaultNumber);
      return false;
    case 'hangUp':
      await caller.hangUp();
      return false;
    case 'press':
      await caller.press(order.keys);
      return false;
    case 'upload':
      await upload(rig);
      return false;
    case 'restart':
      await restart(rig);
      return false;
    case 'help':
      printKeys();
      return false;
    case 'refuse':
      tell('lab', order.problem);
      return false;
    case 'nothing':
      return false;
    case 'quit':
      return true;
  }
}

/** Obeys what is typed, one order after the other, until `q`. A standard input that ends does not end the lab. */
async function obeyKeys(lab: Lab, program: Program): Promise<void> {
  const typed = createInterface({ input: process.stdin });
  await program.keep({
    stop: () => {
      typed.close();
      return Promise.resolve();
    },
  });
  let latest = Promise.resolve();
  const quit = new Promise<void>((resolve) => {
    const act = async (line: string): Promise<void> => {
      try {
        if (await obey(parseOrder(line), lab)) resolve();
      } catch (error) {
        tell('lab', wordsOf(error));
      }
    };
    typed.on('line', (line) => {
      latest = latest.then(() => act(line));
    });
  });
  await Promise.race([quit, program.asked]);
}

/** One call from beginning to archive. */
async function callOnce(lab: Lab, ended: () => Promise<ReportCall>): Promise<void> {
  const { caller, agent, rig, catalogue } = lab;
  const until = Date.now() + onceLimitMs;
  await caller.call(defaultExtension, defaultNumber);
  while (agent.answered() === 0) {
    if (Date.now() > until) throw new Error(`The agent got no call within ${onceLimitMs / 1_000} s.`);
    await sleep(100);
  }
  await sleep(talkMs);
  await caller.hangUp();
  const { result, recording } = await ended();
  if (recording === null) throw new Error(`The call was not recorded: ${result ?? 'no result'}.`);
  await upload(rig);
  const row = (await catalogue.recordings.list({ limit: -1 })).find(({ id }) => id === recording.id);
  if (row?.status !== 'archived') throw new Error(`The recording was not archived: it is ${row?.status ?? 'gone'}.`);
  tell('lab', `archived as ${row.objectKey ?? ''}`);
}

/** Tells of each call that is over; resolves with the first one. */
async function showEndedCalls({ catalogue }: Lab, program: Program): Promise<() => Promise<ReportCall>> {
  let finish = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const first = new Promise<ReportCall>((resolve, reject) => {
    followEndedCalls(catalogue, over, async (calls) => {
      for (const call of calls) {
        const report = await reportCall(call, catalogue, undefined);
        tell('lab', outcome(report));
        resolve(report);
      }
    }).catch((error: unknown) => {
      tell('lab', wordsOf(error));
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
  first.catch(() => undefined);
  await program.keep({
    stop: () => {
      finish();
      return Promise.resolve();
    },
  });

  return () => first;
}

async function up(program: Program, once: boolean): Promise<void> {
  const lab = await startLab(program);
  await showLogs(lab, program);
  const ended = await showEndedCalls(lab, program);
  printAddresses(lab);
  if (!once) printKeys();
  if (once) await program.unlessAsked(callOnce(lab, ended));
  else await obeyKeys(lab, program);
  tell('lab', 'ending ...');
}

await runProgram('lab', async (program) => {
  const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help === true) {
    say('npm run lab -- [--once]');
    say('  --once   place one call, wait for its recording, and end');
  } else await up(program, values.once === true);
});
