/** What the acceptance tests ask of a rig: who is connected, what was recorded, what the catalogue says. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { liveCount, stopAll } from '../../../lab/machine/processes.ts';
import { startRig, type Rig, type RigOptions } from '../../../lab/rig.ts';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import type { Agent, Call } from '../../../lab/telephones/sip.ts';
import { markerName } from '../../../src/store/directory/marker.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { CallRow, ChangeRow, NoticeRow, RecordingRow, UnwatchedRow } from '../../../src/catalogue/rows.ts';
import type { CallId } from '../../../src/core/ids.ts';
import { failedTests, keepTraces } from '../failures.ts';
import { onTime } from './onTime.ts';
import { linesOfCalls } from '../ari/channelLines.ts';
import { callsInVain, isAside, putAside, putAsideLate } from './aside.ts';
import { eventually } from '../poll.ts';
import { closePolled, hasCatalogue, withCatalogue } from './rigCatalogue.ts';

/** What `recordings show ID --json` prints. */
export type ShownRecording = {
  id: string;
  status: string;
  startedAt: string | null;
  finishedAt: string | null;
  durationMs: number;
  bytes: number;
  line: string;
  purposes: string[];
  languages: string[];
  keepUntil: string;
  objectKey: string | null;
  flags: string[];
  failure: string | null;
  call: string;
  sha256: string;
  gapMs: number | null;
  languageReason: string;
  policyVersion: string;
  notice: { prompt: string; language: string; text: string; sha256: string; verified: boolean; verdict: string }[];
  audit: { event: string; from: string | null; to: string | null; actor: string; at: string }[];
};

export const listRecordings = async (rig: Rig): Promise<ShownRecording[]> =>
  (await rig.preavisJson<{ recordings: ShownRecording[] }>('recordings', 'list', '--limit', '1000')).recordings.filter(
    ({ call }) => !isAside(rig, call),
  );

export const showRecording = (rig: Rig, id: string): Promise<ShownRecording> =>
  rig.preavisJson<ShownRecording>('recordings', 'show', id);

/** Newest first. */
export const catalogueCalls = (rig: Rig): Promise<CallRow[]> =>
  withCatalogue(rig, async (all) => {
    const calls = await all.calls.list(1000);
    putAsideLate(rig, calls);
    return calls.filter(({ id }) => !isAside(rig, id));
  });

/** Newest first. Quicker than the command, for polling. */
export const catalogueRecordings = (rig: Rig): Promise<RecordingRow[]> =>
  withCatalogue(rig, async (all) =>
    (await all.recordings.list({ limit: 1000 })).filter(({ callId }) => !isAside(rig, callId)),
  );

/** What the catalogue has of the call by this line; nothing where there is no call. */
const ofCall = <T>(rig: Rig, line: string, look: (all: Catalogue, id: CallId) => Promise<T[]>): Promise<T[]> =>
  withCatalogue(rig, async (all) => {
    // The newest one: earlier ones by this line were put aside.
    const call = (await all.calls.list(1000)).find((each) => each.line === line);

    return call === undefined ? [] : look(all, call.id);
  });

/** The sentences that the call by this line heard. */
export const catalogueNotices = (rig: Rig, line: string): Promise<NoticeRow[]> =>
  ofCall(rig, line, (all, id) => all.calls.notices(id));

/** What was kept of that call beside its state, for its receipt. */
export const catalogueChanges = (rig: Rig, line: string): Promise<ChangeRow[]> =>
  ofCall(rig, line, (all, id) => all.timeline.changes(id));

/** When nobody listened to this call. */
export const catalogueUnwatched = (rig: Rig, call: CallId): Promise<UnwatchedRow[]> =>
  withCatalogue(rig, (all) => all.timeline.unwatched(call));

/** The call that came in by this line, when it has ended. Each call of a test has a line of its own. */
export function endedCall(rig: Rig, line: string): Promise<CallRow> {
  return eventually(async () => {
    const [call, ...others] = (await catalogueCalls(rig)).filter((each) => each.line === line);
    if (others.length > 0) throw new Error(`several calls by the line ${line}`);
    if (call?.phase !== 'ended') throw new Error(`the call by the line ${line} is ${call?.phase ?? 'not there'}`);

    return call;
  });
}

