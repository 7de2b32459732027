import { Readable } from 'node:stream';
import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { auditOf } from '../../access/audit.ts';
import { decideAccess } from '../../access/decide.ts';
import { subjectFor } from '../../access/subject.ts';
import { makePeakKeeper } from '../../audio/peaks.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { encryptionOf, gapMs, receiptOfRecording, receiptText } from '../../receipt/receipt.ts';
import { recordedDigest } from '../../store/digest.ts';
import type { ListeningLog } from '../listening.ts';
import type { SessionKeys } from '../sessionKeys.ts';
import { RequestInvalid } from '../problems.ts';
import { joined, rangeIn, type ByteRange } from '../ranges.ts';
import { route, type Route } from '../route.ts';
import { components, id, listQuery, recordingDetail, recordingPage } from '../schemas.ts';
import { shownHold, shownRecording, shownRecordingOfList } from '../shown.ts';
import { openSound } from '../sound.ts';
import { allowed, decided, knownRecording, type KnownRecording } from '../subjects.ts';
import type { WebPorts } from '../ports.ts';
import { foundBy, searchOf } from './calls.ts';

const list = route({
  method: 'GET',
  path: '/recordings',
  summary: 'List recordings, the newest call first',
  act: 'list',
  query: listQuery,
  answer: { status: 200, schema: recordingPage, description: 'A page of recordings.' },
  handle: async ({ actor, pages, query }, ports) => {
    const at = { after: pages.begin(z.string()), limit: query.limit };
    const { found, next } = await foundBy(
      actor,
      { ...searchOf(query, 'query', ports.config), recorded: true },
      at,
      ports,
    );
    const recordings = found.flatMap((each) => shownRecordingOfList(each, ports.clock.now()) ?? []);

    return { kind: 'json', body: { recordings, next: pages.next(next) } };
  },
});

/** Those of its purposes that are heard on approval only, where no other lets this actor hear it. */
async function askableBy(actor: Actor, known: KnownRecording, ports: WebPorts): Promise<string[]> {
  const subject = await subjectFor(ports, known, actor.name);
  const now = ports.clock.now();
  const mayAsk = (purposes: typeof subject.purposes): boolean =>
    decideAccess(actor, 'askApproval', { ...subject, purposes }, now).allowed;
  if (!mayAsk(subject.purposes)) return [];

  return subject.purposes.filter((each) => mayAsk([each])).map(({ name }) => name);
}

const show = route({
  method: 'GET',
  path: '/recordings/{id}',
  summary: 'Show one recording, its holds and what happened to it',
  act: 'read',
  params: id,
  answer: { status: 200, schema: recordingDetail, description: 'The recording.' },
  handle: async ({ actor, params }, ports) => {
    const { catalogue } = ports;
    const known = await allowed(ports, actor, 'read', await knownRecording(ports, params.id));
    const { recording, holds } = known;
    const may = async (act: 'release' | 'readAudit'): Promise<boolean> =>
      (await decided(ports, actor, act, known)).allowed;
    const maySetHolds = await may('release');
    const steps = (await may('readAudit')) ? await catalogue.auditTrail.of(recording.id) : null;

    return {
      kind: 'json',
      body: {
        recording: await shownRecording(known, ports),
        sha256: recording.sha256,
        gapMs: gapMs(recording),
        holds: holds.map((each) => shownHold(each, maySetHolds)),
        certificates: await catalogue.certificates.of(recording.id),
        audit: steps?.map((step) => ({ ...step, at: isoTime(step.at) })) ?? null,
        mayAskFor: await askableBy(actor, known, ports),
      },
    };
  },
});

const audioQuery = z.strictObject({
  download: z.literal('true').optional().describe('To keep a copy, and not to listen: needs the right to download.'),
});

/** What a server knows of those who listen: for the audit trail, and the keys of what they hear. */
export type Listeners = { listening: ListeningLog; keys: SessionKeys };

