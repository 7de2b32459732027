/** From when both are in the bridge to the recorder's start, by Asterisk's clock: read from its Channel Event Logging. */
import { readFileSync } from 'node:fs';
import { parseCelLine } from '../../src/receipt/celLine.ts';

/** Beside what Préavis reads of it: when a channel is answered. */
const answered = /^"ANSWER","(\d+\.\d+)","([^"]+)"/;

/** Who came into which bridge when, and who was answered when, ms by Asterisk's clock. */
export class TalkTimes {
  readonly #file: string;
  #read = 0;
  /** Of each bridge, in their order. */
  readonly #entries = new Map<string, { channel: string; at: number }[]>();
  /** The bridges that a channel has come into, in their order. */
  readonly #bridges = new Map<string, string[]>();
  readonly #answers = new Map<string, number>();

  constructor(celFile: string) {
    this.#file = celFile;
  }

  /** Reads what has come since it was read last. */
  readOn(): void {
    const bytes = readFileSync(this.#file);
    const end = bytes.lastIndexOf('\n') + 1;
    for (const line of bytes.subarray(this.#read, end).toString().split('\n')) this.#take(line);
    this.#read = end;
  }

  #take(line: string): void {
    const [, seconds, channel] = answered.exec(line) ?? [];
    if (seconds !== undefined && channel !== undefined) {
      this.#answers.set(channel, Math.floor(Number(seconds) * 1_000));
      return;
    }
    const event = parseCelLine(line);
    if (event?.event !== 'enter') return;
    const { bridge, channel: who, at } = event;
    this.#entries.set(bridge, [...(this.#entries.get(bridge) ?? []), { channel: who, at }]);
    this.#bridges.set(who, [...(this.#bridges.get(who) ?? []), bridge]);
  }

  /**
   * When this caller first had somebody who had answered in the bridge with them; undefined for who never had. Where Préavis dials, both
   * are in the bridge before the answer.
   */
  togetherAt(caller: string): number | undefined {
    for (const bridge of this.#bridges.get(caller) ?? []) {
      const entries = this.#entries.get(bridge) ?? [];
      const own = entries.find(({ channel }) => channel === caller);
      const other = entries.find(({ channel }) => channel !== caller);
      if (own === undefined || other === undefined) continue;

      return Math.max(own.at, other.at, this.#answers.get(other.channel) ?? 0);
    }

    return undefined;
  }
}
