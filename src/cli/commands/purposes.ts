import { processingRegister, registerMarkdown } from '../../policy/processingRegister.ts';
import { maximumDays } from '../../config/purposeRules.ts';
import { isoTime } from '../../core/clock.ts';
import { configOf } from '../configuration.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { table } from '../table.ts';

/** Lists the purposes as they are configured, with every default filled in. */
export async function purposesList(context: CommandContext, { json }: { json: boolean }): Promise<ExitCode> {
  const config = await configOf(context);
  const purposes = Object.entries(config.purposes).map(([id, purpose]) => ({
    id,
    ...purpose,
    maximumDays: maximumDays(purpose) ?? null,
    source: purpose.source ?? null,
    lines: Object.entries(config.lines).flatMap(([line, { purposes: ids }]) => (ids.includes(id) ? [line] : [])),
  }));
  if (json) {
    context.print(JSON.stringify({ purposes }, undefined, 2));

    return 0;
  }
  const header = ['PURPOSE', 'KIND', 'LAW', 'CONSENT', 'OPT-IN FOR', 'DAYS', 'AT MOST', 'CALLS', 'HOLDS', 'MAY LISTEN'];
  const rows = purposes.map((each) => [
    each.id,
    each.kind,
    each.jurisdiction,
    each.consent,
    each.optInForCountries.join(' '),
    String(each.keepDays),
    each.maximumDays === null ? '' : String(each.maximumDays),
    `${each.recordPercent} %`,
    each.holdsAllowed ? 'yes' : 'no',
    each.mayListen.join(' '),
  ]);
  context.print(
    table(
      [...header, 'COUNSEL'],
      rows.map((row, index) => [...row, counsel(purposes[index])]),
    ),
  );

  return 0;
}

const counsel = (purpose: { checkedByCounsel: boolean } | undefined): string =>
  purpose?.checkedByCounsel === true ? 'checked' : 'not yet';

/** Prints the register of processing. Exit 3 when the configuration does not say all that it must contain. */
export async function purposesRegister(context: CommandContext, { json }: { json: boolean }): Promise<ExitCode> {
  const register = processingRegister(await configOf(context), isoTime(context.clock.now()));
  context.print(json ? JSON.stringify(register, undefined, 2) : registerMarkdown(register).trimEnd());

  return register.missing.length === 0 ? 0 : 3;
}
