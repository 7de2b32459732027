/**
 * Stands between a client and a real server and does to their connections what networks do: lets bytes vanish while both
 * ends think that they are connected, delays them, lets through only so many, resets. It knows nothing of what it carries; faults
 * may be limited to connections whose first bytes look as a test says.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { noteCarried } from '../../../lab/machine/lateness.ts';

export type Way = 'toServer' | 'toClient';
/** One of those that were told to startTcpProxy, once the first bytes say so; `other` before, and all else. */
export type ConnectionKind = string;

export type TcpFaults = {
  /** Ways on which bytes vanish, the ends of connections as well. New connections are accepted and lead nowhere. */
  hole?: readonly Way[];
  /** Each byte comes so much later, ms. So does the end of a connection. */
  delayMs?: number;
  /** So many bytes in a second, for each connection and way. */
  bytesPerSecond?: number;
};

export type TcpProxy = {
  readonly port: number;
  /** Where the server is. */
  leadTo(url: string): void;
  /** From now on, for connections of these kinds, those there are and those to come. Nothing of what vanished comes back. */
  impair(faults: TcpFaults, kinds?: readonly ConnectionKind[]): void;
  /** Only those there are now lead nowhere, for ever: as when a firewall has forgotten them. */
  forget(kinds?: readonly ConnectionKind[]): void;
  /** Ends what there is with RST on both sides. */
  reset(kinds?: readonly ConnectionKind[]): void;
  /** No further faults. What vanished has gone; connections go on as far as they can. */
  mend(): void;
  /** How many connections of this kind were opened since the start. */
  opened(kind: ConnectionKind): number;
  /** How many of them the server takes for open. */
  serverHas(kind: ConnectionKind): number;
  /** How many bytes this way were carried for connections of this kind, those that vanished left out. */
  carried(kind: ConnectionKind, way: Way): number;
  close(): void;
};

/** A request to become a websocket. */
const websocket = /^upgrade: *websocket/im;
const bothWays: readonly Way[] = ['toServer', 'toClient'];
/** How fine a limited throughput is, ms. */
const tickMs = 20;
/** So many bytes are looked at to tell the kind. */
const headBytes = 4_096;

type Pair = {
  client: Socket;
  server: Socket;
  kind: ConnectionKind;
  forgotten: boolean;
  carried: Record<Way, number>;
};

const sleepers = new WeakMap<Pair, Set<NodeJS.Timeout>>();

function later(pair: Pair, ms: number, what: () => void): void {
  const timers = sleepers.get(pair) ?? new Set();
  sleepers.set(pair, timers);
  const timer = setTimeout(() => {
    timers.delete(timer);
    what();
  }, ms);
  timers.add(timer);
}

