import type * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { auditOf } from '../../access/audit.ts';
import type { Annotation, RatedCriterion } from '../../catalogue/annotation/annotations.ts';
import { behindUnknown } from '../../catalogue/annotation/changing.ts';
import type { CommentRow } from '../../catalogue/annotation/comments.ts';
import type { AuditNote } from '../../catalogue/retention/auditTrail.ts';
import { isCollectionOf, type AnnotationConfig } from '../../config/annotationSchema.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import { isoTime } from '../../core/clock.ts';
import type { RecordingId } from '../../core/ids.ts';
import { byLanguage } from '../../core/text/inLanguage.ts';
import {
  annotation,
  annotationForm,
  collectionBody,
  comment,
  commentBody,
  ratingBody,
  tagsBody,
} from '../annotationSchemas.ts';
import { requireCollection } from '../company.ts';
import type { WebPorts } from '../ports.ts';
import { refusal, RequestInvalid } from '../problems.ts';
import { route, type Reply, type Route } from '../route.ts';
import { id, nameGiven } from '../schemas.ts';
import { allowed, decided, knownRecording, type KnownRecording } from '../subjects.ts';
import { etagOf, versionSeen } from '../versions.ts';

const ofComment = id.extend({ comment: id.shape.id });
const ofCollection = id.extend({ collection: nameGiven });

/** Says which of these was changed, and not to what: the trail is kept for good. */
const noteOf = (
  actor: Actor,
  what: 'tags' | 'rating' | 'comment' | 'comment changed' | 'comment removed' | `collection ${string}`,
): AuditNote => auditOf(actor, { did: 'annotated', what });

const shownComment = (
  { id, atMs, text, author, writtenAt, changedAt, version }: CommentRow,
  actor: Actor,
): z.input<typeof comment> => ({
  id,
  atMs,
  text,
  author,
  writtenAt: isoTime(writtenAt),
  changedAt: isoTime(changedAt),
  version,
  own: author === actor.name,
});

const commentReply = (row: CommentRow, actor: Actor, status: 200 | 201): Reply => ({
  kind: 'json',
  status,
  body: shownComment(row, actor),
  headers: { etag: etagOf(row.version) },
});

async function annotationReply(
  { version, tags, rating }: Annotation,
  recording: RecordingId,
  actor: Actor,
  { catalogue }: WebPorts,
): Promise<Reply> {
  const comments = await catalogue.comments.of(recording);
  const body: z.input<typeof annotation> = {
    version,
    tags,
    rating: rating && { ...rating, criteria: [...rating.criteria], at: isoTime(rating.at) },
    comments: comments.map((each) => shownComment(each, actor)),
    collections: await catalogue.collections.of(recording),
  };

  return { kind: 'json', body, headers: { etag: etagOf(version) } };
}

const form = route({
  method: 'GET',
  path: '/annotation-form',
  summary: 'Tell the form by which recordings are rated, and the collections',
  description:
    'As annotation.rating and annotation.collections of the configuration have them; the collections are those of the companies that you see.',
  act: 'signedIn',
  answer: { status: 200, schema: annotationForm, description: 'The form.' },
  handle: ({ actor }, { config: { annotation: configured } }) => {
    const body: z.input<typeof annotationForm> = {
      criteria: Object.entries(configured.rating).map(([criterion, { label, text, points }]) => ({
        criterion,
        label: byLanguage(label),
        text: text === undefined ? null : byLanguage(text),
        points,
      })),
      // A name that another company has given to one is theirs.
      collections: Object.entries(configured.collections)
        .filter(([, each]) => isCollectionOf(each, actor.controllers))
        .map(([collection, { label }]) => ({ collection, label: byLanguage(label) })),
    };

    return Promise.resolve({ kind: 'json', body });
  },
});

const read = route({
  method: 'GET',
  path: '/recordings/{id}/annotation',
  summary: 'Read what people have written about a recording',
  description: 'Its ETag is the version of tags and rating; each comment has a version of its own.',
  act: 'read',
  params: id,
  answer: { status: 200, schema: annotation, description: 'Tags, rating, comments and collections.' },
  handle: async ({ actor, params }, ports) => {
    const { recording } = await allowed(ports, actor, 'read', await knownRecording(ports, params.id));

    return annotationReply(await ports.catalogue.annotations.of(recording.id), recording.id, actor, ports);
  },
});

