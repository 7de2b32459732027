import { asController } from '../../config/controllerView.ts';
import type { Config } from '../../config/schema.ts';
import { makeReport, reportMarkdown, reportMonth } from '../../evidence/monthlyReport.ts';
import { webhookFigures } from '../../services/webhooks.ts';
import { erasureFailed } from '../../retention/pass.ts';
import { overdueAfterMs } from '../../retention/promised.ts';
import { chosenController, knownControllers } from '../filters.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';

type ReportOptions = { month: string | undefined; controller?: string | undefined; json: boolean };

/** Whether a webhook is told of this company alone: what waits for others says something of them. */
function isToldOf(company: string, endpoint: string, { webhooks }: Config): boolean {
  const { controllers = [] } = (Object.hasOwn(webhooks, endpoint) ? webhooks[endpoint] : undefined) ?? {};

  return controllers.length > 0 && controllers.every((each) => each === company);
}

/** Prints the report of a month. Exit 3 when something needs attention. */
export async function report(
  context: CommandContext,
  { month: asked, controller: named, json }: ReportOptions,
): Promise<ExitCode> {
  const at = context.clock.now();
  const month = reportMonth(asked, at);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const { from, to } = month;
    const controller = chosenController(named, await knownControllers(config, catalogue));
    const webhooks = await webhookFigures(config, catalogue);
    const made = makeReport({
      config: controller === undefined ? config : asController(config, controller),
      company: named ?? null,
      month,
      at,
      figures: await catalogue.figures.read(
        { from, to, at, overdueBefore: at - overdueAfterMs },
        erasureFailed,
        controller,
      ),
      uploads: await catalogue.recordings.waiting(controller),
      webhooks: webhooks.filter(({ endpoint }) => named === undefined || isToldOf(named, endpoint, config)),
    });
    answer(context, json, made, () => [reportMarkdown(made).trimEnd()]);

    return made.attention.length === 0 ? 0 : 3;
  });
}
