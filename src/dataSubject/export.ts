import { rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { appearWhole, copyVerified, withFolderBeside, writing, type CopyTarget } from '../archive/verifiedCopy.ts';
import type { Archives } from '../archive/archives.ts';
import { wasTold } from '../call/decide/recordable.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { KeptCaller } from '../call/plan/callerStore.ts';
import type { Config } from '../config/schema.ts';
import { nameOfLine } from '../config/purposeRules.ts';
import { isoTime, type Clock } from '../core/clock.ts';
import { asPreavisError } from '../core/errors.ts';
import type { CallId, RecordingId } from '../core/ids.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import { filePart, ordinary, zipOf, type ZipPart } from '../core/zip.ts';
import { receiptOfCall, receiptText } from '../receipt/receipt.ts';
import { sourceOf } from '../archive/fetch.ts';
import { callsOfPerson, callsToDirect, type FindPorts, type Person, type PersonRecording } from './findCalls.ts';
import { indexPage } from './indexPage.ts';
import { loadSubjectTexts } from './texts.ts';
import type { SubjectLanguage } from './languages.ts';
import {
  callOf,
  controllerOf,
  exportedEvent,
  purposesOf,
  recordingOf,
  type AbsentWhy,
  type IndexFile,
  type IndexNotes,
  type PersonIndex,
} from './personIndex.ts';

/**
 * What is kept of a person, as a ZIP (GDPR art. 15): an index for people and one for programs, the recordings, a receipt of each call.
 * Recordings pass through one at a time, each compared with its SHA-256 before it is put in; so memory does not grow with them. The
 * beginning for each recording is in the audit trail before a byte of it is read.
 */
export type SubjectExportPorts = Archives & {
  catalogue: FindPorts &
    CataloguePart<{
      preferences: 'find';
      calls: 'policy' | 'notices';
      auditTrail: 'of' | 'append';
      certificates: 'of';
      recordings: 'find' | 'isHere';
      annotations: 'of';
      comments: 'of';
      timeline: 'said' | 'changes' | 'unwatched';
    }>;
  spoolFolder: string;
  config: Pick<Config, 'purposes' | 'lines' | 'controller' | 'schedule' | 'notice' | 'annotation'>;
  /** The number that was sealed, where it can be opened. */
  numberOf(caller: KeptCaller): string | undefined;
  clock: Clock;
  /** Who runs the command. */
  operator: string;
};

export type SubjectExportOrder = {
  person: Person;
  /** Only calls of this one of `controllers`, null: of none; undefined where there is no such. */
  controller?: string | null | undefined;
  language: SubjectLanguage;
  target: CopyTarget;
  progress(recordings: number): void;
  signal: AbortSignal;
};

export type SubjectExport = {
  calls: number;
  included: RecordingId[];
  absent: { id: RecordingId; why: AbsentWhy }[];
  /** Calls whose rows cannot be read. */
  unreadable: string[];
  /** The number is kept sealed, and not by the key that is configured. */
  numberUnread: boolean;
};

type Work = { ports: SubjectExportPorts; order: SubjectExportOrder; folder: string; result: SubjectExport };

/** Throws usage when the name is taken, output_unwritable, texts_invalid, the signal's reason, and what the catalogue throws. */
export async function exportForPerson(ports: SubjectExportPorts, order: SubjectExportOrder): Promise<SubjectExport> {
  const { catalogue, operator } = ports;
  const result: SubjectExport = { calls: 0, included: [], absent: [], unreadable: [], numberUnread: false };
  await withFolderBeside(order.target, async (folder) => {
    const fill = async (handle: FileHandle): Promise<void> => {
      for await (const chunk of zipOf(partsOf({ ports, order, folder, result }), ordinary)) {
        await writing(() => handle.writeFile(chunk));
      }
    };
    await appearWhole(order.target, fill, async () => {
      const detail = { person: order.person.kind };
      for (const id of result.included)
        await catalogue.auditTrail.append(id, { event: exportedEvent, actor: operator, detail });
    });
  });

  return result;
}

const isoTimes = ({ from, to }: { from: number; to: number }): PersonIndex['begun'] => ({
  from: isoTime(from),
  to: isoTime(to),
});

const textPart = (name: string, text: string): ZipPart => ({ name, bytes: Buffer.from(text) });

async function* partsOf(work: Work): AsyncGenerator<ZipPart> {
  const { ports, order, result } = work;
  const { config, clock, catalogue } = ports;
  const { person } = order;
  // Before anything is handed out: a file of texts may be broken.
  const texts = await loadSubjectTexts(order.language);
  const index: PersonIndex = {
    index: 1,
    madeAt: isoTime(clock.now()),
    language: order.language,
    timezone: config.schedule.timezone,
    controller: controllerOf(config, order.language),
    asker: person.kind,
    number: null,
    extension: person.kind === 'employee' ? person.extension : null,
    begun: person.kind === 'employee' && person.begun !== undefined ? isoTimes(person.begun) : null,
    direct: person.kind === 'employee' ? await directOf(person, work) : null,
    rememberedLanguage: null,
    calls: [],
    unreadableCalls: [],
  };
  for await (const found of callsOfPerson(catalogue, person, order.controller)) {
    order.signal.throwIfAborted();
    result.calls += 1;
    if (found.kind === 'unreadable') {
      index.unreadableCalls.push(found.id);
      result.unreadable.push(found.id);
      continue;
    }
    const number = found.caller && ports.numberOf(found.caller);
    if (number === undefined && (found.caller?.sealed ?? null) !== null) result.numberUnread = true;
    index.number = number ?? index.number;
    const policy = await catalogue.calls.policy(found.call.policyVersion);
    const notices = await catalogue.calls.notices(found.call.id);
    index.calls.push(
      callOf(found, person.kind, {
        told: wasTold(notices.map(({ verdict }) => verdict)),
        lineName: found.call.line === null ? null : nameOfLine(config.lines, found.call.line, order.language),
        purposes: purposesOf(found, policy, config.purposes, order.language),
        receipt: person.kind === 'caller' ? yield* receiptPart(found.call.id, work) : null,
        recording: found.recording === undefined ? null : yield* recordingPart(found.recording, work),
      }),
    );
  }
  // It is remembered for all companies, and is of this one's calls where there are any: to another nobody says that there are some.
  if (person.kind === 'caller' && (order.controller === undefined || index.calls.length > 0)) {
    index.rememberedLanguage = (await catalogue.preferences.find(person.hash)) ?? null;
  }
  yield textPart('index.json', `${JSON.stringify(index, undefined, 2)}\n`);
  yield textPart('index.html', indexPage(index, texts, config.purposes));
}

async function directOf(
  person: Extract<Person, { kind: 'employee' }>,
  { ports: { catalogue }, order }: Work,
): Promise<PersonIndex['direct']> {
  if (person.direct === undefined) return null;
  const calls: { startedAt: string; line: string | null }[] = [];
  for await (const { startedAt, line } of callsToDirect(catalogue, person, order.controller)) {
    order.signal.throwIfAborted();
    calls.push({ startedAt: isoTime(startedAt), line });
  }

  return { number: person.direct, calls };
}

/** A receipt that cannot be made is left out; the index says so. */
async function* receiptPart(id: CallId, { ports }: Work): AsyncGenerator<ZipPart, string | null> {
  let text: string;
  try {
    text = receiptText(await receiptOfCall(ports.catalogue, id));
  } catch (thrown) {
    const { code } = asPreavisError(thrown);
    if (code === 'row_unreadable' || code === 'internal') return null;
    throw thrown;
  }
  const name = `receipts/${id}.json`;
  yield textPart(name, text);

  return name;
}

async function* recordingPart(
  recording: PersonRecording,
  work: Work,
): AsyncGenerator<ZipPart, ReturnType<typeof recordingOf>> {
  const { ports, result, order } = work;
  const { catalogue, clock } = ports;
  const { row } = recording;
  const file = yield* soundPart(row, work);
  if (file.kind === 'included') result.included.push(row.id);
  else result.absent.push({ id: row.id, why: file.why });
  order.progress(result.included.length + result.absent.length);

  const audit = await catalogue.auditTrail.of(row.id);
  const about = { at: clock.now(), asker: order.person.kind, labelOf: labelIn(order.language, ports.config) };

  return recordingOf(recording, file, { audit, notes: await notesOf(row.id, order.person.kind, catalogue) }, about);
}

async function notesOf(
  id: RecordingId,
  asker: Person['kind'],
  { annotations, comments }: SubjectExportPorts['catalogue'],
): Promise<IndexNotes> {
  const { tags, rating } = await annotations.of(id);
  const written = await comments.of(id);

  return asker === 'caller' ? { tags, rating: null, comments: written } : { tags: [], rating, comments: written };
}

/** What a criterion is called; its name where the form has it no more. */
const labelIn =
  (language: SubjectLanguage, { annotation: { rating } }: SubjectExportPorts['config']) =>
  (criterion: string): string => {
    const label = Object.hasOwn(rating, criterion) ? rating[criterion]?.label : undefined;

    return label === undefined ? criterion : inLanguage(label, language);
  };

async function* soundPart(row: RecordingRow, { ports, order, folder }: Work): AsyncGenerator<ZipPart, IndexFile> {
  const { catalogue, operator } = ports;
  const { bytes, sha256 } = row;
  if (row.status !== 'recorded' && row.status !== 'archived') {
    return { kind: 'absent', why: await absenceOf(row, catalogue) };
  }
  if (bytes === null || sha256 === null) return { kind: 'absent', why: { reason: 'unusable' } };
  const expected = { bytes, sha256 };
  const copy = join(folder, `${row.id}.wav`);
  const person = order.person.kind;
  await catalogue.auditTrail.append(row.id, {
    event: 'export for the person begun',
    actor: operator,
    detail: { person },
  });
  try {
    const open = async (): Promise<AsyncIterable<Buffer>> => (await sourceOf(row, ports, order.signal)).bytes;
    const proved = (): Promise<void> => Promise.resolve();
    const options = { proved, progress: () => undefined, signal: order.signal };
    await copyVerified({ open, expected }, { file: copy, replace: false }, options);
  } catch (thrown) {
    order.signal.throwIfAborted();
    const { code } = asPreavisError(thrown);
    if (code === 'output_unwritable') throw thrown;
    await catalogue.auditTrail.append(row.id, {
      event: 'export for the person failed',
      actor: operator,
      detail: { code, person },
    });
    // Retention may have been faster.
    const now = await catalogue.recordings.find(row.id);
    const why = now?.status === 'erased' ? await absenceOf(now, catalogue) : { reason: 'unreadable' as const, code };
    return { kind: 'absent', why };
  }
  const name = `recordings/${isoTime(row.startedAt ?? row.noticeFinishedAt).slice(0, 10)}-${row.id}.wav`;
  yield filePart(name, copy, bytes);
  await rm(copy, { force: true });

  return { kind: 'included', file: name, ...expected };
}

async function absenceOf(
  { id, status }: RecordingRow,
  catalogue: CataloguePart<{ certificates: 'of' }>,
): Promise<AbsentWhy> {
  switch (status) {
    case 'erased': {
      const last = (await catalogue.certificates.of(id)).at(-1);
      return {
        reason: 'erased',
        at: isoTime(last?.issuedAt ?? null),
        certificate: last?.number ?? null,
      };
    }
    case 'recording':
      return { reason: 'unfinished' };
    case 'lost':
    case 'discarded':
      return { reason: status };
    case 'failed':
    case 'recorded':
    case 'archived':
      return { reason: 'unusable' };
  }
}
