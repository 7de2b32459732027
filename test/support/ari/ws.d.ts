/** The part of ws that the tests use; the package brings no types. */
declare module 'ws' {
  import type { Server } from 'node:http';

  export class WebSocket {
    constructor(url: string);
    on(event: 'message', listener: (data: Buffer) => void): this;
    on(event: 'open', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    send(text: string): void;
    close(): void;
  }

  export class WebSocketServer {
    constructor(options: { server: Server });
    on(event: 'connection', listener: (socket: WebSocket) => void): this;
    close(): void;
  }
}
