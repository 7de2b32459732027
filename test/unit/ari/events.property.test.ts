import fc from 'fast-check';
import { z, ZodError } from 'zod';
import { parseAriEvent } from '../../../src/ari/events.ts';
import { ariSamples } from '../../support/ari/ariSamples.ts';
import { everyReplacement, hostileJson, hostileText, mutated } from '../../support/hostileValues.ts';
import { tried } from '../../support/properties.ts';

/** What the rest of Préavis relies on, written down a second time: nothing more may be in an event, and nothing less. */
const at = z.int();
const id = z.string().min(1);
const onChannel = { at, channelId: id };
const shape = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('channelArrived'),
    ...onChannel,
    args: z.array(z.string()),
    callerNumber: z.string(),
    language: z.string(),
    replaces: id.optional(),
  }),
  z.strictObject({
    type: z.enum([
      'channelHangingUp',
      'channelLeft',
      'channelHeld',
      'channelResumed',
      'channelUp',
      'channelForwarded',
      'channelRinging',
      'channelOffered',
    ]),
    ...onChannel,
  }),
  z.strictObject({ type: z.literal('channelGone'), ...onChannel, cause: z.int() }),
  z.strictObject({
    type: z.literal('digit'),
    ...onChannel,
    digit: z.string().regex(/^[0-9A-D*#]$/),
    durationMs: z.number().min(0).max(10_000),
  }),
  z.strictObject({
    type: z.literal('userEvent'),
    at,
    task: z.enum(['pause', 'resume']),
    channel: z.string().optional(),
    call: z.string().max(64).optional(),
  }),
  z.strictObject({ type: z.literal('talk'), ...onChannel, talking: z.boolean() }),
  z.strictObject({
    type: z.literal('bridgeEntered'),
    ...onChannel,
    bridgeId: id,
    number: z.string().min(1).optional(),
  }),
  z.strictObject({ type: z.literal('bridgeLeft'), ...onChannel, bridgeId: id }),
  z.strictObject({
    type: z.literal('blindTransfer'),
    ...onChannel,
    bridgeId: id,
    channelName: z.string(),
    context: z.string(),
    extension: z.string(),
  }),
  z.strictObject({ type: z.literal('channelDialled'), ...onChannel, callerId: id, dialString: z.string().min(2) }),
  z.strictObject({ type: z.literal('playbackStarted'), at, playbackId: id }),
  z.strictObject({ type: z.literal('playbackFinished'), at, playbackId: id, outcome: z.enum(['done', 'failed']) }),
  z.strictObject({ type: z.enum(['recorderStarted', 'recorderFinished']), at, name: id }),
  z.strictObject({ type: z.literal('recorderFailed'), at, name: id, cause: z.string() }),
  z.strictObject({ type: z.literal('bridgeGone'), at, bridgeId: id }),
  z.strictObject({ type: z.literal('applicationReplaced'), at }),
]);

/** Throws nothing but what AriConnection takes for an event to be left aside, and gives nothing but events of that shape. */
function isSafe(raw: unknown): void {
  let event: unknown;
  try {
    event = parseAriEvent(raw);
  } catch (error) {
    if (error instanceof ZodError) return;
    throw error;
  }
  if (event === undefined) return;
  shape.parse(event);
  expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  expect({}).not.toHaveProperty('polluted');
}

test('every event that Préavis uses is among the samples, and understood', () => {
  const known = ariSamples.map((sample) => parseAriEvent(sample));
  expect(known.filter((event) => event !== undefined)).toHaveLength(ariSamples.length);
});

test('an event of any JSON is understood, left out or left aside', () => {
  fc.assert(fc.property(fc.oneof(hostileJson(), fc.jsonValue(), fc.anything()), isSafe), tried(120));
});

test('a real event in which any one thing is of another kind is understood, left out or left aside', () => {
  for (const sample of ariSamples) for (const event of everyReplacement(sample)) isSafe(event);
});

test('a real event in which anything is missing, wrong, huge or deep is understood, left out or left aside', () => {
  fc.assert(fc.property(mutated(ariSamples), isSafe), tried(600));
});

test('an event as it comes over the line cannot reach into what all objects share', () => {
  const keys = ['__proto__', 'constructor', 'prototype'].map((key) => `"${key}":{"polluted":1,"id":"x","number":"1"}`);
  for (const sample of ariSamples) {
    const text = JSON.stringify(sample).replaceAll('{', `{${keys.join(',')},`);
    isSafe(JSON.parse(text));
    expect(parseAriEvent(JSON.parse(text))).toEqual(parseAriEvent(sample));
  }
});

test('a time is that of Asterisk or none: never one that Node makes of another text', () => {
  const sample = { type: 'ApplicationReplaced' };
  const isTime = (timestamp: unknown): boolean => {
    try {
      return parseAriEvent({ ...sample, timestamp }) !== undefined;
    } catch {
      return false;
    }
  };
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;
  const nearly = fc.constantFrom('1', '2026', '2026-08-24', '24 Aug 2026', '2026-08-24T12:00:00.123', 'Mon', '0');
  fc.assert(
    fc.property(fc.oneof(nearly, hostileText(), fc.date({ noInvalidDate: true }).map(String)), (text) => {
      if (isTime(text)) expect(text).toMatch(form);
    }),
    tried(300),
  );
  expect(isTime('2026-08-24T12:00:00.123+0200')).toBe(true);
  expect(isTime('2026-08-24T12:00:00.123-0330')).toBe(true);
});