/** The recording of the newest call by this line, once so much of it is written down, bytes; calls of these ids do not count. */
export async function writtenRecording(
  rig: Rig,
  line: string,
  bytes: number,
  without: readonly string[] = [],
): Promise<RecordingRow> {
  return eventually(async () => {
    const ours = (await catalogueCalls(rig)).find((each) => each.line === line && !without.includes(each.id));
    const row = (await catalogueRecordings(rig)).find(({ callId }) => callId === ours?.id);
    if (row === undefined) throw new Error(`no recording of the line ${line}`);
    expect(statSync(spooledWav(rig, row.id)).size).toBeGreaterThan(bytes);

    return row;
  });
}

/** The recording of that call, when its file is closed: `serve` looks again after ten seconds. */
export async function finishedRecording(rig: Rig, line: string): Promise<RecordingRow> {
  return eventually(async () => {
    const call = (await catalogueCalls(rig)).find((each) => each.line === line);
    const recording = (await catalogueRecordings(rig)).find((each) => each.callId === call?.id);
    if (recording === undefined) throw new Error(`no recording of the line ${line}`);
    // An upload pass finishes what it sends, and may have sent it already.
    if (recording.status !== 'recorded' && recording.status !== 'archived') {
      throw new Error(`the recording of ${line} is ${recording.status}`);
    }

    return recording;
  });
}

export const spooledWav = (rig: Rig, id: string): string => join(rig.asterisk.spoolFolder, `preavis-${id}.wav`);

/** A lot that somebody was parked in keeps its bridge, empty. */
const isEmptyLot = (line: string): boolean => / 0 parking +holding_bridge /.test(line);

/** Waits until Asterisk has no channel of a call and no bridge. */
export async function expectNobodyConnected(rig: Rig): Promise<void> {
  await eventually(async () => {
    expect(linesOfCalls(await rig.asterisk.cli('core show channels concise'))).toEqual([]);
    const [, ...bridges] = (await rig.asterisk.cli('bridge show all')).trim().split('\n');
    expect(bridges.filter((line) => !isEmptyLot(line))).toEqual([]);
  });
}

/** The names of the files in a folder and below it, but for the archive's own marks. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== markerName && !entry.name.endsWith('.mark'))
    .map((entry) => entry.name);

/** No sound of anybody was kept: not in the spool, not in the archive, not in the catalogue. */
export async function expectNothingRecorded(rig: Rig): Promise<void> {
  // A Préavis that never ran has no catalogue yet.
  const isThere = hasCatalogue(rig);
  const rows = isThere ? await withCatalogue(rig, (all) => all.recordings.list({ limit: 1000 })) : [];
  const inVain = rows.filter(({ callId }) => isAside(rig, callId)).map(({ id }) => String(id));
  const files = [...filesBelow(rig.asterisk.spoolFolder), ...filesBelow(rig.archiveFolder)];
  expect(files.filter((name) => !inVain.some((id) => name.includes(id)))).toEqual([]);
  if (isThere) expect(await listRecordings(rig)).toEqual([]);
}

/** All that Préavis has said so far, as text. */
export const logText = (rig: Rig): string => readFileSync(join(rig.folder, 'serve.log'), 'utf8');

type Closing = { close(): void };
/** May have been stopped before. */
type Stopping = { stop(): Promise<void> };

export type RigInUse = {
  readonly rig: Rig;
  keep<T extends Agent | Call | Closing | Stopping>(made: Promise<T>): Promise<T>;
  /**
   * Makes a call by this line, or by several, and measures it; again when the lab was late meanwhile. Whatever the late call has left
   * in the catalogue does not count.
   */
  onTime<T>(lines: string | readonly string[], act: () => Promise<T>): Promise<T>;
  /** How many recordings calls in vain by these lines, or by any, have left. */
  recordedInVain(lines?: readonly string[]): Promise<number>;
  /** How many calls by these lines, or by any, were placed in vain and are in the catalogue. */
  inVain(lines?: readonly string[]): number;
  /**
   * For who counts at another place than the catalogue, as at an agent: what calls by these lines have left there, `each` from every
   * call, and from one that was placed in vain as much at most.
   */
  expectFrom(lines: readonly string[], counted: number, each?: number): void;
};

