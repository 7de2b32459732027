import { Readable } from 'node:stream';
import csv from 'papaparse';
import * as z from 'zod';
import { isoTime } from '../../core/clock.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { zipOf, type ZipPart } from '../../core/zip.ts';
import { encryptionOf, receiptOfRecording, receiptText } from '../../receipt/receipt.ts';
import { recordedDigest } from '../../store/digest.ts';
import type { WebPorts } from '../ports.ts';
import { isRefusal, PartsRefused, type Fault } from '../problems.ts';
import { route, type Asked, type Route } from '../route.ts';
import { id } from '../schemas.ts';
import { openForCopy } from '../sound.ts';
import { allowed, knownRecording, stillSignedIn, type KnownRecording } from '../subjects.ts';
import type { Actor } from '../../access/actor.ts';

/** What a selection has at most: an hour each is half a gigabyte each. */
const mostRecordings = 100;
/** Being sent at a time. */
const mostSelections = 4;

const selectionBody = z.strictObject({
  recordings: z.array(id.shape.id).min(1).max(mostRecordings).describe('Ids of recordings.'),
});

type Selection = Pick<Asked<unknown, unknown, unknown>, 'signal' | 'credentials'> & { actor: Actor };

/**
 * Each recording with its receipt, and a table of all. Whether it may leave is decided when its turn comes, too, and its beginning and end
 * are in its audit trail.
 */
async function* partsOf(
  chosen: readonly KnownRecording[],
  { actor, credentials, signal }: Selection,
  ports: WebPorts,
): AsyncGenerator<ZipPart> {
  const { catalogue } = ports;
  yield { name: 'recordings.csv', bytes: Buffer.from(tableOf(chosen), 'utf8') };
  for (const { recording: before } of chosen) {
    const now = await stillSignedIn(actor, credentials, ports);
    const known = await allowed(ports, now, 'download', await knownRecording(ports, before.id));
    const { recording, by } = known;
    const expected = recordedDigest(recording);
    const detail = { role: now.role, purposes: by.map(({ purpose }) => purpose) };
    const note = (event: string): Promise<void> =>
      catalogue.auditTrail.append(recording.id, { event, actor: actor.name, detail });
    await note('download begun');
    const encryption = encryptionOf(await catalogue.auditTrail.of(recording.id));
    const receipt = receiptText(await receiptOfRecording(catalogue, recording.id, encryption));
    yield { name: `${recording.id}.json`, bytes: Buffer.from(receipt, 'utf8') };
    const notes = await notesOf(recording.id, ports);
    if (notes !== undefined) yield { name: `${recording.id}.notes.json`, bytes: Buffer.from(notes, 'utf8') };
    yield {
      name: `${recording.id}.wav`,
      size: expected.bytes,
      open: () => openForCopy({ actor, credentials, signal, known }, ports),
    };
    await note('downloaded');
  }
}

/** What people have written about it, as JSON; undefined where nobody has. */
async function notesOf(id: RecordingId, { catalogue }: WebPorts): Promise<string | undefined> {
  const { tags, rating } = await catalogue.annotations.of(id);
  const comments = await catalogue.comments.of(id);
  const collections = await catalogue.collections.of(id);
  if (rating === null && tags.length + comments.length + collections.length === 0) return undefined;
  const notes = {
    tags,
    rating: rating && { ...rating, at: isoTime(rating.at) },
    comments: comments.map(({ atMs, text, author, writtenAt, changedAt }) => {
      return { atMs, text, author, writtenAt: isoTime(writtenAt), changedAt: isoTime(changedAt) };
    }),
    collections,
  };

  return `${JSON.stringify(notes, undefined, 2)}\n`;
}

function tableOf(chosen: readonly KnownRecording[]): string {
  const rows = chosen.map(({ recording, call, extension, dialled, ends }) => ({
    recording: recording.id,
    call: call.id,
    startedAt: isoTime(recording.startedAt ?? call.startedAt),
    seconds: recording.durationMs === null ? '' : (recording.durationMs / 1_000).toFixed(1),
    line: call.line ?? '',
    pbx: call.pbx ?? '',
    direction: call.direction,
    extension: extension ?? '',
    dialled: dialled ?? '',
    purposes: call.purposes.join(' '),
    keptUntil: isoTime(Math.max(...ends.map(({ keepUntil }) => keepUntil), recording.keepUntil ?? 0)),
    bytes: recording.bytes ?? '',
    sha256: recording.sha256 ?? '',
  }));

  // A cell must not be taken for a formula by who opens it.
  return `${csv.unparse(rows, { escapeFormulae: true, newline: '\r\n' })}\r\n`;
}

/**
 * Each of these once, if they may have all of them.
 *
 * @throws PartsRefused that names those which they may not have, by their places in the list
 */
async function allowedOf(ids: readonly string[], actor: Actor, ports: WebPorts): Promise<KnownRecording[]> {
  const chosen: KnownRecording[] = [];
  const refused: PreavisError[] = [];
  const faults: Fault[] = [];
  for (const [at, id] of ids.entries()) {
    if (ids.indexOf(id) !== at) continue;
    try {
      chosen.push(await allowed(ports, actor, 'download', await knownRecording(ports, id)));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (!isRefusal(error)) throw thrown;
      refused.push(error);
      const isUnseen = error.code === 'address_unknown';
      faults.push({ where: `body.recordings.${at}`, message: isUnseen ? 'is none that you may see' : error.message });
    }
  }
  const [first] = refused;
  if (first !== undefined) throw new PartsRefused(first, faults);

  return chosen;
}

export function selectionRoutes(): readonly Route[] {
  let underWay = 0;

  return [
    route({
      method: 'POST',
      path: '/selections',
      summary: 'Download some recordings as a ZIP: each WAV, its receipt, its notes, and a table (CSV)',
      description:
        'Each WAV is compared with its SHA-256 while it is sent; where one was changed, or access to one ends, the connection is cut. Remove the copies when their purposes end: the table says when.',
      act: 'download',
      body: selectionBody,
      answer: { status: 200, contentType: 'application/zip', description: 'The ZIP file.' },
      handle: async ({ actor, credentials, body, signal }, ports) => {
        if (underWay >= mostSelections) throw new PreavisError('too_busy', 'too many selections are being sent');
        // Counted before anything is waited for: others ask at the same time.
        underWay += 1;
        let chosen: readonly KnownRecording[];
        try {
          chosen = await allowedOf(body.recordings, actor, ports);
        } catch (thrown) {
          underWay -= 1;
          throw thrown;
        }
        const zip = Readable.from(zipOf(partsOf(chosen, { actor, credentials, signal }, ports)), { objectMode: false });
        zip.once('close', () => {
          underWay -= 1;
        });
        if (signal.aborted) zip.destroy();
        else signal.addEventListener('abort', () => zip.destroy(), { once: true });

        return {
          kind: 'bytes',
          body: zip,
          status: 200,
          headers: {
            'content-type': 'application/zip',
            'content-disposition': 'attachment; filename="recordings.zip"',
          },
        };
      },
    }),
  ];
}
