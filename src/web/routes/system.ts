import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Served } from '../../catalogue/jobs/leases.ts';
import { dayMs, isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import type { KeptLibrary } from '../../services/keptLibrary.ts';
import { soundsFolder } from '../../services/prompts.ts';
import { scheduledPasses } from '../../services/schedule.ts';
import { makePromisedFigures } from '../../services/metrics.ts';
import { webhookFigures } from '../../services/webhooks.ts';
import type { Kept } from '../kept.ts';
import type { WebPorts } from '../ports.ts';
import { route, type Route } from '../route.ts';
import { named, nameGiven } from '../schemas.ts';

const time = z.iso.datetime().nullable();
/** So long a look at everything is given again, ms. */
const keptMs = 60_000;
const withinMs = 3 * 60_000;

const alarmNames = [
  'serve_away',
  'pass_late',
  'uploads_failing',
  'recordings_overdue',
  'erasures_failing',
  'recordings_unusable',
  'clocks_doubtful',
  'webhooks_given_up',
] as const;

const system = named(
  'System',
  z.object({
    version: z.string(),
    at: z.iso.datetime().describe('When it was so.'),
    servedAt: time.describe(
      'When a serve last watched calls; of several PBXs, at the one where none has for longest; null: never.',
    ),
    jobs: z.array(
      z.object({
        job: z.enum(scheduledPasses),
        doneAt: time.describe('When a pass last came to its end.'),
        dueAt: time.describe('When the next is to begin.'),
        isLate: z.boolean(),
      }),
    ),
    uploads: z
      .array(
        z.object({
          failure: z.string().nullable().describe('An error code; null: not tried yet, or the archive does not work.'),
          recordings: z.int(),
          oldestAt: time,
        }),
      )
      .describe('What waits for the archive.'),
    retention: z.object({
      due: z.int(),
      overdue: z.int(),
      locked: z.int(),
      failedErasures: z.int(),
      failures: z
        .array(z.object({ code: z.string(), recordings: z.int() }))
        .describe('Why the last erasure of what is due failed; codes of docs/errors.md.'),
      unusable: z.int(),
      doubtful: z
        .int()
        .describe(
          'Not erased before somebody says when they ended: `preavis recordings settle` (docs/operations/clocks.md).',
        ),
    }),
    webhooks: z.array(z.object({ name: z.string(), waiting: z.int(), givenUp: z.int(), oldestWaitingAt: time })),
    alarms: z.array(z.object({ alarm: z.enum(alarmNames), about: z.string().nullable(), count: z.int() })),
  }),
);
type System = z.input<typeof system>;
export type SystemState = z.output<typeof system>;

/** A pass that was to begin so long ago has been missed, ms. */
const lateMs = 15 * 60_000;
/** A serve notes that it watches calls at least once in this time, ms. */
const awayMs = 3 * 60_000;

/** A PBX that was not there for so long, ms, is taken for one that was given up, where there are others. */
const givenUpMs = 30 * dayMs;

/** Of each PBX: how long ago its calls were watched, by any of its applications, ms. The last that was there comes first. */
function awayOf(served: readonly Served[]): { pbx: string | null; awayFor: number }[] {
  const all = served
    .map(({ serve, awayMs: awayFor }) => ({ pbx: serve.pbx ?? null, awayFor }))
    .toSorted((one, other) => one.awayFor - other.awayFor);
  const last = all.filter(({ pbx }, index) => all.findIndex((each) => each.pbx === pbx) === index);

  return last.filter(({ awayFor }, index) => index === 0 || awayFor < givenUpMs);
}

async function systemNow(ports: WebPorts): Promise<System> {
  const { catalogue, clock, config, version } = ports;
  const at = clock.now();
  const served = awayOf(await catalogue.leases.served());
  const jobs = await Promise.all(
    scheduledPasses.map(async (job) => {
      const { doneAt, dueAt } = await catalogue.passes.times(job);
      const isLate = dueAt !== undefined && at - dueAt >= lateMs;

      return { job, doneAt: isoTime(doneAt ?? null), dueAt: isoTime(dueAt ?? null), isLate };
    }),
  );
  const waiting = await catalogue.recordings.waiting();
  const { failureCodes, failedErasures, unusable, ...due } = await makePromisedFigures(catalogue, clock)();
  const webhooks = await webhookFigures(config, catalogue);
  const found = {
    recordings_overdue: due.overdue,
    erasures_failing: failedErasures.due + failedErasures.subject + failedErasures.decided,
    recordings_unusable: unusable.failed + unusable.lost,
    clocks_doubtful: await catalogue.clockDoubts.count(),
  };
  const alarm = (name: (typeof alarmNames)[number], about: string | null, count: number): System['alarms'] =>
    count === 0 ? [] : [{ alarm: name, about, count }];

  return {
    version,
    at: isoTime(at),
    servedAt: served.length === 0 ? null : isoTime(at - Math.max(...served.map(({ awayFor }) => awayFor))),
    jobs,
    uploads: waiting.map(({ failure, count, oldestAt }) => ({
      failure,
      recordings: count,
      oldestAt: isoTime(oldestAt),
    })),
    retention: {
      due: due.due,
      overdue: due.overdue,
      locked: due.locked,
      failedErasures: found.erasures_failing,
      failures: Object.entries(failureCodes).map(([code, recordings]) => ({ code, recordings })),
      unusable: found.recordings_unusable,
      doubtful: found.clocks_doubtful,
    },
    webhooks: webhooks.map(({ endpoint, waiting: queued, failed, oldestWaitingAt }) => ({
      name: endpoint,
      waiting: queued,
      givenUp: failed,
      oldestWaitingAt: isoTime(oldestWaitingAt),
    })),
    alarms: [
      ...alarm('serve_away', null, served.length === 0 ? 1 : 0),
      ...served.flatMap(({ pbx, awayFor }) => alarm('serve_away', pbx, Number(awayFor >= awayMs))),
      ...jobs.flatMap(({ job, isLate }) => alarm('pass_late', job, Number(isLate))),
      ...waiting.flatMap(({ failure, count }) => alarm('uploads_failing', failure, failure === null ? 0 : count)),
      ...alarm('recordings_overdue', null, found.recordings_overdue),
      ...alarm('erasures_failing', null, found.erasures_failing),
      ...alarm('recordings_unusable', null, found.recordings_unusable),
      ...alarm('clocks_doubtful', null, found.clocks_doubtful),
      ...webhooks.flatMap(({ endpoint, failed }) => alarm('webhooks_given_up', endpoint, failed)),
    ],
  };
}

const checks = named(
  'Checks',
  z.object({
    checkedAt: z.iso
      .datetime()
      .describe('When it was begun to look: a minute ago at the most, or since you asked, with `anew`.'),
    results: z.array(
      z.object({
        check: z.string(),
        about: z.string().nullable(),
        state: z.enum(['ok', 'warning', 'failed']),
        code: z.string().nullable().describe('One of docs/errors.md.'),
        text: z.string().nullable().describe('The warning, or what is wrong.'),
        hint: z.string().nullable(),
        notes: z.array(z.string()),
        unchecked: z.array(z.string()).describe('What could not be looked at because of it.'),
      }),
    ),
  }),
);
type Results = z.input<typeof checks>['results'];
export type Checks = z.output<typeof checks>;

async function resultsOf(ports: WebPorts): Promise<Results> {
  return (await ports.check()).map((each) => {
    const about = each.about ?? null;
    const common = { check: each.check, about };
    if (!each.ok) {
      const { code, problem: text, hint, unchecked = [] } = each;

      return { ...common, state: 'failed', code, text, hint, notes: [], unchecked: [...unchecked] };
    }
    const { warning, notes = [] } = each;
    const state = warning === undefined ? 'ok' : 'warning';

    return { ...common, state, code: null, text: warning ?? null, hint: null, notes: [...notes], unchecked: [] };
  });
}

const languageForm = z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/);
const prompts = named(
  'Prompts',
  z.object({
    prompts: z.array(
      z.object({
        prompt: z.string(),
        language: z.string(),
        kind: z.string(),
        text: z.string(),
        purposes: z.array(z.string()),
        made: z.string().describe('By whom: recorded, or synthetic.'),
        lengthMs: z.int(),
        sha256: z.string(),
      }),
    ),
  }),
);

