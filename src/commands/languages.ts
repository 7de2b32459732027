import { callerHash } from '../call/preferences.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { isCountry } from '../core/phoneNumbers.ts';
import { configOf, withCatalogue, type CommandContext, type ExitCode } from './context.ts';

export type ForgetOptions = {
  /** `-`: the first line of standard input, where no shell keeps it. */
  number: string | undefined;
  all: boolean;
  json: boolean;
};

/** As people write numbers down and copy them: any white space, any dash. */
function tidied(number: string): string {
  return number
    .replace(/\s+/g, ' ')
    .replace(/[\u2010-\u2015]/g, '-')
    .trim();
}

/** The keyed hash is all that is looked up; the number itself is in no message. */
function hashOf(number: string, { notice, privacy }: Config): string {
  const { defaultCountry } = notice;
  if (!isCountry(defaultCountry)) {
    throw new PreavisError('config_invalid', `notice.defaultCountry: ${defaultCountry} is not a country`);
  }
  if (privacy.hashKey === undefined) {
    throw new PreavisError('config_invalid', 'privacy.hashKey: is missing, and without it no caller is known again');
  }
  const hash = callerHash(tidied(number), privacy.hashKey, defaultCountry);
  if (hash === undefined) throw new PreavisError('usage', '--number is not a telephone number');

  return hash;
}

/**
 * Forgets which language a caller chose, or all callers: the next call is asked or told by the other evidence again.
 * @param input gives the first line of standard input
 */
export async function languagesForget(
  context: CommandContext,
  { number, all, json }: ForgetOptions,
  input: () => Promise<string>,
): Promise<ExitCode> {
  if ((number === undefined) === !all) throw new PreavisError('usage', 'one of --number and --all is wanted');
  const config = await configOf(context);
  const caller = number === undefined ? undefined : hashOf(number === '-' ? await input() : number, config);

  return withCatalogue<ExitCode>(config, context.clock, async (catalogue) => {
    const forgotten = await catalogue.forgetPreferences(caller);
    if (json) context.print(JSON.stringify({ forgotten }, undefined, 2));
    else context.print(`${forgotten} remembered languages forgotten`);

    return 0;
  });
}
