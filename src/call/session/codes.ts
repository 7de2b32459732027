import type { AriEvent } from '../../ari/events.ts';
import type { CodeTask, LineCode } from '../../config/codes.ts';
import type { CallEvent } from '../decide/events.ts';
import type { Asker, Party } from '../decide/order.ts';
import { partyOf } from '../decide/parties.ts';
import { awaitsRequest, pausedIn } from '../decide/pause.ts';
import type { CallState } from '../decide/state.ts';

/** What the line of a call says of codes and pauses. */
export type LineAsking = {
  codes: readonly LineCode[];
  /** Whether what was recorded may be erased when somebody asks for that. */
  mayErase: boolean;
  /** After how long a pause ends by itself, s; undefined where it stays. */
  pauseSeconds: number | undefined;
};

/** Between two keys of one code no more time may pass than this, ms: else they are keys of something else. */
const betweenKeysMs = 5_000;
/** No code is longer. */
const longestCode = 6;

type Key = { digit: string; at: number; beganAt: number };

const presses = ({ pressedBy }: LineCode, by: Party): boolean =>
  pressedBy === 'both' || pressedBy === (by === 'caller' ? 'caller' : 'agent');

/** Reads what the two sides of a call ask for: by codes, which are pressed beside what they talk, and by events of programs. */
export class Codes {
  readonly #line: () => LineAsking;
  readonly #typed: Record<Party, readonly Key[]> = { caller: [], destination: [] };

  /** `line` is asked for each code anew: at first the line is not known. */
  constructor(line: () => LineAsking) {
    this.#line = line;
  }

  /** What this event asks of the call; undefined for nothing. */
  read(event: AriEvent, state: CallState): CallEvent | undefined {
    if (event.type === 'userEvent') return this.#asked(event.task, 'operator', event.at, event.at, state);
    if (event.type !== 'digit') return undefined;
    const by = partyOf(event.channelId, state.facts);
    if (by === undefined) return undefined;
    const { at, digit, durationMs = 0 } = event;
    const lastAt = this.#typed[by].at(-1)?.at ?? at;
    const before = at - lastAt > betweenKeysMs ? [] : this.#typed[by];
    const typed = [...before, { digit, at, beganAt: at - durationMs }].slice(-longestCode);
    this.#typed[by] = typed;
    const keys = typed.map((each) => each.digit).join('');
    const code = this.#line().codes.find((each) => presses(each, by) && keys.endsWith(each.keys));
    if (code === undefined) return undefined;
    const since = typed.at(-code.keys.length)?.beganAt ?? at;
    this.#typed[by] = [];

    return this.#asked(code.task, by, at, since, state);
  }

  #asked(task: CodeTask, by: Asker, at: number, since: number, state: CallState): CallEvent | undefined {
    const { pauseSeconds, mayErase } = this.#line();
    const until = pauseSeconds === undefined ? undefined : at + pauseSeconds * 1_000;
    const paused = pausedIn(state);
    const isOn = paused !== undefined && paused.endsBy === undefined && !awaitsRequest({ paused });
    switch (task) {
      case 'pause':
        return { type: 'pauseAsked', by, at, since, until };
      case 'resume':
        return { type: 'resumeAsked', by, at };
      case 'toggle':
        return this.#asked(isOn ? 'resume' : 'pause', by, at, since, state);
      case 'record':
        return { type: 'recordAsked', by, at };
      case 'erase':
        return mayErase ? { type: 'eraseAsked', by, at } : undefined;
      case 'agreement':
      case 'exemplary':
        return { type: 'markAsked', mark: task, by, at };
      // The caller's refusal is read with the keys of the notice.
      case 'refuse':
        return undefined;
    }
  }
}
