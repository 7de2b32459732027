import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { ulid } from 'ulid';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { RecordingStatus } from '../../../src/catalogue/statuses.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { makeIds, type CallId, type RecordingId } from '../../../src/core/ids.ts';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { aRequest, callStart, eventsTo, someFacts } from '../call/calls.ts';
import { dayMs, recorderEnd, saveCall } from '../catalogue/catalogues.ts';

/** Calls of every kind, put into a catalogue as it would have become. */

/** `over`: whether its time has ended. */
type StagedPurpose = { name: string; over: boolean };
type Shape = {
  line: string;
  extension: string | null;
  purposes: readonly StagedPurpose[];
  /** none: it was not recorded. running: the call goes on. */
  status: RecordingStatus | 'none' | 'running';
};
export type StagedCall = Shape & { call: CallId; recording: RecordingId; wav: Buffer };

/** `caller`: the keyed hash of the number that all of them came from. */
type StagingPorts = { catalogue: Catalogue; store: ObjectStore; spoolFolder: string; caller: string };

let ordered = 0;
const note = { event: 'staged', actor: 'test' };
const never = new AbortController().signal;

const forms: Readonly<Record<Shape['status'], readonly RecordingStatus[]>> = {
  running: [],
  none: [],
  recording: [],
  recorded: ['recorded'],
  archived: ['recorded', 'archived'],
  erased: ['recorded', 'archived', 'erased'],
  failed: ['failed'],
  lost: ['lost'],
  discarded: ['discarded'],
};

/** Ends are counted from now, since the process under test has the clock of the machine. */
export async function stageCall(ports: StagingPorts, shape: Shape, wav: Buffer): Promise<StagedCall> {
  const { catalogue, store, spoolFolder, caller } = ports;
  const { line, extension, purposes, status } = shape;
  const names = purposes.map(({ name }) => name);
  const request = { ...aRequest(), line, purposes: names };
  const { order } = someFacts(makeIds(() => ulid(callStart + (ordered += 1))));
  const until = status === 'running' ? 'talking' : status === 'none' ? 'dialling' : 'ended';
  const saved = await saveCall(catalogue, {
    until,
    shape: { request, order: { ...order, request } },
    idsAt: callStart + ordered,
    ...(status === 'none'
      ? {
          events: (facts) => [...eventsTo('dialling', facts), { type: 'callerLeft', at: callStart + 80_000 }],
        }
      : {}),
  });
  const { id, facts } = saved;
  if (extension !== null) await catalogue.extensions.keep(facts.id, extension);
  await catalogue.callers.keep({ call: facts.id, hash: caller, sealed: null });
  const ends = purposes.map(({ name, over }) => ({ purpose: name, keepUntil: Date.now() + (over ? -1 : 300) * dayMs }));
  const keepUntil = Math.max(...ends.map((end) => end.keepUntil));
  const sha256 = createHash('sha256').update(wav).digest('hex');
  const about = {
    recorded: { keepUntil, keptFrom: recorderEnd, bytes: wav.length, durationMs: 1_000, sha256, purposeEnds: ends },
    failed: { keepUntil, keptFrom: recorderEnd, failure: 'wav_broken', purposeEnds: ends },
  };
  const key = objectKeys(id, callStart).wav;
  let from: RecordingStatus = 'recording';
  for (const to of forms[status]) {
    if (to === 'recorded') {
      await mkdir(spoolFolder, { recursive: true });
      await writeFile(spoolFile(spoolFolder, id), wav);
    }
    if (to === 'archived') {
      const expected = { bytes: wav.length, sha256, contentType: 'audio/wav' };
      await store.putFile(key, spoolFile(spoolFolder, id), expected, never);
    }
    const changes =
      to === 'archived'
        ? { archive: store.location, objectKey: key }
        : to === 'recorded' || to === 'failed'
          ? about[to]
          : {};
    await catalogue.recordings.move(id, from, to, changes, note);
    from = to;
  }

  return { ...shape, call: facts.id, recording: id, wav };
}
