import { createHash, createHmac } from 'node:crypto';
import type { WebhookEvent } from '../config/webhookSchema.ts';
import { isoTime } from '../core/clock.ts';

/** Who is told. `key` are the bytes that sign. */
export type Endpoint = { name: string; url: string; key: Buffer; events: readonly WebhookEvent[] };

/** The id is the same in each attempt: by it a receiver knows what it has had already. `body` is JSON text. */
export type Message = { id: string; body: string };

/**
 * The headers of one attempt, as Standard Webhooks has them: the receiver checks the signature with the secret, and that the
 * time is of now.
 *
 * @param at ms since 1970 UTC
 */
export function headersOf({ id, body }: Message, key: Buffer, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');

  return {
    'content-type': 'application/json',
    'user-agent': 'preavis',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

/** What `preavis webhooks test` sends. */
export function testMessage(id: string, at: number): Message {
  return { id, body: JSON.stringify({ type: 'webhook.test', timestamp: isoTime(at), data: {} }) };
}

/** Tells one url from another without keeping it: it may hold a token of the receiver's. */
export function addressOf({ url }: Pick<Endpoint, 'url'>): string {
  return createHash('sha256').update(url).digest('hex');
}
