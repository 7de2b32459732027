/** Players of recordings, as browsers play them: by Range, a little ahead of what is heard, and they say what was. */
import http, { type IncomingMessage } from 'node:http';

/** Of WAV as Asterisk records it: 8,000 samples of 16 bits a second. */
const bytesPerMs = 16;
/** How far ahead of what is heard a player fetches, and when it goes on fetching, ms of sound. */
const aheadMs = 10_000;
const goOnMs = 5_000;
/** How often all of them play on, and how often each says what was heard, ms. */
const tickMs = 100;
const tellEveryMs = 10_000;
/** Whoever listens jumps to another place, or to another recording, after so long, ms. */
const jumpAfterMs = 25_000;
/** Sound that comes later than its turn is a pause that is heard, ms. */
const audibleMs = 100;

export type Heard = {
  requests: number;
  refused: Record<string, number>;
  bytes: number;
  /** From the request to the first byte, ms. */
  firstByteMs: number[];
  /** Seconds heard, and how often a player had nothing to play for longer than `audibleMs`. */
  seconds: number;
  pauses: number;
};

export type Listener = { token: string; address: string };

/** So many at once until they are stopped; each begins somewhere else, and a little after another. */
export class Players {
  readonly #url: string;
  readonly #recordings: readonly string[];
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  readonly #all: Player[];
  readonly #timer: NodeJS.Timeout;
  readonly heard: Heard = { requests: 0, refused: {}, bytes: 0, firstByteMs: [], seconds: 0, pauses: 0 };

  constructor(url: string, recordings: readonly string[], listeners: readonly Listener[]) {
    this.#url = url;
    this.#recordings = recordings;
    this.#all = listeners.map(
      (listener, index) =>
        new Player(this, listener, { turn: index, afterMs: (index / listeners.length) * jumpAfterMs }),
    );
    let before = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const player of this.#all) player.playOn(now - before);
      before = now;
    }, tickMs);
  }

  get playing(): number {
    return this.#all.filter(({ isPlaying }) => isPlaying).length;
  }

  recording(turn: number): string {
    return this.#recordings[turn % this.#recordings.length] ?? '';
  }

  ask(path: string, { token, address }: Listener, headers: Readonly<Record<string, string>>, body?: string) {
    this.heard.requests += 1;
    const request = http.request(`${this.#url}/api/v1${path}`, {
      agent: this.#agent,
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address, ...headers },
    });
    request.end(body);

    return request;
  }

  refused(why: string): void {
    this.heard.refused[why] = (this.heard.refused[why] ?? 0) + 1;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const player of this.#all) player.leave();
    this.#agent.destroy();
  }
}

class Player {
  readonly #players: Players;
  readonly #listener: Listener;
  #turn: number;
  /** Not all of them begin, and jump, at the same moment. */
  #beginsAfter: number;
  /** Where it began, what came, and what of it was heard, ms of sound. */
  #from = 0;
  #came = 0;
  #heard = 0;
  #told = 0;
  #waited = 0;
  #answer: IncomingMessage | undefined;
  #state: 'idle' | 'asking' | 'coming' | 'whole' = 'idle';

  constructor(players: Players, listener: Listener, { turn, afterMs }: { turn: number; afterMs: number }) {
    this.#players = players;
    this.#listener = listener;
    this.#turn = turn;
    this.#beginsAfter = afterMs;
  }

  get isPlaying(): boolean {
    return this.#state === 'coming' || this.#state === 'whole';
  }

  playOn(ms: number): void {
    if (this.#state === 'idle') {
      this.#beginsAfter -= ms;
      if (this.#beginsAfter <= 0) this.#begin();
      return;
    }
    if (this.#state === 'asking') return;
    const plays = Math.min(ms, this.#came - this.#heard);
    this.#heard += plays;
    this.#players.heard.seconds += plays / 1_000;
    const ahead = this.#came - this.#heard;
    if (this.#state === 'coming') {
      if (plays < ms) this.#wait(ms - plays);
      else this.#waited = 0;
      if (ahead < goOnMs) this.#answer?.resume();
    }
    if (this.#heard - this.#told >= tellEveryMs) this.#tell();
    if (this.#heard >= jumpAfterMs || (this.#state === 'whole' && ahead === 0)) this.leave();
  }

  /** Closes what still comes, as a browser does for a jump. */
  leave(): void {
    if (this.#heard > this.#told) this.#tell();
    this.#answer?.destroy();
    this.#answer = undefined;
    this.#state = 'idle';
    this.#turn += 1;
  }

  #wait(ms: number): void {
    const before = this.#waited;
    this.#waited += ms;
    if (before < audibleMs && this.#waited >= audibleMs) this.#players.heard.pauses += 1;
  }

  #begin(): void {
    const { heard } = this.#players;
    // At the beginning, or as who jumps.
    this.#from = (this.#turn % 3) * 8_000;
    [this.#came, this.#heard, this.#told, this.#waited] = [0, 0, 0, 0];
    this.#state = 'asking';
    const began = performance.now();
    const path = `/recordings/${this.#players.recording(this.#turn)}/audio`;
    const request = this.#players.ask(path, this.#listener, { range: `bytes=${44 + this.#from * bytesPerMs}-` });
    const failed = (why: string): void => {
      this.#players.refused(why);
      this.#state = 'idle';
      this.#turn += 1;
    };
    request.once('error', ({ message }) => {
      if (this.#state === 'asking') failed(message);
    });
    request.once('response', (answer) => {
      if (answer.statusCode !== 206) {
        answer.resume();
        failed(String(answer.statusCode));
        return;
      }
      this.#answer = answer;
      this.#state = 'coming';
      answer.once('data', () => heard.firstByteMs.push(performance.now() - began));
      answer.on('data', (bytes: Buffer) => {
        if (this.#answer !== answer) return;
        heard.bytes += bytes.length;
        this.#came += bytes.length / bytesPerMs;
        if (this.#came - this.#heard > aheadMs) answer.pause();
      });
      answer.once('end', () => {
        if (this.#answer === answer) this.#state = 'whole';
      });
      answer.once('error', () => {
        if (this.#answer === answer) this.#players.refused('cut');
      });
    });
  }

  #tell(): void {
    const part = [this.#from + this.#told, this.#from + this.#heard].map((ms) => Math.round(ms));
    this.#told = this.#heard;
    const path = `/recordings/${this.#players.recording(this.#turn)}/heard`;
    const type = { 'content-type': 'application/json' };
    const request = this.#players.ask(path, this.#listener, type, JSON.stringify({ parts: [part] }));
    request.once('error', ({ message }) => {
      this.#players.refused(`heard: ${message}`);
    });
    request.once('response', (answer) => {
      answer.resume();
      if (answer.statusCode !== 204) this.#players.refused(`heard: ${answer.statusCode ?? 0}`);
    });
  }
}
