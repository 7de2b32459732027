import { callResults } from '../../catalogue/calls/calls.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { isUlid, type CallId } from '../../core/ids.ts';
import { receiptOfCall, receiptText } from '../../receipt/receipt.ts';
import { showCall } from '../callInWords.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../context.ts';
import { chosenCalls, type Chosen } from '../filters.ts';
import { oneOf, parseLimit } from '../options.ts';
import { timeColumn } from '../localTime.ts';
import { table } from '../table.ts';

type CallListOptions = Chosen & { result?: string | undefined; limit: string; json: boolean };

/** Lists calls, newest first, recorded or not. */
export async function callsList(context: CommandContext, options: CallListOptions): Promise<ExitCode> {
  const most = parseLimit(options.limit);
  const result = options.result === undefined ? undefined : oneOf('--result', options.result, callResults);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const chosen = await chosenCalls(options, config, catalogue, context.clock.now());
    const calls = await catalogue.calls.list(most, { ...chosen, result });
    const list = calls.map(
      ({ id, startedAt, line, controller, purposes, languages, languageReason, result, reason, consent }) => ({
        id,
        startedAt: isoTime(startedAt),
        line,
        controller,
        purposes,
        languages,
        languageReason,
        result,
        reason,
        consent: { mode: consent.mode, answer: consent.answer },
      }),
    );
    answer(context, options.json, { calls: list }, () => {
      const started = timeColumn(
        'STARTED',
        calls.map(({ startedAt }) => startedAt),
      );
      const cells = list.map((call, index) => [
        call.id,
        started.cells[index] ?? '',
        call.line ?? '',
        call.purposes.join('+'),
        call.languages.join('+'),
        [call.consent.mode, call.consent.answer === 'none' ? null : call.consent.answer].filter(Boolean).join(' '),
        [call.result ?? 'going on', call.reason].filter((word) => word !== null).join(': '),
      ]);
      const header = ['CALL', started.header, 'LINE', 'PURPOSE', 'LANG', 'CONSENT', 'RESULT'];

      return [cells.length === 0 ? 'no calls' : table(header, cells)];
    });

    return 0;
  });
}

/** Shows one call whole, in words: what happened when, what the caller was told and answered, and what became of the recording. */
export async function callsShow(context: CommandContext, id: string, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue) => {
    if (!isUlid(id)) throw new PreavisError('call_unknown', 'there is no call with this id');
    context.print(await showCall(catalogue, id as CallId, context.clock.now(), json));

    return 0;
  });
}

/** Prints the receipt of one call: docs/receipt.schema.json. */
export async function callsReceipt(context: CommandContext, id: string): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue) => {
    if (!isUlid(id)) throw new PreavisError('call_unknown', 'there is no call with this id');
    context.print(receiptText(await receiptOfCall(catalogue, id as CallId)).trimEnd());

    return 0;
  });
}
