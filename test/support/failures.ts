/** What is needed to understand a failure without a second run: printed, and kept in a folder, for failed tests only. */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runFolder } from '../../lab/machine/folders.mjs';
import type { Rig } from '../../lab/rig.ts';
import type { Agent, Call, SipEvent } from '../../lab/telephones/sip.ts';
import { openCatalogue } from '../../src/catalogue/catalogue.ts';
import type { CallRow, NoticeRow, RecordingRow } from '../../src/catalogue/rows.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { RtpReceiver } from '../../lab/telephones/rtpReceiver.ts';
import { bounds, lateSince } from '../../lab/machine/lateness.ts';
import { writeWav } from './audio/audio.ts';

/** The names of this file's tests that have failed so far (test/run/environment.mjs). */
export function failedTests(): readonly string[] {
  return (globalThis as { preavisFailedTests?: readonly string[] }).preavisFailedTests ?? [];
}

/** The port is that of the telephone's SDP, as Asterisk's log has it. */
const heardFile = ({ port }: RtpReceiver): string => `heard-on-${port}.wav`;

export type Telephones = {
  readonly callers: readonly Call[];
  readonly agents: readonly Agent[];
  readonly receivers: readonly RtpReceiver[];
};

/** What a file in the folder of a failure holds, if its name does not tell. */
const kinds: Readonly<Record<string, string>> = {
  'serve.log': ': of Préavis',
  recordings: ': as they lay in the spool',
  archive: ': what was uploaded',
};

export type Failure = {
  /** Of what: a test file, or a run without jest. */
  of: string;
  /** What failed, a sentence each. */
  failed: readonly string[];
  /** Further files: what is in them by their name. */
  files?: Readonly<Record<string, string | Buffer>>;
};

const failureOfFile = (): Failure => ({
  of: basename(expect.getState().testPath ?? 'unknown').replace(/\.test\.ts$/, ''),
  failed: failedTests(),
});

/** Asterisk and Préavis still work in what is copied, and a full disk may be what failed: what is left of it may do. */
function ifPossible(keep: () => void): void {
  try {
    keep();
  } catch {
    // The next may be possible.
  }
}

/** Copies logs, sound and catalogue of the rig before it is removed, and prints the timeline of its calls. */
export async function keepTraces(
  rig: Rig,
  telephones: Telephones,
  { of, failed, files = {} }: Failure = failureOfFile(),
): Promise<void> {
  const folder = join(runFolder(), 'failed', `${new Date().toISOString().replace(/[:.]/g, '-')}-${of}`);
  mkdirSync(folder, { recursive: true });
  const copies: Record<string, string> = {
    'serve.log': join(rig.folder, 'serve.log'),
    'asterisk.log': join(rig.asterisk.folder, 'log/full.log'),
    'asterisk-console.log': join(rig.asterisk.folder, 'log/console.log'),
    recordings: rig.asterisk.spoolFolder,
    archive: rig.archiveFolder,
  };
  for (const name of readdirSync(rig.folder)) {
    if (/^(?:catalogue\.db|worker-)/.test(name)) copies[name] = join(rig.folder, name);
  }
  for (const [name, from] of Object.entries(copies)) {
    ifPossible(() => {
      if (existsSync(from)) cpSync(from, join(folder, name), { recursive: true });
    });
  }
  for (const [name, content] of Object.entries(files)) {
    ifPossible(() => {
      writeFileSync(join(folder, name), content);
    });
  }
  for (const receiver of telephones.receivers) {
    ifPossible(() => {
      if (receiver.packets() > 0) writeWav(join(folder, heardFile(receiver)), receiver.samples());
    });
  }
  const text = [
    `traces of ${of}: ${failed.length} failed`,
    ...failed.map((name) => `  failed: ${name}`),
    ...(await timelines(rig).catch((error: unknown) => [`  the catalogue cannot be read: ${String(error)}`])),
    ...sipLines(telephones),
    ...lateLines(),
    `  kept: ${folder}`,
    ...readdirSync(folder).map((name) => `    ${name}${kinds[name] ?? ''}`),
    '    timeline.txt: these lines',
  ].join('\n');
  process.stderr.write(`${text}\n`);
  writeFileSync(join(folder, 'timeline.txt'), `${text}\n`);
}