const annotatable = async (ports: WebPorts, actor: Actor, known: string): Promise<KnownRecording> =>
  allowed(ports, actor, 'annotate', await knownRecording(ports, known));

const needsVersion =
  'If-Match has the ETag that was read. Where somebody else was faster the answer is 412, and nothing is changed.';

const setTags = route({
  method: 'PUT',
  path: '/recordings/{id}/tags',
  summary: 'Set the tags of a recording',
  description: needsVersion,
  act: 'annotate',
  params: id,
  body: tagsBody,
  answer: { status: 200, schema: annotation, description: 'What is written about it now.' },
  handle: async ({ actor, params, body, headers }, ports) => {
    const { recording } = await annotatable(ports, actor, params.id);
    const change = { version: versionSeen(headers), note: noteOf(actor, 'tags') };
    const now = await ports.catalogue.annotations.setTags(recording.id, body.tags, change);

    return annotationReply(now, recording.id, actor, ports);
  },
});

/** Each value with the points of the form of today. Throws request_invalid. */
function ratedBy(
  given: z.output<typeof ratingBody>['criteria'],
  { rating }: Pick<AnnotationConfig, 'rating'>,
): RatedCriterion[] {
  const faults = given.flatMap(({ criterion, value }, at) => {
    const where = `body.criteria.${at}`;
    const points = Object.hasOwn(rating, criterion) ? rating[criterion]?.points : undefined;
    if (points === undefined) return [{ where: `${where}.criterion`, message: 'is not a criterion of the form' }];
    if (given.findIndex((each) => each.criterion === criterion) !== at) {
      return [{ where: `${where}.criterion`, message: 'is there twice' }];
    }

    return value > points ? [{ where: `${where}.value`, message: `is more than ${points}` }] : [];
  });
  if (faults.length > 0) throw new RequestInvalid(faults);

  return given.map(({ criterion, value }) => ({ criterion, value, points: rating[criterion]?.points ?? value }));
}

/** From 0 to 100: the mean of what each criterion has of its best. */
function scoreOf(criteria: readonly RatedCriterion[]): number {
  const shares = criteria.map(({ value, points }) => (value - 1) / (points - 1));

  return Math.round((100 * shares.reduce((sum, share) => sum + share, 0)) / criteria.length);
}

const rate = route({
  method: 'PUT',
  path: '/recordings/{id}/rating',
  summary: 'Rate a recording by the form of the company',
  description: `A rating tells of the work of whoever answered. ${needsVersion}`,
  act: 'annotate',
  params: id,
  body: ratingBody,
  answer: { status: 200, schema: annotation, description: 'What is written about it now.' },
  handle: async ({ actor, params, body, headers }, ports) => {
    const { recording } = await annotatable(ports, actor, params.id);
    const criteria = ratedBy(body.criteria, ports.config.annotation);
    const change = { version: versionSeen(headers), note: noteOf(actor, 'rating') };
    const rating = { criteria, score: scoreOf(criteria), by: actor.name, at: ports.clock.now() };
    const now = await ports.catalogue.annotations.rate(recording.id, rating, change);

    return annotationReply(now, recording.id, actor, ports);
  },
});

const unrate = route({
  method: 'DELETE',
  path: '/recordings/{id}/rating',
  summary: 'Take the rating of a recording away',
  description: needsVersion,
  act: 'annotate',
  params: id,
  answer: { status: 200, schema: annotation, description: 'What is written about it now.' },
  handle: async ({ actor, params, headers }, ports) => {
    const { recording } = await annotatable(ports, actor, params.id);
    const change = { version: versionSeen(headers), note: noteOf(actor, 'rating') };
    const now = await ports.catalogue.annotations.rate(recording.id, null, change);

    return annotationReply(now, recording.id, actor, ports);
  },
});

/** A player may count a little beyond the end. Throws request_invalid. */
function requirePlace(atMs: number | null, { recording }: KnownRecording): void {
  if (atMs === null || recording.durationMs === null || atMs <= recording.durationMs + 1_000) return;
  throw new RequestInvalid([{ where: 'body.atMs', message: 'is beyond the end of the recording' }]);
}