const audio = (listeners: Listeners): Route =>
  route({
    method: 'GET',
    path: '/recordings/{id}/audio',
    summary: 'Play a recording, whole or in parts (Range)',
    description:
      'The WAV as it was recorded. The header Preavis-Proved says how its bytes are known to be that: sha256, the whole was compared before its end was given; segments, each was, by its tag (archive.encryption.mode: client); length, only how long the whole is. It is decided anew for each request, and once a second while an answer is sent: when access ends, the connection is cut. The audit trail has who listened to what, and for how long.',
    act: 'listen',
    params: id,
    query: audioQuery,
    answer: { status: 200, contentType: 'audio/wav', description: 'The whole recording.', isPartial: true },
    handle: async ({ actor, credentials, params, query, headers, isHead, signal }, ports) => {
      const act = query.download === 'true' ? 'download' : 'listen';
      const known = await allowed(ports, actor, act, await knownRecording(ports, params.id));
      const { bytes: of, sha256 } = recordedDigest(known.recording);
      const etag = `"${sha256}"`;
      const about = {
        'content-type': 'audio/wav',
        'content-disposition': `${act === 'listen' ? 'inline' : 'attachment'}; filename="${known.recording.id}.wav"`,
        'accept-ranges': 'bytes',
        etag,
      };
      if (isHead) return { kind: 'bytes', body: '', status: 200, headers: { ...about, 'content-length': String(of) } };
      const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
      const range = isSame ? rangeIn(headers['range'] as string | undefined, of) : undefined;
      if (range === 'unsatisfiable') throw new PreavisError('range_unsatisfiable', `it has ${of} bytes`);
      const { body, proved } = await openSound({ actor, credentials, act, known, range, signal }, ports, listeners);

      return {
        kind: 'bytes',
        body,
        status: range === undefined ? 200 : 206,
        headers: {
          ...about,
          'content-length': String(range?.bytes ?? of),
          'preavis-proved': proved,
          ...(range === undefined ? {} : { 'content-range': contentRange(range, of) }),
        },
      };
    },
  });

const contentRange = ({ from, bytes }: ByteRange, of: number): string => `bytes ${from}-${from + bytes - 1}/${of}`;

const peakPicture = z.object({
  durationMs: z.int().nullable(),
  peaks: z
    .array(z.int().min(-128).max(127))
    .describe('The lowest and the highest sample of each of some hundred equal parts, in 256ths of full scale.'),
});
components.add(peakPicture, { id: 'Peaks' });
export type Peaks = z.output<typeof peakPicture>;

const peaks = route({
  method: 'GET',
  path: '/recordings/{id}/peaks',
  summary: 'Tell how loud a recording is, for a picture of it',
  description: 'It shows when somebody spoke: so it is for who may hear it. Empty where it was not measured.',
  act: 'listen',
  params: id,
  answer: { status: 200, schema: peakPicture, description: 'The peaks.' },
  handle: async ({ actor, params }, ports) => {
    const { recording } = await allowed(ports, actor, 'listen', await knownRecording(ports, params.id));
    const kept = await ports.catalogue.recordings.peaks(recording.id);
    const keeper = makePeakKeeper(ports.config.privacy.numberKey);
    const found = kept === undefined ? undefined : keeper.read(kept, recording.id);

    return { kind: 'json', body: { durationMs: recording.durationMs, peaks: [...(found ?? [])] } };
  },
});

const receipt = route({
  method: 'GET',
  path: '/recordings/{id}/receipt',
  summary: 'Give the receipt of a recording: the proof that belongs to it',
  description: 'As docs/receipt.schema.json describes it.',
  act: 'read',
  params: id,
  answer: { status: 200, contentType: 'application/json', description: 'The receipt.' },
  handle: async ({ actor, params }, ports) => {
    const { catalogue } = ports;
    const { recording } = await allowed(ports, actor, 'read', await knownRecording(ports, params.id));
    const encryption = encryptionOf(await catalogue.auditTrail.of(recording.id));
    const text = receiptText(await receiptOfRecording(catalogue, recording.id, encryption));

    return {
      kind: 'bytes',
      body: Readable.from([Buffer.from(text, 'utf8')]),
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    };
  },
});

const time = z.number().min(0).max(86_400_000);
const heardBody = z.strictObject({
  parts: z
    .array(z.tuple([time, time]))
    .min(1)
    .max(200)
    .describe('Begin and end of what was really heard, ms from the begin of the recording.'),
});

const heard = (listening: ListeningLog): Route =>
  route({
    method: 'POST',
    path: '/recordings/{id}/heard',
    summary: 'Note what was really heard, as the player knows it',
    description: 'A player fetches more than is heard. What it says is a step of the audit trail.',
    act: 'listen',
    params: id,
    // A player says so some times in a minute. The trail is kept for good: nobody is to fill the disk with it.
    perMinute: 300,
    body: heardBody,
    answer: { status: 204, description: 'It is noted.' },
    handle: async ({ actor, params, body }, ports) => {
      const { recording, by } = await allowed(ports, actor, 'listen', await knownRecording(ports, params.id));
      const parts = joined(body.parts.filter(([from, to]) => to > from));
      // A player may count a little beyond the end.
      const end = (recording.durationMs ?? 0) + 1_000;
      if (parts.length === 0 || parts.some(([, to]) => to > end)) {
        throw new RequestInvalid([{ where: 'body.parts', message: 'are not parts of this recording' }]);
      }
      const purposes = by.map(({ purpose }) => purpose);
      const ranges = parts.map(([fromMs, toMs]) => ({ fromMs, toMs }));
      await listening.heard(recording.id, auditOf(actor, { did: 'heard', purposes, ranges }));

      return { kind: 'nothing' };
    },
  });

export const recordingRoutes = (listeners: Listeners): readonly Route[] => [
  list,
  show,
  audio(listeners),
  peaks,
  receipt,
  heard(listeners.listening),
];
