import { logEmptied, logHeld, logWaitMs } from '../../catalogue/sqlite/emptyLog.ts';
import { prepareSearch } from '../../catalogue/numberKeys.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { hashOfNumber, notSearched } from '../../dataSubject/callerNumber.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Program } from '../context.ts';
import { intoLedger, notCopied } from '../../retention/intoLedger.ts';
import { operatorOf } from '../operator.ts';
import { withServices } from '../withServices.ts';

type ForgetOptions = {
  /** `-`: the first line of standard input, where no shell keeps it. */
  number: string | undefined;
  all: boolean;
  json: boolean;
};

/**
 * Forgets which language a caller chose, or all callers: the next call is asked or told by the other evidence again.
 */
export async function languagesForget(
  context: CommandContext,
  { number, all, json }: ForgetOptions,
  { firstLine }: Pick<Program, 'firstLine'>,
): Promise<ExitCode> {
  if ((number === undefined) === !all) throw new PreavisError('usage', 'give one of --number and --all');
  const config = await configOf(context);
  const caller = number === undefined ? undefined : await hashOfNumber(number, firstLine, config);

  return withServices<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const { catalogue, decisions } = services;
    const unsearchedKeys = caller === undefined ? [] : await prepareSearch(catalogue, caller);
    const { result: forgotten, copyFailure } = await intoLedger(services, () => decisions.forgetLanguages(caller));
    const isLogEmptied = await logEmptied(catalogue, logWaitMs);
    const done = { forgotten, unsearchedKeys, logEmptied: isLogEmptied, copyFailure: copyFailure ?? null };
    answer(context, json, done, () => [
      `${counted(forgotten, 'remembered language')} forgotten`,
      ...notSearched(unsearchedKeys),
      ...(isLogEmptied ? [] : [logHeld]),
      ...notCopied(copyFailure),
    ]);

    return unsearchedKeys.length > 0 || !isLogEmptied || copyFailure !== undefined ? 3 : 0;
  });
}
