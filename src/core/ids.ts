import { ulid } from 'ulid';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One caller's visit. */
export type CallId = Branded<'CallId'>;
/** One WAV. */
export type RecordingId = Branded<'RecordingId'>;
export type ChannelId = Branded<'ChannelId'>;
export type BridgeId = Branded<'BridgeId'>;
export type PlaybackId = Branded<'PlaybackId'>;

/** Makes ids of our own for everything we create in Asterisk, so that an event can be matched before the reply comes. */
export type IdMaker = {
  call(): CallId;
  recording(): RecordingId;
  channel(): ChannelId;
  bridge(): BridgeId;
  playback(): PlaybackId;
};

/** ULIDs: sortable by time, no meaning beyond it. `next` can be replaced in tests. */
export function makeIds(next: () => string = () => ulid()): IdMaker {
  return {
    call: () => next() as CallId,
    recording: () => next() as RecordingId,
    channel: () => `preavis-${next()}` as ChannelId,
    bridge: () => `preavis-${next()}` as BridgeId,
    playback: () => `preavis-${next()}` as PlaybackId,
  };
}

const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** True for a string that can be an id of ours: safe in a path and in a query. */
export function isUlid(text: string): boolean {
  return ulidPattern.test(text);
}
