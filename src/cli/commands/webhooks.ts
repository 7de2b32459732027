import { randomBytes } from 'node:crypto';
import { hostAndPort } from '../../ari/httpClient.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { Config } from '../../config/schema.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { webhookEndpoints, webhookFigures } from '../../services/webhooks.ts';
import { addressOf, testMessage } from '../../webhooks/message.ts';
import { makePoster } from '../../webhooks/post.ts';
import { withCatalogue, withCatalogueOf } from '../withCatalogue.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { parseLimit } from '../options.ts';
import { localTime } from '../localTime.ts';
import { table } from '../table.ts';

/** The url itself is not shown: it may hold a token. */
function addressInWords({ webhooks }: Config, name: string): string | null {
  return Object.hasOwn(webhooks, name) && webhooks[name] !== undefined ? hostAndPort(webhooks[name].url) : null;
}

function unknown(): PreavisError {
  return new PreavisError('webhook_unknown', 'there is no webhook of this name in the configuration');
}

/** Lists endpoints and the messages that are not delivered. Exit 3 when some were given up, or an endpoint is gone. */
export async function webhooksList(
  context: CommandContext,
  { limit, json }: { limit: string; json: boolean },
): Promise<ExitCode> {
  const most = parseLimit(limit);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const list = await shownWebhooks(catalogue, config, most);
    answer(context, json, list, () => [listForPeople(list)]);

    return list.webhooks.some(({ failed, gone }) => failed > 0 || gone) ? 3 : 0;
  });
}

async function shownWebhooks(catalogue: Catalogue, config: Config, most: number) {
  const disabled = await catalogue.deliveries.disabledEndpoints();
  const webhooks = (await webhookFigures(config, catalogue)).map(({ endpoint, waiting, failed, oldestWaitingAt }) => ({
    name: endpoint,
    address: addressInWords(config, endpoint),
    events: config.webhooks[endpoint]?.events ?? [],
    waiting,
    failed,
    oldestWaitingAt: isoTime(oldestWaitingAt),
    gone: disabled.some((each) => {
      const now = config.webhooks[endpoint];
      return each.endpoint === endpoint && now !== undefined && each.address === addressOf(now);
    }),
  }));
  const messages = (await catalogue.deliveries.list(most)).map((row) => ({
    id: row.id,
    webhook: row.endpoint,
    event: row.event,
    recording: row.recording,
    at: isoTime(row.at),
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.status === 'waiting' && row.nextAttemptAt > 0 ? isoTime(row.nextAttemptAt) : null,
    failure: row.failure,
    answer: row.answer,
  }));

  return { webhooks, messages };
}

function listForPeople({ webhooks, messages }: Awaited<ReturnType<typeof shownWebhooks>>): string {
  if (webhooks.length === 0) return 'no webhooks';
  const endpoints = webhooks.map((each) => [
    each.name,
    each.address ?? 'not configured any more',
    each.gone ? 'gone (HTTP 410)' : 'used',
    String(each.waiting),
    String(each.failed),
    each.events.join(' '),
  ]);
  const first = table(['WEBHOOK', 'ADDRESS', 'STATE', 'WAITING', 'GIVEN UP', 'EVENTS'], endpoints);
  if (messages.length === 0) return first;
  const cells = messages.map((each) => [
    each.id,
    each.webhook,
    each.event,
    each.status === 'failed' ? 'given up' : each.status,
    String(each.attempts),
  ]);
  const below = messages.map(({ recording, nextAttemptAt, failure, answer }) =>
    [
      `recording ${recording}`,
      ...(nextAttemptAt === null ? [] : [`next attempt ${localTime(Date.parse(nextAttemptAt))}`]),
      ...(failure === null ? [] : [`last failure ${[failure, answer].filter((part) => part !== null).join(' ')}`]),
    ].join(', '),
  );

  return `${first}\n\n${table(['MESSAGE', 'WEBHOOK', 'EVENT', 'STATUS', 'ATTEMPTS'], cells, below)}`;
}

/** Sends `webhook.test` once. Throws webhook_unknown, and what kept it from being delivered. */
export async function webhooksTest(
  context: CommandContext,
  name: string,
  { json }: { json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const endpoint = webhookEndpoints(config).find((each) => each.name === name);
  if (endpoint === undefined) throw unknown();
  const poster = makePoster();
  const at = context.clock.now();
  const message = testMessage(`msg_${randomBytes(16).toString('hex')}`, at);
  const began = performance.now();
  const outcome = await poster.post(endpoint, message, at, new AbortController().signal).finally(() => poster.close());
  const tookMs = Math.round(performance.now() - began);
  if (outcome.kind === 'failed') throw outcome.error;
  const { answer: status } = outcome;
  const address = hostAndPort(endpoint.url);
  const document = { webhook: name, address, message: message.id, answer: status, tookMs };
  answer(context, json, document, () => [`${name}: ${address} took ${message.id}: HTTP ${status} after ${tookMs} ms`]);

  return 0;
}

/** What waits or was given up is due now; serve sends it. An endpoint that said it is gone is used again. */
export async function webhooksRetry(
  context: CommandContext,
  name: string | undefined,
  { json }: { json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  if (name !== undefined && !Object.hasOwn(config.webhooks, name)) throw unknown();

  return withCatalogueOf<ExitCode>(context, config, async (catalogue) => {
    const due = await catalogue.deliveries.retry(name);
    answer(context, json, { due }, () => [
      counted(due, 'message is due now; a running serve sends it', 'messages are due now; a running serve sends them'),
    ]);

    return 0;
  });
}
