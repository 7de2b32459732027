import { processingRegister, registerMarkdown } from '../../policy/processingRegister.ts';
import { processorRegister, processorRegisterMarkdown } from '../../policy/processorRegister.ts';
import { asController, sectionOf } from '../../config/controllerView.ts';
import { maximumDays } from '../../config/purposeRules.ts';
import { isLanguageTag } from '../../config/localText.ts';
import type { Config } from '../../config/schema.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { requiredController } from '../filters.ts';
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
  answer(context, json, { purposes }, () => {
    const header = [
      'PURPOSE',
      'KIND',
      'LAW',
      'CONSENT',
      'OPT-IN FOR',
      'DAYS',
      'AT MOST',
      'CALLS',
      'HOLDS',
      'MAY LISTEN',
    ];
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
      each.checkedByCounsel ? 'checked' : 'not yet',
    ]);

    return [table([...header, 'COUNSEL'], rows)];
  });

  return 0;
}

type RegisterOptions = { controller: string | undefined; processor: boolean; language: string; json: boolean };

/** Throws usage for a language that the configuration has no text in: its readers would take another for it. */
function requireLanguage(language: string, { notice, purposes }: Pick<Config, 'notice' | 'purposes'>): void {
  const baseOf = (tag: string): string => tag.split('_')[0] ?? tag;
  const known = new Set([
    'en',
    ...[...notice.languages, ...Object.values(purposes).flatMap(({ names }) => Object.keys(names))].map(baseOf),
  ]);
  if (!isLanguageTag(language) || !known.has(baseOf(language)))
    throw new PreavisError('usage', `--language is one of ${[...known].join(', ')}`);
}

/** Prints the register of processing, in English, with the company's own texts in `language`. Exit 3 when the configuration does not say all that it must contain. */
export async function purposesRegister(
  context: CommandContext,
  { controller: asked, processor, language, json }: RegisterOptions,
): Promise<ExitCode> {
  const config = await configOf(context);
  requireLanguage(language, config);
  const printedAt = isoTime(context.clock.now());
  if (processor) {
    if (asked !== undefined) throw new PreavisError('usage', 'give --controller or --processor');
    const register = processorRegister(config, printedAt, language);
    answer(context, json, register, () => [processorRegisterMarkdown(register).trimEnd()]);

    return register.missing.length === 0 ? 0 : 3;
  }
  const controller = requiredController(asked, Object.keys(config.controllers));
  const register = processingRegister(asController(config, controller), printedAt, sectionOf(controller), language);
  answer(context, json, register, () => [registerMarkdown(register).trimEnd()]);

  return register.missing.length === 0 ? 0 : 3;
}
