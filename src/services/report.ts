import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Figures, FigureTimes } from '../catalogue/figures.ts';
import { asController } from '../config/controllerView.ts';
import type { Config } from '../config/schema.ts';
import { makeReport, type Month, type Report } from '../evidence/monthlyReport.ts';
import { overdueAfterMs } from '../retention/promised.ts';
import { webhookFigures } from './webhooks.ts';

/** The report of a month, as the command and the API give it. */
export type ReportOrder = {
  month: Month;
  /** Now, ms since 1970 UTC. */
  at: number;
  /** Whose, as somebody has named it; undefined: of all. */
  company: string | undefined;
  /** The same as the catalogue has it: null is the company itself. */
  controller: string | null | undefined;
};

type ReportPorts = {
  config: Config;
  catalogue: CataloguePart<{ recordings: 'waiting'; deliveries: 'figures' }>;
  readFigures: (times: FigureTimes, controller: string | null | undefined) => Promise<Figures>;
};

/** Whether a webhook is told of this company alone: what waits for others says something of them. */
function isToldOf(company: string, endpoint: string, { webhooks }: Config): boolean {
  const { controllers = [] } = (Object.hasOwn(webhooks, endpoint) ? webhooks[endpoint] : undefined) ?? {};

  return controllers.length > 0 && controllers.every((each) => each === company);
}

/** Throws what the catalogue throws. */
export async function monthlyReport(
  { config, catalogue, readFigures }: ReportPorts,
  { month, at, company, controller }: ReportOrder,
): Promise<Report> {
  const { from, to } = month;
  const webhooks = await webhookFigures(config, catalogue);

  return makeReport({
    config: controller === undefined ? config : asController(config, controller),
    company: company ?? null,
    month,
    at,
    figures: await readFigures({ from, to, at, overdueBefore: at - overdueAfterMs }, controller),
    uploads: await catalogue.recordings.waiting(controller),
    webhooks: webhooks.filter(({ endpoint }) => company === undefined || isToldOf(company, endpoint, config)),
  });
}
