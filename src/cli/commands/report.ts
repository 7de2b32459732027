import { reportMarkdown, reportMonth } from '../../evidence/monthlyReport.ts';
import { erasureFailed } from '../../retention/pass.ts';
import { knownControllers } from '../../services/controllers.ts';
import { monthlyReport } from '../../services/report.ts';
import { chosenController } from '../filters.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';

type ReportOptions = { month: string | undefined; controller?: string | undefined; json: boolean };

/** Prints the report of a month. Exit 3 when something needs attention. */
export async function report(
  context: CommandContext,
  { month: asked, controller: company, json }: ReportOptions,
): Promise<ExitCode> {
  const at = context.clock.now();
  const month = reportMonth(asked, at);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const controller = chosenController(company, await knownControllers(config, catalogue));
    const readFigures = (times: Parameters<typeof catalogue.figures.read>[0], of: typeof controller) =>
      catalogue.figures.read(times, erasureFailed, of);
    const made = await monthlyReport({ config, catalogue, readFigures }, { month, at, company, controller });
    answer(context, json, made, () => [reportMarkdown(made).trimEnd()]);

    return made.attention.length === 0 ? 0 : 3;
  });
}
