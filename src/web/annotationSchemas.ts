import * as z from 'zod';
import { listedRecording, named, next, tagGiven, nameGiven } from './schemas.ts';

/** What people write about a recording, as it goes in and out. */

const time = z.iso.datetime();

const most = { tags: 20, text: 4_000, criteria: 50 };

export const tagsBody = z.strictObject({
  tags: z.array(tagGiven).max(most.tags).describe('All of them: they take the place of those that were there.'),
});

export const ratingBody = z.strictObject({
  criteria: z
    .array(z.strictObject({ criterion: nameGiven, value: z.int().min(1).max(10) }))
    .min(1)
    .max(most.criteria)
    .describe('Values of the form, GET /annotation-form. One that does not apply is left out.'),
});

const atMs = z
  .int()
  .min(0)
  .max(86_400_000)
  .nullable()
  .describe('From the beginning of the recording, ms; null: it is about the whole.');
export const commentBody = z.strictObject({
  atMs,
  text: z.string().trim().min(1).max(most.text),
});

export const collectionBody = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is not an id')
    .nullable()
    .optional()
    .describe(
      'The recording that it comes behind; null: it is the first. Without it: behind the last, or where it is.',
    ),
});

const localText = z.record(z.string(), z.string()).describe('By language; `*` is for all others.');
export const annotationForm = named(
  'AnnotationForm',
  z.object({
    criteria: z.array(
      z.object({
        criterion: z.string(),
        label: localText,
        text: localText.nullable(),
        points: z.int().describe('The best value; 1 is the worst.'),
      }),
    ),
    collections: z.array(z.object({ collection: z.string(), label: localText })),
  }),
);

export const comment = named(
  'Comment',
  z.object({
    id: z.string(),
    atMs: z.int().nullable(),
    text: z.string(),
    author: z.string(),
    writtenAt: time,
    changedAt: time.nullable(),
    version: z.int().describe('Its ETag, without the quotes.'),
    own: z.boolean().describe('Whether whoever asks has written it: nobody else changes it.'),
  }),
);

export const annotation = named(
  'Annotation',
  z.object({
    version: z.int().describe('Of tags and rating: the ETag, without the quotes.'),
    tags: z.array(z.string()),
    rating: z
      .object({
        score: z.int().describe('From 0, the worst, to 100.'),
        criteria: z.array(z.object({ criterion: z.string(), value: z.int(), points: z.int() })),
        by: z.string(),
        at: time,
      })
      .nullable(),
    comments: z.array(comment),
    collections: z.array(z.string()),
  }),
);

export const collectedPage = named('CollectedPage', z.object({ recordings: z.array(listedRecording), next }));