export type Prompts = z.output<typeof prompts>;

const promptRoutes = (libraryNow: KeptLibrary): readonly Route[] => [
  route({
    method: 'GET',
    path: '/system/prompts',
    summary: 'List the sentences that callers hear, with their seconds',
    act: 'readSystem',
    answer: { status: 200, schema: prompts, description: 'The sentences.' },
    handle: async () => {
      const library = await libraryNow();
      const list = library.prompts.map(({ id, language, kind, text, purposes, made, lengthMs, sha256 }) => {
        return { prompt: id, language, kind, text, purposes: [...purposes], made, lengthMs, sha256 };
      });

      return { kind: 'json', body: { prompts: list } };
    },
  }),
  route({
    method: 'GET',
    path: '/system/prompts/{language}/{prompt}/audio',
    summary: 'Play a sentence that callers hear',
    act: 'readSystem',
    params: z.strictObject({ language: languageForm, prompt: nameGiven }),
    answer: { status: 200, contentType: 'audio/wav', description: 'The WAV.' },
    handle: async ({ params: { language, prompt } }, { config }) => {
      // Only what the library names is read.
      const found = (await libraryNow()).find(prompt, language);
      if (found === undefined) throw new PreavisError('address_unknown', 'there is no such sentence');
      const sound = await readFile(join(soundsFolder(config), found.language, `${found.id}.wav`));

      return {
        kind: 'bytes',
        body: sound,
        status: 200,
        headers: { 'content-type': 'audio/wav', 'content-length': String(sound.length) },
      };
    },
  }),
];

