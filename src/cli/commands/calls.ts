import { callResults } from '../../catalogue/calls/calls.ts';
import type { CallRow } from '../../catalogue/rows.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { isUlid, type CallId } from '../../core/ids.ts';
import { receiptOfCall, receiptText } from '../../receipt/receipt.ts';
import { showCall } from '../callInWords.ts';
import { withCatalogue } from '../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../context.ts';
import { areOfSeveralPbxs, chosenCalls, type Chosen } from '../filters.ts';
import { oneOf, parseLimit } from '../options.ts';
import { timeColumn } from '../localTime.ts';
import type { telephonesInCalls } from '../telephones.ts';
import { table } from '../table.ts';

/** More than go on at any time. */
const everyOpenCall = 1_000_000;

type CallListOptions = Chosen & {
  result?: string | undefined;
  extension?: string | undefined;
  limit: string;
  json: boolean;
};

/** What --extension asks for, against the other options. */
function checkExtension({ extension, result }: CallListOptions): void {
  if (extension === undefined) return;
  if (extension === '') throw new PreavisError('usage', '--extension is the name of an endpoint of Asterisk');
  if (result !== undefined && result !== 'goingOn') {
    throw new PreavisError('usage', '--extension finds calls that go on, and none with another --result');
  }
}

/** What speaks with Asterisk is loaded only where it is asked. */
const telephonesNow = async (...from: Parameters<typeof telephonesInCalls>): ReturnType<typeof telephonesInCalls> =>
  (await import('../telephones.ts')).telephonesInCalls(...from);

/** A call as the list has it. */
function listed(call: CallRow, dialled: string | null) {
  const { id, startedAt, line, controller, pbx, purposes, languages, languageReason, result, reason, consent } = call;

  return {
    id,
    startedAt: isoTime(startedAt),
    line,
    dialled,
    controller,
    pbx,
    purposes,
    languages,
    languageReason,
    result,
    reason,
    consent: { mode: consent.mode, answer: consent.answer },
  };
}

/** Lists calls, newest first, recorded or not; by an extension those in which its telephone is now. */
export async function callsList(context: CommandContext, options: CallListOptions): Promise<ExitCode> {
  const most = parseLimit(options.limit);
  const result = options.result === undefined ? undefined : oneOf('--result', options.result, callResults);
  const { extension } = options;
  checkExtension(options);
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const chosen = await chosenCalls(options, config, catalogue, context.clock.now());
    const telephones = extension === undefined ? undefined : await telephonesNow(config, catalogue);
    const isIn = ({ id }: CallRow): boolean =>
      telephones === undefined || telephones.get(id)?.some((each) => each === extension) === true;
    const rows =
      telephones === undefined
        ? await catalogue.calls.list(most, { ...chosen, result })
        : await catalogue.calls.list(everyOpenCall, { ...chosen, result: 'goingOn' });
    const calls = rows.filter(isIn).slice(0, most);
    const list = await Promise.all(
      calls.map(async (call) => ({
        ...listed(call, (await catalogue.dialled.of(call.id)) ?? null),
        ...(telephones === undefined ? {} : { telephones: telephones.get(call.id) ?? [] }),
      })),
    );
    answer(context, options.json, { calls: list }, () => {
      const started = timeColumn(
        'STARTED',
        calls.map(({ startedAt }) => startedAt),
      );
      const hasPbxs = areOfSeveralPbxs(list);
      const cells = list.map((call, index) => [
        call.id,
        started.cells[index] ?? '',
        call.line ?? '',
        ...(hasPbxs ? [call.pbx ?? ''] : []),
        call.purposes.join('+'),
        call.languages.join('+'),
        [call.consent.mode, call.consent.answer === 'none' ? null : call.consent.answer].filter(Boolean).join(' '),
        [call.result ?? 'going on', call.reason].filter((word) => word !== null).join(': '),
        ...('telephones' in call ? [call.telephones.join(' ')] : []),
      ]);
      const last = telephones === undefined ? [] : ['TELEPHONES'];
      const line = hasPbxs ? ['LINE', 'PBX'] : ['LINE'];
      const header = ['CALL', started.header, ...line, 'PURPOSE', 'LANG', 'CONSENT', 'RESULT', ...last];

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