/** One line a call: when it came, and in seconds from there what Asterisk and Préavis did. */
async function timelines(rig: Rig): Promise<string[]> {
  if (!existsSync(join(rig.folder, 'catalogue.db'))) return ['  no catalogue'];
  const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock, { mustExist: true });
  try {
    const recordings = await catalogue.recordings.list({ limit: 1000 });
    const calls = (await catalogue.calls.list(1000)).toReversed();
    return await Promise.all(
      calls.map(async (call) =>
        timelineOf(
          call,
          await catalogue.calls.notices(call.id),
          recordings.find(({ callId }) => callId === call.id),
        ),
      ),
    );
  } finally {
    catalogue.close();
  }
}

/** Times of Asterisk's events but for the first and the last, which are Préavis's. */
function timelineOf(call: CallRow, notices: readonly NoticeRow[], recording: RecordingRow | undefined): string {
  const since = (at: number | null): string => (at === null ? '?' : `+${((at - call.startedAt) / 1000).toFixed(2)}`);
  const sentences = notices.map(
    ({ prompt, language, startedAt, finishedAt, verdict }) =>
      `${prompt}-${language} ${since(startedAt)}..${since(finishedAt)} ${verdict}`,
  );
  const recorded =
    recording === undefined
      ? ['no recording']
      : [
          `recorder ${since(recording.startedAt)}..${since(recording.finishedAt)}`,
          `${recording.status} ${recording.id}`,
          ...(recording.flags.length === 0 ? [] : [recording.flags.join('+')]),
        ];
  const reason = call.reason === null ? '' : ` (${call.reason})`;
  const over = call.phase === 'ended' ? `ended ${since(call.endedAt)}` : 'not ended:';
  const ended = `${over} ${call.result ?? call.phase}${reason}`;

  return `  ${call.line ?? `call without a line, ${call.id}`}: ${new Date(call.startedAt).toISOString()} ${[...sentences, ...recorded, ended].join(' · ')}`;
}

function sipLines({ callers, agents, receivers }: Telephones): string[] {
  const text = (events: readonly SipEvent[]): string =>
    events.map(({ name, at }) => `${name} ${new Date(at).toISOString().slice(11)}`).join(' · ');

  return [
    ...callers.map((call, index) => {
      const receiver = call.receiverPort === undefined ? '' : `, receiver on ${call.receiverPort}`;
      return `  caller ${index + 1} to ${call.to}${receiver}: ${text(call.events())}`;
    }),
    ...agents.map((agent) => `  agent on ${agent.port}: ${text(agent.events())}`),
    ...receivers.map(
      (receiver) => `  receiver on ${receiver.port}: ${receiver.packets()} packets, ${heardFile(receiver)}`,
    ),
  ];
}

/** This module is loaded anew for each test file. */
const fileBegan = Date.now();
const mostLate = 20;

/** What of the lab was late while this file ran. */
function lateLines(): string[] {
  const { late, packets } = lateSince(fileBegan);
  const inWords = late
    .slice(-mostLate)
    .map(
      ({ kind, at, lateMs }) =>
        `    ${new Date(at).toISOString().slice(11)} ${kind} ${lateMs} ms (bound ${bounds[kind]} ms)`,
    );
  const unseen = packets === 'watched' ? [] : ['  the packets of telephones were not watched'];

  return late.length === 0
    ? [...unseen, `  the lab: nothing ${unseen.length === 0 ? '' : 'else '}came late`]
    : [...unseen, `  late in the lab, the last ${inWords.length} of ${late.length}:`, ...inWords];
}
