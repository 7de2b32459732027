/** The part of ws that the tests use; the package brings no types. */
declare module 'ws' {
  export class WebSocket {
    constructor(url: string);
    on(event: 'message', listener: (data: Buffer) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    close(): void;
  }
}