/**
 * The rig, agents, calls and receivers of one test file. Whatever a test leaves is ended, and nothing may be left then. When a test has
 * failed, logs and sound are kept.
 */
export function useRig(options: () => Promise<RigOptions> | RigOptions): RigInUse {
  let rig: Rig | undefined;
  const calls: (Agent | Call | Closing | Stopping)[] = [];
  const attempt = new AsyncLocalStorage<{ made: (Agent | Call | Closing | Stopping)[]; isOver: boolean }>();
  /**
   * Its calls are over when it is, however it ends: the next one by the same line finds nobody in its way. What of it still runs, as
   * beside an act that failed, places no more of them.
   */
  const inAttempt = async <T>(act: () => Promise<T>): Promise<T> => {
    const ours = { made: [] as (Agent | Call | Closing | Stopping)[], isOver: false };
    try {
      return await attempt.run(ours, act);
    } catch (error) {
      ours.isOver = true;
      for (const each of ours.made) if ('hangUp' in each) await each.hangUp().catch(() => undefined);
      throw error;
    }
  };
  beforeAll(async () => {
    const started = await startRig(await options());
    rig = {
      ...started,
      log: () => started.log().filter(({ call }) => !isAside(started, String(call))),
      killServe: () => {
        // What the dead one has left is for the next one to find, and not for us to write into the catalogue.
        closePolled(started);
        return started.killServe();
      },
    };
  });
  afterAll(async () => {
    if (rig !== undefined && failedTests().length > 0) {
      const telephones = {
        callers: calls.filter((made) => 'hangUp' in made),
        agents: calls.filter((made) => 'dialString' in made),
        receivers: calls.filter((made): made is RtpReceiver => 'samples' in made),
      };
      // The rig is ended in any case.
      await keepTraces(rig, telephones).catch((error: unknown) => {
        process.stderr.write(`lab: the traces of a failure could not be kept: ${String(error)}\n`);
      });
    }
    for (const made of calls.splice(0).reverse()) {
      if ('close' in made) made.close();
      else await made.stop();
    }
    await rig?.stop();
    const left = liveCount();
    await stopAll();
    expect(left).toBe(0);
  });

  const inVain = (lines?: readonly string[]): number => (rig === undefined ? 0 : callsInVain(rig, lines).length);

  return {
    get rig() {
      if (rig === undefined) throw new Error('the rig is not there yet');
      return rig;
    },
    keep: async (made) => {
      const kept = await made;
      calls.push(kept);
      const ours = attempt.getStore();
      ours?.made.push(kept);
      if (ours?.isOver === true && 'hangUp' in kept) {
        await kept.hangUp();
        throw new Error('the attempt that this call belongs to is over');
      }

      return kept;
    },
    recordedInVain: async (lines) => {
      if (rig === undefined) return 0;
      const calls = callsInVain(rig, lines);
      const rows = await withCatalogue(rig, (all) => all.recordings.list({ limit: 1000 }));

      return rows.filter(({ callId, status }) => calls.includes(callId) && /^(recorded|archived)$/.test(status)).length;
    },
    inVain,
    expectFrom: (lines, counted, each = 1) => {
      expect(counted).toBeGreaterThanOrEqual(each * lines.length);
      expect(counted).toBeLessThanOrEqual(each * (lines.length + inVain(lines)));
    },
    onTime: (lines, act) => {
      const all = typeof lines === 'string' ? [lines] : lines;
      return onTime({
        what: all.length === 0 ? 'the call' : `the call by ${all.join(' and ')}`,
        act: () => inAttempt(act),
        setAside: async () => {
          // Where Préavis was never started, the dialplan alone connected the call.
          if (rig === undefined || !hasCatalogue(rig)) return;
          putAside(rig, all, await catalogueCalls(rig));
        },
      });
    },
  };
}