type Look = { at: number; results: Promise<Results>; isOver: boolean };

export function systemRoutes({ library }: Pick<Kept, 'library'>): readonly Route[] {
  let looked: Look | undefined;
  let behind: Promise<Look> | undefined;
  const begin = (ports: WebPorts): Look => {
    const look: Look = { at: ports.clock.now(), results: resultsOf(ports), isOver: false };
    looked = look;
    look.results.then(
      () => {
        look.isOver = true;
      },
      () => {
        if (looked === look) looked = undefined;
      },
    );

    return look;
  };
  // What began before they asked may tell how it was before they mended it. All who ask meanwhile share the one behind it.
  const beginBehind = (before: Look, ports: WebPorts): Promise<Look> => {
    const beginNext = (): Look => {
      behind = undefined;

      return begin(ports);
    };

    return (behind ??= before.results.then(beginNext, beginNext));
  };
  const lookFor = (isAnew: boolean, ports: WebPorts): Look | Promise<Look> => {
    if (looked === undefined) return begin(ports);
    if (isAnew) return looked.isOver ? begin(ports) : beginBehind(looked, ports);

    return Math.abs(ports.clock.now() - looked.at) >= keptMs ? begin(ports) : looked;
  };

  return [
    route({
      method: 'GET',
      path: '/system',
      summary: 'Tell how jobs, uploads, retention and webhooks do, and what needs attention',
      act: 'readSystem',
      answer: { status: 200, schema: system, description: 'How it is.' },
      handle: async (_, ports) => ({ kind: 'json', body: await systemNow(ports) }),
    }),
    route({
      method: 'GET',
      path: '/system/checks',
      summary: 'Look at configuration, prompts, catalogue, archive and Asterisk, as `preavis check` does',
      description:
        'It takes some seconds, and writes and removes small objects in the archive. What was found less than a minute ago is given again.',
      act: 'readSystem',
      withinMs,
      query: z.strictObject({
        anew: z
          .literal('true')
          .optional()
          .describe('It is looked again, whenever that was done last; where a look is under way, behind it.'),
      }),
      answer: { status: 200, schema: checks, description: 'What was found.' },
      handle: async ({ query: { anew } }, ports) => {
        const { at: checkedAt, results } = await lookFor(anew !== undefined, ports);

        return { kind: 'json', body: { checkedAt: isoTime(checkedAt), results: await results } };
      },
    }),
    ...promptRoutes(library),
  ];
}
