/** What is needed to understand a failure without a second run: printed, and kept in a folder, for failed tests only. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runFolder } from '../../lab/places.mjs';
import type { Rig } from '../../lab/rig.ts';
import type { Agent, Call, SipEvent } from '../../lab/sip.ts';
import { openCatalogue } from '../../src/catalogue/catalogue.ts';
import type { CallRow, NoticeRow, RecordingRow } from '../../src/catalogue/rows.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Ear } from '../../lab/ear.ts';
import { bounds, watchVariable, type LateKind } from '../../lab/lateness.ts';
import { writeWav } from './audio.ts';

/** The names of this file's tests that have failed so far (test/run/environment.mjs). */
export function failedTests(): readonly string[] {
  return (globalThis as { preavisFailedTests?: readonly string[] }).preavisFailedTests ?? [];
}

export type Telephones = {
  readonly callers: readonly Call[];
  readonly agents: readonly Agent[];
  readonly ears: readonly Ear[];
};

/** What is in the folder of a failure, where the name does not say it. */
const kinds: Readonly<Record<string, string>> = {
  'serve.log': ': of Préavis',
  recordings: ': as they lay in the spool',
  archive: ': what was uploaded',
};

/** Copies logs, sound and catalogue of the rig before it is removed, and prints the timeline of its calls. */
export async function keepTraces(rig: Rig, telephones: Telephones): Promise<void> {
  const file = basename(expect.getState().testPath ?? 'unknown').replace(/\.test\.ts$/, '');
  const folder = join(runFolder(), 'failed', `${new Date().toISOString().replace(/[:.]/g, '-')}-${file}`);
  mkdirSync(folder, { recursive: true });
  const copies: Record<string, string> = {
    'serve.log': join(rig.folder, 'serve.log'),
    'asterisk.log': join(rig.asterisk.folder, 'log/full.log'),
    'asterisk-console.log': join(rig.asterisk.folder, 'log/console.log'),
    recordings: rig.asterisk.spoolFolder,
    archive: rig.archiveFolder,
  };
  for (const name of readdirSync(rig.folder)) {
    if (name.startsWith('catalogue.db')) copies[name] = join(rig.folder, name);
  }
  for (const [name, from] of Object.entries(copies)) {
    try {
      if (existsSync(from)) cpSync(from, join(folder, name), { recursive: true });
    } catch {
      // Asterisk and Préavis still work in there; what is left of it may do.
    }
  }
  for (const [index, ear] of telephones.ears.entries()) {
    if (ear.packets() > 0) writeWav(join(folder, `telephone-${index + 1}-heard.wav`), ear.samples());
  }
  const text = [
    `traces of ${file}: ${failedTests().length} failed`,
    ...failedTests().map((name) => `  failed: ${name}`),
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
    const recordings = await catalogue.recordings({ limit: 1000 });
    const calls = (await catalogue.calls(1000)).toReversed();
    return await Promise.all(
      calls.map(async (call) =>
        timelineOf(
          call,
          await catalogue.notices(call.id),
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
  const over = call.phase === 'ended' ? `ended ${call.endedAt === null ? '' : since(call.endedAt)}` : 'not ended:';
  const ended = `${over} ${call.result ?? call.phase}${reason}`;

  return `  ${call.line ?? `call without a line, ${call.id}`}: ${new Date(call.startedAt).toISOString()} ${[...sentences, ...recorded, ended].join(' · ')}`;
}

function sipLines({ callers, agents }: Telephones): string[] {
  const text = (events: readonly SipEvent[]): string =>
    events.map(({ name, at }) => `${name} ${new Date(at).toISOString().slice(11)}`).join(' · ');

  return [
    ...callers.map((call, index) => `  caller ${index + 1}: ${text(call.events())}`),
    ...agents.map((agent) => `  agent on ${agent.port}: ${text(agent.events())}`),
  ];
}

/** Each as the line in the output does that places a call again. */
function lateLines(): string[] {
  const file = join(process.env[watchVariable] ?? '', 'late.txt');
  const late = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).slice(-20) : [];
  const isBound = (kind: string): kind is LateKind => kind in bounds;
  const inWords = late.map((line) => {
    const [kind = '', at, lateMs] = line.split(' ');
    const bound = isBound(kind) ? ` (bound ${bounds[kind]} ms)` : '';
    return `    ${new Date(Number(at)).toISOString().slice(11)} ${kind} ${lateMs} ms late${bound}`;
  });

  return late.length === 0
    ? ['  the lab: no timer was late, no time stolen']
    : ['  late in the lab, the last 20:', ...inWords];
}
