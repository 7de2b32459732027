import type { AriEvent } from '../ari/events.ts';
import { dropsEarlierNumbers } from '../ari/knownFaults.ts';
import type { AriCommands, AriQueries } from '../ari/port.ts';
import { asPreavisError } from '../core/errors.ts';
import type { ChannelId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { orderOf } from './decideEnd.ts';
import { isActive } from './decideTalk.ts';
import type { Happening } from './ports.ts';
import { decideSource, isWatchable, unknownSource, type Source, type SourceEvent, type SourceStep } from './sources.ts';
import type { CallState, In, Party } from './state.ts';

/** How often Asterisk is asked about each leg, ms. */
const lookEveryMs = 1_000;
/**
 * Until a party's first packet has come, ms, within the first second: a source may change right after the answer, and the first of two must
 * have been seen.
 */
const firstLooksMs = [200, 400, 600, 800] as const;
/** How long Asterisk's own times of a leg that it has moved are waited for, ms. */
const timesWithinMs = 1_000;

/** What became of a leg whose source has changed. */
export type LegOutcome = 'heardAgain' | 'recorderStopped' | 'stillUnheard';

export type SourceWatchPorts = {
  ari: Pick<AriCommands, 'addToBridge'> & Pick<AriQueries, 'channelsIn'>;
  rtp: AriQueries['rtp'];
  /** The talk now; undefined where there is none, or its state may be behind Asterisk's. */
  talk: () => In<'talking'> | undefined;
  /** Does it behind what is under way. */
  inTurn: (step: () => Promise<void>) => Promise<void>;
  keep: (happening: Happening) => Promise<void>;
  counted: (outcome: LegOutcome) => void;
  /** A leg cannot be heard while the recorder runs. */
  lost: () => void;
  log: Logger;
};

/** When Asterisk says that a leg was taken out and in, and when we heard of the first, monotonic; ms. */
type Times = { leftAt: number; heardOfAt: number; enteredAt: number };

type Move = Extract<AriEvent, { type: 'bridgeLeft' | 'bridgeEntered' }>;

type Leg = { party: Party; channel: ChannelId };

/** Whether Asterisk mixes them. Two without a recorder are passed on to each other as they are, as Dial() does. */
const isMixed = ({ recorder, others }: In<'talking'>): boolean => isActive(recorder) || others.length > 0;

function legsOf({ facts }: In<'talking'>): Leg[] {
  return [
    { party: 'caller', channel: facts.callerChannel },
    { party: 'destination', channel: orderOf(facts).destination },
  ];
}

/** Looks once a second whether a leg of a talk goes on from another RTP source, and makes it heard again: see sources.ts. */
export class SourceWatch {
  readonly #ports: SourceWatchPorts;
  readonly #sources = new Map<ChannelId, Source>();
  readonly #looking = new Set<ChannelId>();
  readonly #moves = new Map<ChannelId, (event: Move) => void>();
  #moving: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #firstLooks: NodeJS.Timeout[] = [];

  /** `takenUp`: the call as an earlier process has left it. */
  constructor(ports: SourceWatchPorts, takenUp: CallState | undefined) {
    this.#ports = ports;
    if (takenUp?.kind !== 'talking') return;
    for (const { channel } of legsOf(takenUp)) this.#sources.set(channel, unknownSource(true));
  }

  /** Looks while they talk, where this Asterisk needs it. */
  follow({ kind, facts }: CallState): void {
    const isWanted = kind === 'talking' && dropsEarlierNumbers(facts.asterisk.version);
    if (!isWanted) this.stop();
    else if (this.#timer === undefined) {
      this.#timer = setInterval(() => {
        this.#lookAtAll();
      }, lookEveryMs).unref();
      this.#lookAtAll();
      const isUnseen = ({ kind }: Source): boolean => kind === 'unknown';
      this.#firstLooks = firstLooksMs.map((ms) =>
        setTimeout(() => {
          this.#lookAtAll(isUnseen);
        }, ms).unref(),
      );
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const timer of this.#firstLooks) clearTimeout(timer);
  }

  take(event: AriEvent): void {
    if (event.type === 'bridgeLeft' || event.type === 'bridgeEntered') this.#moves.get(event.channelId)?.(event);
  }

  /** Resolves when nobody is out of the bridge by our doing. Nobody is taken out while `talk` gives none. */
  get moved(): Promise<void> {
    return this.#moving;
  }

  #lookAtAll(isWanted: (source: Source) => boolean = isWatchable): void {
    const talk = this.#talk();
    for (const leg of talk === undefined ? [] : legsOf(talk)) {
      const { channel } = leg;
      if (this.#looking.has(channel) || !isWanted(this.#sourceOf(channel))) continue;
      this.#looking.add(channel);
      void this.#look(leg)
        .catch((thrown: unknown) => {
          this.#ports.log.debug({ code: asPreavisError(thrown).code }, 'a leg could not be looked at');
        })
        .finally(() => this.#looking.delete(channel));
    }
  }

  #talk(): In<'talking'> | undefined {
    const talk = this.#ports.talk();

    return talk !== undefined && isMixed(talk) ? talk : undefined;
  }

  #sourceOf(channel: ChannelId): Source {
    return this.#sources.get(channel) ?? unknownSource(false);
  }

  #step(channel: ChannelId, event: SourceEvent): SourceStep['action'] {
    const { source, action } = decideSource(this.#sourceOf(channel), event);
    this.#sources.set(channel, source);

    return action;
  }

  /** The talk in which this channel is that party; undefined where it is so no more. */
  #talkOf({ party, channel }: Leg): In<'talking'> | undefined {
    const talk = this.#talk();
    const isSame = talk !== undefined && legsOf(talk).some((leg) => leg.party === party && leg.channel === channel);

    return isSame ? talk : undefined;
  }

  async #look(leg: Leg): Promise<void> {
    const { rtp, inTurn } = this.#ports;
    const at = performance.now();
    const traffic = await rtp(leg.channel);
    const sighting = traffic === undefined ? 'noRtp' : (traffic.source ?? 'nothing');
    const talk = this.#talkOf(leg);
    if (talk === undefined) return;
    const action = this.#step(leg.channel, { type: 'seen', sighting, at, isHeld: talk.holding.length > 0 });
    if (action === 'renew') await inTurn(() => this.#renew(leg));
    if (action === 'giveUp') await this.#giveUp(leg, talk);
  }

  /** What has come before it may have changed what is wanted. */
  async #renew(leg: Leg): Promise<void> {
    const { ari, log } = this.#ports;
    const { party, channel } = leg;
    const wanted = (): In<'talking'> | undefined => {
      const talk = this.#talkOf(leg);

      return talk?.holding.length === 0 ? talk : undefined;
    };
    const talk = wanted();
    const source = this.#sourceOf(channel);
    if (talk === undefined || source.kind !== 'changed') return;
    const { bridge } = orderOf(talk.facts);
    try {
      // Who was taken elsewhere by others is not ours to fetch back.
      if (source.tries === 0 && !(await ari.channelsIn(bridge)).includes(channel)) return;
      // While Asterisk answered, one may have put the other on hold, or events may have begun to be missed.
      if (wanted() === undefined) return;
      const moved = this.#timesOf(channel);
      // One request, so that no end of ours can come between: Asterisk itself takes it out first.
      const moving = ari.addToBridge(bridge, [channel]);
      this.#moving = moving.catch(() => undefined);
      await moving;
      this.#step(channel, { type: 'renewed', at: performance.now() });
      log.warn({ party }, 'the sound of a party comes from another source, and was made heard again');
      // Nothing waits for Asterisk's events.
      void moved.then((times) => this.#tell(party, source.since, times));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#step(channel, { type: 'renewalFailed' });
      if (error.code === 'ari_not_found') return;
      log.warn({ party, code: error.code, err: error }, 'a party may not be heard, and could not be made heard again');
    }
  }

  /** undefined where Asterisk's events do not come. */
  #timesOf(channel: ChannelId): Promise<Times | undefined> {
    return new Promise((resolve) => {
      let left: Omit<Times, 'enteredAt'> | undefined;
      const end = (times: Times | undefined): void => {
        clearTimeout(timer);
        if (this.#moves.get(channel) === take) this.#moves.delete(channel);
        resolve(times);
      };
      const take = (event: Move): void => {
        if (event.type === 'bridgeLeft') left = { leftAt: event.at, heardOfAt: performance.now() };
        else if (left !== undefined) end({ ...left, enteredAt: event.at });
      };
      const timer = setTimeout(end, timesWithinMs, undefined).unref();
      this.#moves.set(channel, take);
    });
  }

  /** The time of the change is by our clock; told in Asterisk's by that of the event (P8). */
  async #tell(party: Party, since: number | undefined, times: Times | undefined): Promise<void> {
    if (since === undefined) return;
    const { keep, counted } = this.#ports;
    const from = times === undefined ? undefined : Math.floor(times.leftAt - (times.heardOfAt - since));
    counted('heardAgain');
    // Both at once: the end of the call, by which the recording is judged, waits for what has happened before it.
    await Promise.all([
      keep({ kind: 'change', change: 'unheard', at: from, party }),
      keep({ kind: 'change', change: 'heardAgain', at: times?.enteredAt, party }),
    ]);
  }

  /** Without a recorder in it the bridge passes on what comes, as Dial() does: the talk goes before the recording. */
  async #giveUp({ party }: Leg, { recorder }: In<'talking'>): Promise<void> {
    const { keep, counted, lost, log } = this.#ports;
    log.error({ party }, 'a party may not be heard, and nothing helps: no more is recorded');
    counted(isActive(recorder) ? 'recorderStopped' : 'stillUnheard');
    lost();
    await keep({ kind: 'change', change: 'unheard', at: undefined, party });
  }
}
