import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { DeliveryFigures, Subscriber } from '../catalogue/jobs/deliveries.ts';
import type { Config } from '../config/schema.ts';
import { ownCalls } from '../config/controllerSchema.ts';
import { webhookKey } from '../config/webhookSchema.ts';
import { PreavisError } from '../core/errors.ts';
import type { Endpoint } from '../webhooks/message.ts';

/** The webhooks of a configuration. */

/** Throws config_invalid for one without its secret. */
export function webhookEndpoints({ webhooks }: Config): Endpoint[] {
  return Object.entries(webhooks).map(([name, { url, secret, events }]) => {
    const key = secret === undefined ? undefined : webhookKey(secret);
    if (key === undefined) throw new PreavisError('config_invalid', `webhooks.${name}.secret: is missing`);

    return { name, url, key, events };
  });
}

/** What the catalogue must know of the webhooks where statuses of recordings move. */
export function webhookSubscribers({ webhooks }: Config): Subscriber[] {
  return Object.entries(webhooks).map(([name, { events, controllers }]) => ({
    name,
    events,
    controllers: controllers?.map((each) => (each === ownCalls ? null : each)),
  }));
}

/** What there is for each webhook that is configured, also where that is nothing, and for those that were. */
export async function webhookFigures(
  { webhooks }: Config,
  catalogue: CataloguePart<{ deliveries: 'figures' }>,
): Promise<DeliveryFigures[]> {
  const found = await catalogue.deliveries.figures();
  const idle = Object.keys(webhooks).filter((name) => !found.some(({ endpoint }) => endpoint === name));

  return [...found, ...idle.map((endpoint) => ({ endpoint, waiting: 0, failed: 0, oldestWaitingAt: null }))];
}
