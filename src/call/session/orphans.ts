import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries, Owned } from '../../ari/port.ts';
import { asPreavisError, type PreavisError } from '../../core/errors.ts';
import { isUlid, type BridgeId, type ChannelId, type RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { recorderName, wholeName } from '../decide/order.ts';
import { swapMs } from '../watch/bridgeMap.ts';

/** Channels and bridges of ours that belong to no call: they are freed, but no talk is ended for that (P3). */
export type OrphanPorts = {
  ari: Pick<AriCommands, 'hangUp' | 'continueInDialplan' | 'destroyBridge' | 'stopRecorder'> &
    Pick<AriQueries, 'owned' | 'recordedBridge'>;
  /** What is in Asterisk's recording folder and not known to be finished. */
  unfinished: () => Promise<readonly RecordingId[]>;
  /** Whether it belongs to a call, or to somebody who records prompts, by now. */
  isOwned: (id: string) => boolean;
  log: Logger;
};

export type Orphans = {
  channels: readonly ChannelId[];
  bridges: readonly BridgeId[];
  /** Bridges in which two or more talk. */
  talks: readonly BridgeId[];
};

/** An id that `IdMaker` made for Asterisk. A Local channel's other half, `...;2`, is a caller like any other. */
export const isOwn = (id: string): boolean => {
  const key = callKey(id);

  return key.startsWith('preavis-') && isUlid(key.slice('preavis-'.length));
};

/** The id that a call knows: the snoop channels and recorders of a followed one are numbered. */
export const callKey = wholeName;

/**
 * What of all this belongs to no call. Who talks to somebody is left alone, in whatever bridge.
 *
 * @param wasTalk whether there was a talk before: then somebody who has not answered yet is waited for, as in a transfer
 */
export function orphansOf(
  { channels, bridges }: Owned,
  isNobodys: (id: string) => boolean,
  wasTalk: (id: BridgeId) => boolean = () => false,
): Orphans {
  const isTalk = ({ id, members, answered }: Owned['bridges'][number]): boolean =>
    (wasTalk(id) ? members : answered).length > 1;
  const talk = bridges.filter(isTalk);
  const talking = new Set(talk.flatMap(({ members }) => members));
  const ours = (some: Owned['bridges']): BridgeId[] =>
    some.filter(({ id, isOurs }) => isOurs && isOwn(id) && isNobodys(id)).map(({ id }) => id);

  return {
    channels: channels.filter((id) => isNobodys(id) && !talking.has(id)),
    bridges: ours(bridges.filter((bridge) => !isTalk(bridge))),
    talks: ours(talk),
  };
}

export class OrphanRemover {
  readonly #ports: OrphanPorts;
  /** Talks of no call, until one side leaves. */
  #talks = new Set<BridgeId>();

  constructor(ports: OrphanPorts) {
    this.#ports = ports;
  }

  /**
   * Frees what belonged to no call then, and belongs to nobody and no talk now. Throws ari_unreachable where something could not be
   * freed for want of an answer.
   */
  async free(then: Orphans): Promise<void> {
    const orphans = new Set<string>([...then.channels, ...then.bridges, ...then.talks]);
    if (orphans.size === 0) return;
    const { ari, isOwned, log } = this.#ports;
    const { channels, bridges, talks } = orphansOf(
      await ari.owned(),
      (id) => orphans.has(id) && !isOwned(id),
      (id) => this.#talks.has(id) || then.talks.includes(id),
    );
    for (const id of talks) {
      if (!this.#talks.has(id)) log.warn({ bridge: id }, 'orphaned bridge left running');
    }
    this.#talks = new Set(talks);
    await this.#attempts([
      ...(talks.length === 0 ? [] : [() => this.#stopRecorders(new Set(talks))]),
      ...channels.map((id) => () => (isOwn(id) ? ari.hangUp(id) : ari.continueInDialplan(id))),
      // A talk that one side has left meanwhile leaves the other in it.
      ...bridges.map((id) => () => (then.talks.includes(id) ? this.#endIfAlone(id) : ari.destroyBridge(id))),
    ]);
  }

  /** Nobody can prove what was told in a talk of no known call, so it is not recorded (P1). Asterisk lists no recorders. */
  async #stopRecorders(talks: ReadonlySet<BridgeId>): Promise<void> {
    const { ari, isOwned, unfinished, log } = this.#ports;
    const names = (await unfinished()).map((recording) => recorderName(recording)).filter((name) => !isOwned(name));
    await this.#attempts(
      names.map((name) => async () => {
        const bridge = await ari.recordedBridge(name);
        if (bridge === undefined || !talks.has(bridge)) return;
        log.warn({ bridge }, 'recorder of orphaned bridge stopped');
        await ari.stopRecorder(name);
      }),
    );
  }

  /** A channel that Asterisk has put into the place of another, of no call: in a talk it stays. */
  freeSoon(channel: ChannelId): void {
    this.#later(async () => {
      const { ari, isOwned } = this.#ports;
      const { channels } = orphansOf(
        await ari.owned(),
        (id) => id === channel && !isOwned(id),
        () => true,
      );
      await this.#attempts(channels.map((id) => () => ari.continueInDialplan(id)));
    });
  }

  /** Who is left alone of such a talk would listen to nothing until they hang up. */
  handle(event: AriEvent): void {
    if (event.type !== 'bridgeLeft' || !this.#talks.has(event.bridgeId)) return;
    this.#later(() => this.#endIfAlone(event.bridgeId));
  }

  async #endIfAlone(id: BridgeId): Promise<void> {
    const { ari } = this.#ports;
    const bridge = (await ari.owned()).bridges.find((each) => each.id === id);
    if (bridge !== undefined && bridge.members.length > 1) return;
    this.#talks.delete(id);
    await this.#attempts([
      ...(bridge?.members ?? []).map((channel) => () => ari.hangUp(channel)),
      () => ari.destroyBridge(id),
    ]);
  }

  /** The comparison after the next connection finds what fails. */
  #later(step: () => Promise<void>): void {
    setTimeout(() => {
      step().catch((thrown: unknown) => {
        const error = asPreavisError(thrown);
        this.#ports.log.warn({ code: error.code }, 'orphaned bridge not checked');
      });
    }, swapMs).unref();
  }

  async #attempts(attempts: readonly (() => Promise<void>)[]): Promise<void> {
    let failure: PreavisError | undefined;
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch (thrown) {
        const error = asPreavisError(thrown);
        if (error.code === 'ari_not_found') continue;
        this.#ports.log.warn({ code: error.code }, 'orphaned channel or bridge not released');
        // What Asterisk refuses, it refuses again: such a channel is not in our hands.
        if (error.code === 'ari_unreachable') failure = error;
      }
    }
    if (failure !== undefined) throw failure;
  }
}
