export function makeSrtpKey(): string;
export function sessionKeys(inline: string): { cipher: Buffer; authentication: Buffer; salt: Buffer };
export function makeSrtpSender(inline: string): (packet: Buffer) => Buffer;
export function makeSrtpReceiver(inline: string): (packet: Buffer) => Buffer | undefined;
