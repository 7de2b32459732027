/**
 * The part of ari-client 2.2.0 that src/ari/connection.ts uses. Its own types (@types/ari-client) describe the resource
 * objects, which Préavis never touches, and leave out the socket.
 */
declare module 'ari-client' {
  import type { EventEmitter } from 'node:events';

  export interface Client extends EventEmitter {
    /** Registers the application and opens the event socket; resolves when it is open for the first time. */
    start(application: string): Promise<void>;
    stop(): void;
    ping(): void;
    /** The socket of the moment; replaced at each reconnection. */
    _ws?: { terminate(): void };
    /** What Asterisk says of its events: which of their parts are channels, bridges and so on. */
    readonly _swagger: { apis: { events: { models: Record<string, { properties: unknown[] }> } } };
  }

  export function connect(url: string, username: string, password: string): Promise<Client>;
}
