import { makeReport, reportMarkdown, reportMonth } from '../../evidence/monthlyReport.ts';
import { webhookFigures } from '../../services/webhooks.ts';
import { erasureFailed } from '../../retention/pass.ts';
import { overdueAfterMs } from '../../retention/promised.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';

type ReportOptions = { month: string | undefined; json: boolean };

/** Prints the report of a month. Exit 3 when something needs attention. */
export async function report(context: CommandContext, { month: asked, json }: ReportOptions): Promise<ExitCode> {
  const at = context.clock.now();
  const month = reportMonth(asked, at);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const { from, to } = month;
    const made = makeReport({
      config,
      month,
      at,
      figures: await catalogue.figures.read({ from, to, at, overdueBefore: at - overdueAfterMs }, erasureFailed),
      uploads: await catalogue.recordings.waiting(),
      webhooks: await webhookFigures(config, catalogue),
    });
    answer(context, json, made, () => [reportMarkdown(made).trimEnd()]);

    return made.attention.length === 0 ? 0 : 3;
  });
}
