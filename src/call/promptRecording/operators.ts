import { readdir, rm } from 'node:fs/promises';
import type { AriEvent } from '../../ari/events.ts';
import { asPreavisError, errnoOf } from '../../core/errors.ts';
import type { ChannelId, IdMaker } from '../../core/ids.ts';
import { takesPerCall, type RecorderEvent, type RecorderFacts, type Take } from './machine.ts';
import { PromptRecorderSession, takeFile, takePrefix, type PromptRecorderPorts } from './session.ts';

/**
 * Knows the operators who are recording prompts now, and hands each event of Asterisk to the one it belongs to. They are
 * not calls: nothing of them is in the catalogue, and after a lost connection they begin again.
 */
export type PromptOperatorsPorts = Omit<PromptRecorderPorts, 'ended' | 'ids'> & {
  ids: IdMaker;
  maximumSeconds: number;
};

/** As many at once; more would only be somebody who guesses PINs. */
const operatorsAtOnce = 4;

export class PromptOperators {
  readonly #ports: PromptOperatorsPorts;
  readonly #sessions = new Set<PromptRecorderSession>();
  /** By channel, playback or recorder name. */
  readonly #owners = new Map<string, PromptRecorderSession>();

  constructor(ports: PromptOperatorsPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#sessions.size;
  }

  owns(channel: ChannelId): boolean {
    return this.#owners.has(channel);
  }

  /** The channel has come for something else. */
  release(channel: ChannelId): void {
    this.#owners.get(channel)?.handle({ type: 'callerLeft' });
    this.#owners.delete(channel);
  }

  /** False when there are too many already. */
  arrive(channel: ChannelId): boolean {
    const { ids, log, maximumSeconds } = this.#ports;
    // The same channel may come again while its first visit is still being closed.
    this.release(channel);
    if (this.#sessions.size >= operatorsAtOnce) return false;
    const takes = Array.from({ length: takesPerCall }, (): Take => ({
      name: `${takePrefix}${ids.recording()}`,
      playback: ids.playback(),
    }));
    const facts: RecorderFacts = { channel, presentation: ids.playback(), takes, maximumMs: maximumSeconds * 1_000 };
    const keys = [channel, facts.presentation, ...takes.flatMap(({ name, playback }) => [name, playback])];
    const session = new PromptRecorderSession(facts, {
      ...this.#ports,
      log: log.child({ call: ids.call() }),
      ended: () => {
        this.#sessions.delete(session);
        for (const key of keys) if (this.#owners.get(key) === session) this.#owners.delete(key);
      },
    });
    this.#sessions.add(session);
    for (const key of keys) this.#owners.set(key, session);

    return true;
  }

  /** False for an event that belongs to no operator. */
  handle(event: AriEvent): boolean {
    const translated = translate(event);
    if (translated === undefined) return false;
    const session = this.#owners.get(translated.key);
    // A recorder that was stopped while it had not yet begun leaves its file afterwards.
    if (session === undefined) return this.#forget(event);
    session.handle(translated.meaning);

    return true;
  }

  #forget(event: AriEvent): boolean {
    const ended = event.type === 'recorderFinished' || event.type === 'recorderFailed';
    if (!ended || !event.name.startsWith(takePrefix)) return false;
    void this.#remove(event.name);

    return true;
  }

  /** Ends all: with what they said and pressed no longer known, or because this process stops. */
  async interrupt(): Promise<void> {
    const sessions = [...this.#sessions];
    for (const session of sessions) session.handle({ type: 'interrupted' });
    await Promise.all(sessions.map((session) => session.settled()));
  }

  /** Removes what an earlier process left in Asterisk's recording folder. */
  async sweep(): Promise<void> {
    const { ari, spoolFolder, log } = this.#ports;
    for (const file of await readdir(spoolFolder).catch(() => [])) {
      const name = file.replace(/\.wav$/, '');
      if (!file.startsWith(takePrefix) || name === file || this.#owners.has(name)) continue;
      await ari.discardRecorder(name).catch((thrown: unknown) => {
        const { code } = asPreavisError(thrown);
        if (code !== 'ari_not_found') log.warn({ code }, 'abandoned take not stopped');
      });
      await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    const { spoolFolder, log } = this.#ports;
    await rm(takeFile(spoolFolder, name), { force: true }).catch((cause: unknown) => {
      log.warn({ code: 'spool_unusable', errno: errnoOf(cause) }, 'take not deleted');
    });
  }
}

/** What an event means to the call of an operator, and the id by which that call is found; undefined for nothing. */
function translate(event: AriEvent): { key: string; meaning: RecorderEvent } | undefined {
  switch (event.type) {
    case 'channelHangingUp':
    case 'channelLeft':
    case 'channelGone':
      return { key: event.channelId, meaning: { type: 'callerLeft' } };
    case 'digit':
      return { key: event.channelId, meaning: { type: 'digit', digit: event.digit } };
    case 'playbackFinished': {
      const { playbackId, outcome } = event;
      return { key: playbackId, meaning: { type: 'playbackFinished', playback: playbackId, outcome } };
    }
    case 'recorderStarted':
    case 'recorderFinished':
      return { key: event.name, meaning: { type: event.type, name: event.name, at: event.at } };
    case 'recorderFailed':
      return { key: event.name, meaning: { type: 'recorderFailed', name: event.name } };
    case 'channelArrived':
    case 'channelHeld':
    case 'channelResumed':
    case 'talk':
    case 'bridgeEntered':
    case 'bridgeLeft':
    case 'blindTransfer':
    case 'channelUp':
    case 'channelRinging':
    case 'channelForwarded':
    case 'channelDialled':
    case 'playbackStarted':
    case 'bridgeGone':
    case 'userEvent':
    case 'channelOffered':
    case 'applicationReplaced':
      return undefined;
  }
}
