import { isoTime } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import { isUlid, type CallId } from '../core/ids.ts';
import { receiptOfCall, receiptText } from '../evidence/receipt.ts';
import { withCatalogue } from './catalogue.ts';
import { configOf } from './config.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { parseLimit } from './limit.ts';
import { table } from './table.ts';

/** Lists calls, newest first, recorded or not. */
export async function callsList(context: CommandContext, options: { limit: string; json: boolean }): Promise<ExitCode> {
  const most = parseLimit(options.limit);
  const config = await configOf(context);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const calls = await catalogue.calls(most);
    const list = calls.map(({ id, startedAt, line, purposes, languages, languageReason, result, reason, consent }) => ({
      id,
      startedAt: isoTime(startedAt),
      line,
      purposes,
      languages,
      languageReason,
      result,
      reason,
      consent: { mode: consent.mode, answer: consent.answer },
    }));
    if (options.json) context.print(JSON.stringify({ calls: list }, undefined, 2));
    else {
      const cells = list.map((call) => [
        call.id,
        call.startedAt,
        call.line ?? '',
        call.purposes.join('+'),
        call.languages.join('+'),
        call.languageReason ?? '',
        [call.consent.mode, call.consent.answer === 'none' ? null : call.consent.answer].filter(Boolean).join(' '),
        call.result ?? 'going on',
        call.reason ?? '',
      ]);
      const header = ['CALL', 'STARTED', 'LINE', 'PURPOSE', 'LANGUAGE', 'BECAUSE OF', 'CONSENT', 'RESULT', 'REASON'];
      context.print(cells.length === 0 ? 'no calls' : table(header, cells));
    }

    return 0;
  });
}

/** Prints the receipt of one call: docs/receipt.schema.json. */
export async function callsReceipt(context: CommandContext, id: string): Promise<ExitCode> {
  const config = await configOf(context);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    if (!isUlid(id)) throw new PreavisError('call_unknown', 'there is no call with this id');
    context.print(receiptText(await receiptOfCall(catalogue, id as CallId)).trimEnd());

    return 0;
  });
}
