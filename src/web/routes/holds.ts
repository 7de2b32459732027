import * as z from 'zod';
import { holdGrounds } from '../../catalogue/holdGrounds.ts';
import { makeHoldsAllowed } from '../../config/purposeRules.ts';
import { asPreavisError, PreavisError } from '../../core/errors.ts';
import { holdDates, mayHold } from '../../retention/legalHolds.ts';
import { RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { hold, id } from '../schemas.ts';
import { shownHold } from '../shown.ts';
import { allowed, knownRecording } from '../subjects.ts';

const day = z.iso.date();
const newHold = z.strictObject({
  ground: z.enum(holdGrounds),
  reason: z
    .string()
    .trim()
    .min(1)
    .max(1_000)
    .describe('In your words. It goes nowhere else, and is erased with the recording.'),
  until: day.describe('The last day on which it keeps, in UTC.'),
  review: day.optional().describe('When it is to be looked at again.'),
});

/** The words of commands name options. */
function datesOf(given: { until: string; review?: string | undefined }, at: number): ReturnType<typeof holdDates> {
  try {
    return holdDates({ until: given.until, review: given.review }, at);
  } catch (thrown) {
    const { code, message } = asPreavisError(thrown);
    if (code !== 'usage') throw thrown;
    throw new RequestInvalid([{ where: 'body', message: message.replaceAll('--', '') }]);
  }
}

const set = route({
  method: 'POST',
  path: '/recordings/{id}/holds',
  summary: 'Set a hold, which keeps a recording beyond its end',
  act: 'hold',
  params: id,
  body: newHold,
  answer: { status: 201, schema: hold, description: 'The hold.' },
  handle: async ({ actor, params, body }, ports) => {
    const { catalogue, config, clock, ids } = ports;
    const { recording, call } = await allowed(ports, actor, 'hold', await knownRecording(ports, params.id));
    const { ground, reason } = body;
    const dates = datesOf(body, clock.now());
    mayHold(ground, call.purposes, makeHoldsAllowed(config));
    const made = { id: ids.hold(), recording: recording.id, ground, reason, author: actor.name, ...dates };
    await catalogue.legalHolds.set(made);
    const found = (await catalogue.legalHolds.of(recording.id)).find((each) => each.id === made.id);
    if (found === undefined) throw new PreavisError('internal', 'a hold that was set is not there');

    return { kind: 'json', status: 201, body: shownHold(found, true) };
  },
});

const release = route({
  method: 'DELETE',
  path: '/recordings/{id}/holds/{hold}',
  summary: 'Release a hold before its end',
  act: 'release',
  params: id.extend({ hold: id.shape.id }),
  answer: { status: 204, description: 'It is released. What is due then is erased by the next pass.' },
  handle: async ({ actor, params }, ports) => {
    const { catalogue } = ports;
    const { holds } = await allowed(ports, actor, 'release', await knownRecording(ports, params.id));
    const found = holds.find((each) => each.id === params.hold);
    if (found === undefined) throw new PreavisError('hold_unknown', 'this recording has no hold with this id');
    await catalogue.legalHolds.release(found.id, actor.name);

    return { kind: 'nothing' };
  },
});

export const holdRoutes: readonly Route[] = [set, release];
