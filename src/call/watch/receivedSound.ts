import { dropsEarlierNumbers } from '../../ari/knownFaults.ts';
import type { AriQueries, RtpTraffic } from '../../ari/port.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { isBridged, type Party } from '../decide/order.ts';
import { orderOf } from '../decide/parties.ts';
import { isActive } from '../decide/recorder.ts';
import type { CallState, In } from '../decide/state.ts';
import { legsOf } from './legs.ts';

/** How often Asterisk is asked where nobody else asks: what came since the last answer is not counted, ms. */
const askEveryMs = 5_000;
/** Of sound in one packet, as telephones send it, ms. */
const packetMs = 20;

/** What the channel has received so far, of which source. */
type Seen = { ssrc: number | undefined; packets: number };

export type ReceivedSoundPorts = {
  ari: Pick<AriQueries, 'rtp'>;
  /** Does it when few enough others are asked about. */
  limit: <T>(step: () => Promise<T>) => Promise<T>;
  /** The talk now; undefined where there is none, or its state may be behind Asterisk's. */
  talk: () => In<'talking'> | undefined;
  log: Logger;
};

/**
 * How much sound has come from each party of a followed call while it was recorded, by the RTP packets that Asterisk has received: the
 * channel of whom the dialplan dials takes no talk detection from us. So a telephone that sends silence counts as heard.
 */
export class ReceivedSound {
  readonly #ports: ReceivedSoundPorts;
  /** What an earlier process has counted nobody knows. */
  readonly #isWhole: boolean;
  readonly #seen = new Map<ChannelId, Seen>();
  readonly #packets = new Map<Party, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ports: ReceivedSoundPorts, { isTakenUp }: { isTakenUp: boolean }) {
    this.#ports = ports;
    this.#isWhole = !isTakenUp;
  }

  /** Asks while they are recorded, where the watch of sources does not. */
  follow(state: CallState): void {
    const isAsked =
      state.kind === 'talking' &&
      isCounted(state) &&
      !dropsEarlierNumbers(state.facts.asterisk.version) &&
      this.#isWhole;
    if (isAsked === (this.#timer !== undefined)) return;
    this.stop();
    if (!isAsked) return;
    this.#timer = setInterval(() => {
      this.#askAll();
    }, askEveryMs).unref();
    this.#askAll();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Asterisk has told this of the channel. What came in a hold, or unrecorded, does not count. */
  note(channel: ChannelId, traffic: RtpTraffic | undefined): void {
    const talk = this.#ports.talk();
    const leg = talk === undefined ? undefined : legsOf(talk).find(({ speaker }) => speaker === channel);
    if (talk === undefined || leg === undefined || traffic === undefined) return;
    const now: Seen = {
      ssrc: traffic.source?.ssrc,
      packets: traffic.source === undefined ? 0 : traffic.receivedPackets,
    };
    const before = this.#seen.get(channel);
    this.#seen.set(channel, now);
    if (before === undefined || !isCounted(talk) || talk.holding.length > 0) return;
    // Asterisk counts each source anew.
    const isSame = before.ssrc === now.ssrc && before.packets <= now.packets;
    const more = isSame ? now.packets - before.packets : now.packets;
    this.#packets.set(leg.party, (this.#packets.get(leg.party) ?? 0) + more);
  }

  /** ms of each party; undefined where nobody knows. */
  times(): { callerMs: number; destinationMs: number } | undefined {
    const [caller, destination] = [this.#packets.get('caller'), this.#packets.get('destination')];
    if (!this.#isWhole || caller === undefined || destination === undefined) return undefined;

    return { callerMs: caller * packetMs, destinationMs: destination * packetMs };
  }

  #askAll(): void {
    const talk = this.#ports.talk();
    for (const { speaker } of talk === undefined ? [] : legsOf(talk)) {
      void this.#ports
        .limit(() => this.#ports.ari.rtp(speaker))
        .then(
          (traffic) => {
            this.note(speaker, traffic);
          },
          (thrown: unknown) => {
            this.#ports.log.debug({ code: asPreavisError(thrown).code }, 'received sound unknown');
          },
        );
    }
  }
}

const isCounted = (talk: In<'talking'>): boolean =>
  !isBridged(orderOf(talk.facts)) && isActive(talk.recorder) && talk.paused === undefined;
