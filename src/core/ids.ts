import { randomFillSync } from 'node:crypto';
import { decodeTime, ulid } from 'ulid';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One caller's visit. */
export type CallId = Branded<'CallId'>;
/** One WAV. */
export type RecordingId = Branded<'RecordingId'>;
export type ChannelId = Branded<'ChannelId'>;
export type BridgeId = Branded<'BridgeId'>;
export type PlaybackId = Branded<'PlaybackId'>;
/** A reason not to erase a recording. */
export type HoldId = Branded<'HoldId'>;
/** Somebody's question whether they may hear a recording, and the answer. */
export type ApprovalId = Branded<'ApprovalId'>;
/** What somebody has written about a recording. */
export type CommentId = Branded<'CommentId'>;
/** What a person has asked for, to have erased. */
export type RequestId = Branded<'RequestId'>;
/** Something that happened in a call, once: told again, it is none. */
export type HappeningId = Branded<'HappeningId'>;

/** Makes ids of our own for everything we create in Asterisk, so that an event can be matched before the reply comes. */
export type IdMaker = {
  call(): CallId;
  recording(): RecordingId;
  channel(): ChannelId;
  bridge(): BridgeId;
  playback(): PlaybackId;
  hold(): HoldId;
  approval(): ApprovalId;
  comment(): CommentId;
  request(): RequestId;
  happening(): HappeningId;
};

/** Random numbers from 0 to 1, 32 bits each, fetched from the system for many ids at once. */
function makeRandom(): () => number {
  const pool = new Uint32Array(1_024);
  let next = pool.length;

  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    const value = pool[next] ?? 0;
    next += 1;

    return value / 2 ** 32;
  };
}

/** ULIDs: sortable by time, no meaning beyond it. `next` can be replaced in tests. */
export function makeIds(next?: () => string): IdMaker {
  const random = makeRandom();
  const make = next ?? (() => ulid(undefined, random));

  return {
    call: () => make() as CallId,
    recording: () => make() as RecordingId,
    channel: () => `preavis-${make()}` as ChannelId,
    bridge: () => `preavis-${make()}` as BridgeId,
    playback: () => `preavis-${make()}` as PlaybackId,
    hold: () => make() as HoldId,
    approval: () => make() as ApprovalId,
    comment: () => make() as CommentId,
    request: () => make() as RequestId,
    happening: () => make() as HappeningId,
  };
}

const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** True for a string that can be an id of ours: safe in a path and in a query. */
export function isUlid(text: string): boolean {
  return ulidPattern.test(text);
}

/** When an id of ours was made, ms since 1970 UTC by the clock of this machine; undefined for what is none. */
export function madeAt(id: string): number | undefined {
  return isUlid(id) ? decodeTime(id) : undefined;
}