const comments: readonly Route[] = [
  route({
    method: 'POST',
    path: '/recordings/{id}/comments',
    summary: 'Write a comment on a recording, at a position or about the whole',
    act: 'annotate',
    params: id,
    body: commentBody,
    answer: { status: 201, schema: comment, description: 'The comment.' },
    handle: async ({ actor, params, body }, ports) => {
      const known = await annotatable(ports, actor, params.id);
      requirePlace(body.atMs, known);
      const { clock, ids, catalogue } = ports;
      const made = { id: ids.comment(), recording: known.recording.id, author: actor.name, writtenAt: clock.now() };
      const row = await catalogue.comments.add({ ...body, ...made }, noteOf(actor, 'comment'));

      return commentReply(row, actor, 201);
    },
  }),
  route({
    method: 'PUT',
    path: '/recordings/{id}/comments/{comment}',
    summary: 'Change a comment of your own',
    description: needsVersion,
    act: 'annotate',
    params: ofComment,
    body: commentBody,
    answer: { status: 200, schema: comment, description: 'The comment.' },
    handle: async ({ actor, params, body, headers }, ports) => {
      const known = await annotatable(ports, actor, params.id);
      requirePlace(body.atMs, known);
      const { catalogue, clock } = ports;
      const { id: recording } = known.recording;
      const { author } = await catalogue.comments.find(recording, params.comment);
      if (author !== actor.name) throw refusal('notAuthor');
      const change = { version: versionSeen(headers), note: noteOf(actor, 'comment changed') };
      const given = { ...body, changedAt: clock.now() };

      return commentReply(await catalogue.comments.change(recording, params.comment, given, change), actor, 200);
    },
  }),
  route({
    method: 'DELETE',
    path: '/recordings/{id}/comments/{comment}',
    summary: 'Remove a comment of your own; who may erase removes any',
    description: needsVersion,
    act: 'annotate',
    params: ofComment,
    answer: { status: 204, description: 'It is removed.' },
    handle: async ({ actor, params, headers }, ports) => {
      const known = await annotatable(ports, actor, params.id);
      const { id: recording } = known.recording;
      const { author } = await ports.catalogue.comments.find(recording, params.comment);
      const isTheirs = author === actor.name || (await decided(ports, actor, 'erase', known)).allowed;
      if (!isTheirs) throw refusal('notAuthor');
      const change = { version: versionSeen(headers), note: noteOf(actor, 'comment removed') };
      await ports.catalogue.comments.remove(recording, params.comment, change);

      return { kind: 'nothing' };
    },
  }),
];

/** One that they do not see is as one that is not there: whether it is in the collection is not told. Throws request_invalid. */
async function requireSeen(after: string, actor: Actor, ports: WebPorts): Promise<void> {
  const known = await knownRecording(ports, after);
  if (known !== undefined && (await decided(ports, actor, 'list', known)).allowed) return;
  throw behindUnknown();
}

const collections: readonly Route[] = [
  route({
    method: 'PUT',
    path: '/recordings/{id}/collections/{collection}',
    summary: 'Put a recording into a collection, or move it there',
    act: 'annotate',
    params: ofCollection,
    body: collectionBody,
    answer: { status: 204, description: 'It is in the collection.' },
    handle: async ({ actor, params, body }, ports) => {
      const { recording } = await annotatable(ports, actor, params.id);
      const { collection } = params;
      requireCollection(collection, [recording.controller ?? ownCalls], ports.config);
      const { after } = body;
      if (typeof after === 'string') await requireSeen(after, actor, ports);
      const place = { recording: recording.id, collection, after, by: actor.name, at: ports.clock.now() };
      await ports.catalogue.collections.place(place, noteOf(actor, `collection ${collection}`));

      return { kind: 'nothing' };
    },
  }),
  route({
    method: 'DELETE',
    path: '/recordings/{id}/collections/{collection}',
    summary: 'Take a recording out of a collection, also of one that is configured no more',
    act: 'annotate',
    params: ofCollection,
    answer: { status: 204, description: 'It is not in the collection.' },
    handle: async ({ actor, params }, ports) => {
      const { recording } = await annotatable(ports, actor, params.id);
      const note = noteOf(actor, `collection ${params.collection}`);
      await ports.catalogue.collections.take(recording.id, params.collection, note);

      return { kind: 'nothing' };
    },
  }),
];

export const annotationRoutes: readonly Route[] = [form, read, setTags, rate, unrate, ...comments, ...collections];
