/**
 * The part of ari-client 2.2.0 that src/ari/eventSocket.ts uses. Its own types (@types/ari-client) describe the resource
 * objects, which Préavis never touches, and leave out the socket.
 */
declare module 'ari-client' {
  import type { EventEmitter } from 'node:events';

  export interface Client extends EventEmitter {
    /** Registers the application and begins to open an event socket, which is `_ws` at once. */
    start(application: string): Promise<void>;
    /** Of the newest socket: whether its end is wanted. While it is true, ari-client opens no other in its place. */
    _wsClosed?: boolean;
    /** The socket of the moment, there from start() on; replaced at each start(). A WebSocket of `ws`. */
    readonly _ws: {
      ping(payload: string): void;
      close(): void;
      terminate(): void;
      removeAllListeners(event: 'message'): unknown;
      on(event: 'message', listener: (data: Buffer) => void): unknown;
      /** With the payload of the ping that is answered. */
      on(event: 'pong', listener: (payload: Buffer) => void): unknown;
      on(event: 'open' | 'close', listener: () => void): unknown;
    };
  }

  export function connect(url: string, username: string, password: string): Promise<Client>;
}