/** Carries one way of one connection, in order. */
function carry(
  pair: Pair,
  way: Way,
  faultsOf: (pair: Pair) => TcpFaults,
  kindOf: (head: string) => ConnectionKind,
  started: Promise<void>,
): void {
  const [from, to] = way === 'toServer' ? [pair.client, pair.server] : [pair.server, pair.client];
  /** Resolves when all before has been sent. */
  let tail = started;
  let lastAt = 0;
  let head = Buffer.alloc(0);

  const isHole = (): boolean => pair.forgotten || faultsOf(pair).hole?.includes(way) === true;
  /** In its turn, and not before its delay is over. */
  const inTurn = (what: () => Promise<void> | void): void => {
    const dueAt = Math.max(lastAt, performance.now() + (faultsOf(pair).delayMs ?? 0));
    lastAt = dueAt;
    tail = tail.then(async () => {
      const waitMs = dueAt - performance.now();
      if (waitMs > 0)
        await new Promise<void>((resolve) => {
          later(pair, waitMs, resolve);
        });
      if (!isHole()) await what();
    });
  };
  /** When the line is free again. By the clock: a timer that is late must not make the line slower than it was asked to be. */
  let freeAt = 0;
  const send = async (chunk: Buffer): Promise<void> => {
    freeAt = Math.max(freeAt, performance.now());
    for (let rest = chunk; rest.length > 0;) {
      const { bytesPerSecond } = faultsOf(pair);
      const size = bytesPerSecond === undefined ? rest.length : Math.max(1, (bytesPerSecond * tickMs) / 1_000);
      if (!to.destroyed) to.write(rest.subarray(0, size));
      const sent = Math.min(size, rest.length);
      pair.carried[way] += sent;
      rest = rest.subarray(size);
      if (bytesPerSecond === undefined) continue;
      freeAt += (sent * 1_000) / bytesPerSecond;
      await new Promise<void>((resolve) => {
        later(pair, Math.max(0, freeAt - performance.now()), resolve);
      });
    }
  };

  from.on('data', (chunk: Buffer) => {
    noteCarried();
    if (way === 'toServer' && head.length < headBytes) {
      head = Buffer.concat([head, chunk]).subarray(0, headBytes);
      pair.kind = kindOf(head.toString('latin1'));
    }
    if (isHole()) return;
    inTurn(() => send(chunk));
  });
  from.on('end', () => {
    if (!isHole()) inTurn(() => void to.end());
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    if (!isHole()) inTurn(() => void to.destroy());
  });
}

/**
 * Listens on a free port of 127.0.0.1.
 *
 * @param looks what the first bytes of the kinds of connections look like
 */
export async function startTcpProxy(
  looks: Readonly<Record<ConnectionKind, RegExp>> = { websocket },
): Promise<TcpProxy> {
  const allKinds = [...Object.keys(looks), 'other'];
  const kindOf = (head: string): ConnectionKind =>
    Object.entries(looks).find(([, look]) => look.test(head))?.[0] ?? 'other';
  const pairs = new Set<Pair>();
  let target = new URL('http://127.0.0.1:9');
  let faults = new Map<ConnectionKind, TcpFaults>();
  const openings: Pair[] = [];
  const faultsOf = ({ kind }: Pair): TcpFaults => faults.get(kind) ?? {};

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true });
    const pair: Pair = {
      client,
      server: onward,
      kind: 'other',
      forgotten: false,
      carried: { toServer: 0, toClient: 0 },
    };
    pairs.add(pair);
    openings.push(pair);
    for (const socket of [client, onward]) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        if (client.destroyed && onward.destroyed) pairs.delete(pair);
      });
    }
    const connected = new Promise<void>((resolve) => {
      onward.once('connect', resolve);
      onward.once('close', resolve);
    });
    for (const way of bothWays) carry(pair, way, faultsOf, kindOf, connected);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const chosen = (kinds: readonly ConnectionKind[]): Pair[] => [...pairs].filter(({ kind }) => kinds.includes(kind));

  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (url) => {
      target = new URL(url);
    },
    impair: (worse, kinds = allKinds) => {
      faults = new Map([...faults, ...kinds.map((kind) => [kind, worse] as const)]);
    },
    forget: (kinds = allKinds) => {
      for (const pair of chosen(kinds)) pair.forgotten = true;
    },
    reset: (kinds = allKinds) => {
      for (const { client, server: onward } of chosen(kinds)) {
        client.resetAndDestroy();
        onward.resetAndDestroy();
      }
    },
    mend: () => {
      faults = new Map();
    },
    serverHas: (kind) => chosen([kind]).filter((pair) => !pair.server.destroyed).length,
    carried: (kind, way) =>
      openings.filter((pair) => pair.kind === kind).reduce((sum, pair) => sum + pair.carried[way], 0),
    opened: (kind) => openings.filter((pair) => pair.kind === kind).length,
    close: () => {
      for (const pair of pairs) {
        pair.client.destroy();
        pair.server.destroy();
        for (const timer of sleepers.get(pair) ?? []) clearTimeout(timer);
      }
      server.close();
    },
  };
}
