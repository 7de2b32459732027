/** What became of calls, for those who look at a program of the lab. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCatalogue, type Catalogue } from '../src/catalogue/catalogue.ts';
import type { CallRow } from '../src/catalogue/rows.ts';
import { table } from '../src/cli/table.ts';
import { isoTime, systemClock } from '../src/core/clock.ts';
import { gapMs } from '../src/receipt/receipt.ts';
import { say, type Program } from './program.ts';
import type { Rig } from './rig.ts';

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

/** What became of one call, as the demo's report has it. */
export type ReportCall = {
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

const time = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

/** Reads it from the catalogue; `folder` is where the WAVs were fetched to. */
export async function reportCall(call: CallRow, catalogue: Catalogue, folder: string | undefined): Promise<ReportCall> {
  const row = (await catalogue.recordings.list({ limit: -1 })).find((each) => each.callId === call.id);
  const name = row === undefined ? '' : `preavis-${row.id}.wav`;

  return {
    id: call.id,
    line: call.line,
    purpose: call.purposes.join('+'),
    language: call.languages.join('+'),
    languageReason: call.languageReason,
    result: call.result,
    notice: (await catalogue.calls.notices(call.id)).map((sentence) => ({
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

/** Prints a table of calls. */
export function printCalls(calls: readonly ReportCall[]): void {
  const rows = calls.map((call) => [
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
  // The id stands below: beside the rest it would break words.
  const ids = calls.map(({ id }) => id);
  say(`\n${table(header, rows, ids)}\n`);
}

/** The catalogue of a rig, beside `serve`, until the program ends. */
export async function openCatalogueOf(rig: Rig, program: Program): Promise<Catalogue> {
  const catalogue = openCatalogue(join(rig.folder, 'catalogue.db'), systemClock, { mustExist: true });
  await program.keep({
    stop: () => {
      catalogue.close();
      return Promise.resolve();
    },
  });

  return catalogue;
}

const lookEachMs = 250;

/** Hands over calls that end from now on, each once and after its WAV was read, until `end` resolves. */
export async function followEndedCalls(
  catalogue: Catalogue,
  end: Promise<void>,
  act: (calls: readonly CallRow[]) => Promise<void> | void,
): Promise<void> {
  const known = new Set((await catalogue.calls.list(100)).map((call) => call.id));
  const over = end.then(() => true as const);
  do {
    const ended = (await catalogue.calls.list(100))
      .filter((call) => call.result !== null && !known.has(call.id))
      .reverse();
    const open = new Set(
      (await catalogue.recordings.list({ status: 'recording', limit: -1 })).map((row) => row.callId),
    );
    const ready = ended.filter((call) => !open.has(call.id));
    if (ready.length === 0) continue;
    for (const call of ready) known.add(call.id);
    await act(ready);
  } while ((await Promise.race([over, sleep(lookEachMs)])) !== true);
}
