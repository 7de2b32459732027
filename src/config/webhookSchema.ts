import * as z from 'zod';
import { ownCalls, unknownCompanies } from './controllerSchema.ts';
import { key, name } from './field.ts';

/** Who is told of what becomes of recordings: the section `webhooks`. */

export const webhookEvents = ['recording.archived', 'recording.failed', 'recording.erased', 'hold.set'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

/** As the libraries of Standard Webhooks read it: 24 to 64 bytes in base64. */
const secretForm = /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const webhookSecretFault =
  'is not whsec_ and 24 to 64 random bytes in base64: make one with echo "whsec_$(openssl rand -base64 32)"';

/** The bytes that sign; undefined for a text that is no secret of a webhook. */
export function webhookKey(secret: string): Buffer | undefined {
  if (!secretForm.test(secret)) return undefined;
  const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64');

  return bytes.length < 24 || bytes.length > 64 ? undefined : bytes;
}

export const webhook = z.strictObject({
  url: key(
    z.url({ protocol: /^https?$/, error: 'is not an address such as https://crm.example/preavis' }),
    'The address that is told; https, or http to this machine.',
  ),
  allowHttp: key(
    z.boolean().default(false),
    'Whether http to another machine will do, for a network that only you can read.',
  ),
  secret: key(
    z
      .string()
      .refine((text) => webhookKey(text) !== undefined, webhookSecretFault)
      .optional(),
    'What the messages to it are signed with (Standard Webhooks: whsec_ and base64); better given by a file.',
    { secret: true },
  ),
  secretFile: key(z.string().min(1).optional(), 'File that holds the secret in its first line.'),
  events: key(
    z
      .array(z.enum(webhookEvents))
      .min(1)
      .default([...webhookEvents]),
    `What it is told of: ${webhookEvents.join(', ')}.`,
  ),
  controllers: key(
    z.array(name).min(1).optional(),
    `The companies of whose recordings it is told, by their names in controllers, or ${ownCalls}; default: all.`,
  ),
});
export type WebhookConfig = z.output<typeof webhook>;

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** What no single key shows to be wrong. */
export function webhookFaults(
  id: string,
  { url, allowHttp, secret, secretFile, controllers }: WebhookConfig,
  companies: Readonly<Record<string, unknown>>,
): { path: string[]; message: string }[] {
  const faults: { path: string[]; message: string }[] = [];
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol === 'http:' && !allowHttp && !isThisMachine(hostname)) {
    faults.push({
      path: ['webhooks', id, 'url'],
      message: 'must be https: http can be read on its way (allowHttp: true confirms that nobody can)',
    });
  }
  if (username !== '' || password !== '') {
    faults.push({ path: ['webhooks', id, 'url'], message: 'must not hold a user or password: messages are signed' });
  }
  const unknown = unknownCompanies(controllers, companies);
  if (unknown !== undefined) faults.push({ path: ['webhooks', id, 'controllers'], message: unknown });
  if (secret === undefined && secretFile === undefined) {
    faults.push({ path: ['webhooks', id, 'secret'], message: 'is missing, or secretFile is' });
  }

  return faults;
}
