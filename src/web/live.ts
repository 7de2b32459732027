import { setImmediate as breathe } from 'node:timers/promises';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import type * as z from 'zod';
import type { Actor } from '../access/actor.ts';
import type { CallState } from '../call/decide/state.ts';
import { isoTime } from '../core/clock.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import { refuseOtherOrigin } from './credentials.ts';
import type { Guard } from './guard.ts';
import type { Credentials, WebPorts } from './ports.ts';
import { basePath } from './route.ts';
import type { liveCall } from './schemas.ts';
import { decided, knownCall, type KnownCall } from './subjects.ts';

/** Calls that go on now, and what is told of them while they do. */

type LiveCall = z.input<typeof liveCall>;

type OpenCall = { state: CallState; known: KnownCall };

/** What the catalogue has of each call that goes on. */
async function openCalls(ports: WebPorts): Promise<OpenCall[]> {
  const states = (await ports.catalogue.journal.openAnywhere()).filter(
    (each): each is CallState => each.kind !== 'unreadable',
  );
  const open: OpenCall[] = [];
  for (const state of states) {
    const known = await knownCall(ports, state.facts.id);
    if (known !== undefined) open.push({ state, known });
  }

  return open;
}

/**
 * Those that they may see.
 *
 * @param open what `openCalls` has given, for several who look at once
 */
export async function liveCalls(actor: Actor, ports: WebPorts, open?: readonly OpenCall[]): Promise<LiveCall[]> {
  const shown: LiveCall[] = [];
  for (const { state, known } of open ?? (await openCalls(ports))) {
    if (!(await decided(ports, actor, 'seeLive', known)).allowed) continue;
    const { call, extension } = known;
    const { id, line, pbx, direction, purposes, languages } = call;
    shown.push({
      id,
      startedAt: isoTime(call.startedAt),
      line,
      pbx,
      direction,
      extension,
      purposes,
      languages,
      phase: state.kind,
      isRecording: 'recorder' in state && state.recorder.kind === 'running' && !isPaused(state),
      isPaused: isPaused(state),
      tasks: tasksOf(state),
    });
  }

  return shown;
}

const isPaused = (state: CallState): boolean => 'paused' in state;

/** What serve would do where it is asked now, by the line as it was when the call came. */
function tasksOf(state: CallState): LiveCall['tasks'] {
  const { order } = state.facts;
  if ((state.kind !== 'talking' && state.kind !== 'following') || order === undefined) return [];
  const isRecorded = isPaused(state) || ('recorder' in state && state.recorder.kind === 'running');
  if (!isRecorded) return order.records === 'onRequest' ? ['record'] : [];

  return [isPaused(state) ? 'resume' : 'pause', ...(order.agreement === undefined ? [] : (['agreement'] as const))];
}

/** How often it is looked whether something has changed, and whether they may still see it, ms. */
const lookEveryMs = 1_000;
/** How often a socket must show that somebody is there, ms. */
const pingEveryMs = 20_000;
const mostSockets = 64;
const mostSocketsOfActor = 6;
/** Of one that does not read, bytes: it is closed. */
const mostWaiting = 256 * 1024;
/** Nothing is to be sent to it. */
const largestMessage = 1_024;

/** Codes of our own (RFC 6455, 7.4.2), like those of HTTP. */
const closed = { unknown: 4401, refused: 4403, late: 4408, failed: 4500 } as const;

type Watcher = { socket: WebSocket; credentials: Credentials; actor: Actor; sent: string; isHeard: boolean };

/** Who watches, and what they were told last. */
class Watchers {
  readonly #ports: WebPorts;
  readonly #all = new Set<Watcher>();
  readonly #timers: NodeJS.Timeout[];
  #isLooking = false;

  constructor(ports: WebPorts) {
    this.#ports = ports;
    this.#timers = [
      setInterval(() => void this.#lookForAll(), lookEveryMs),
      setInterval(() => {
        this.#ping();
      }, pingEveryMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** So many pages of one user leave room for those of others. */
  isFullFor({ name }: Actor): boolean {
    const theirs = [...this.#all].filter(({ actor }) => actor.name === name).length;

    return this.#all.size >= mostSockets || theirs >= mostSocketsOfActor;
  }

  add(socket: WebSocket, admitted: { actor: Actor; credentials: Credentials }): void {
    const watcher: Watcher = { socket, ...admitted, sent: '', isHeard: true };
    this.#all.add(watcher);
    socket.on('pong', () => {
      watcher.isHeard = true;
    });
    socket.on('close', () => {
      this.#all.delete(watcher);
    });
    socket.on('error', () => {
      socket.terminate();
    });
    void this.#look(watcher);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #lookForAll(): Promise<void> {
    if (this.#isLooking || this.#all.size === 0) return;
    this.#isLooking = true;
    try {
      // Once for all of them: many pages that are left open must not keep the process from the requests of others.
      const open = await openCalls(this.#ports).catch(() => undefined);
      for (const watcher of this.#all) {
        await this.#look(watcher, open);
        await breathe();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #look(watcher: Watcher, open?: readonly OpenCall[]): Promise<void> {
    const { socket } = watcher;
    try {
      await this.#tell(watcher, open);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#ports.log.error({ code: error.code, err: error }, 'live calls not sent');
      socket.close(closed.failed, error.code);
    }
  }

  async #tell(watcher: Watcher, open: readonly OpenCall[] | undefined): Promise<void> {
    const { socket, credentials } = watcher;
    // A page that was left open is no use of the session, which is to end where somebody has gone.
    const actor = await this.#ports.access.actorOf(credentials, { isUse: false });
    if (actor?.name !== watcher.actor.name) {
      socket.close(closed.unknown, 'sign_in_needed');
      return;
    }
    if (socket.bufferedAmount > mostWaiting) {
      socket.terminate();
      return;
    }
    const text = JSON.stringify({ type: 'calls', calls: await liveCalls(actor, this.#ports, open) });
    if (text === watcher.sent) return;
    watcher.sent = text;
    socket.send(text);
  }

  #ping(): void {
    for (const watcher of this.#all) {
      if (!watcher.isHeard) watcher.socket.terminate();
      watcher.isHeard = false;
      watcher.socket.ping();
    }
  }
}

/**
 * `GET /live/events`, a WebSocket: the calls that go on, once at the beginning and whenever something of them changes, as
 * `{ "type": "calls", "calls": [...] }`. It takes no messages.
 */
export async function addLiveEvents(app: FastifyInstance, guard: Guard, ports: WebPorts): Promise<void> {
  await app.register(websocket, { options: { maxPayload: largestMessage } });
  const watchers = new Watchers(ports);
  app.addHook('onClose', () => {
    watchers.stop();
  });
  const admitted = new WeakMap<object, { actor: Actor; credentials: Credentials }>();
  app.route({
    method: 'GET',
    url: `${basePath}/live/events`,
    preParsing: async (request, _reply, payload) => {
      // Browsers connect to any address, with its cookie, from the page of anybody.
      refuseOtherOrigin(request.headers, guard.place());
      const known = await guard.admit(request, 'seeLive');
      if (watchers.isFullFor(known.actor)) throw new PreavisError('too_busy', 'too many watch the calls that go on');
      admitted.set(request, known);

      return payload;
    },
    handler: () => {
      throw new PreavisError('request_invalid', 'this is a WebSocket');
    },
    wsHandler: (socket: WebSocket, request) => {
      const known = admitted.get(request);
      if (known === undefined) socket.close(closed.refused);
      else watchers.add(socket, known);
    },
  });
}
