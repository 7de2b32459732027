import type { CountryCode } from '../../core/countries.ts';
import type { CallId } from '../../core/ids.ts';
import { parseCallerNumber } from './numberParsing.ts';

/** Where it is kept which number of the company the caller of a call dialled. */
export type DialledKeeper = { keep(call: CallId, number: string): Promise<void> };

/** What the caller dialled, as Asterisk has it of the channel: a trunk's DID or DNIS. The dialplan may have set it anew. */
export const dialledVariable = 'CALLERID(dnid)';

const extension = /^[0-9A-Za-z*#._-]{1,40}$/;
/** Where Asterisk sends who has dialled nothing, or nothing that it knows (extensions.conf). */
const special = /^[a-zA-Z]$/;

/**
 * A number that was dialled, in the one form that it is kept and looked for in: `+3225550100`, or an extension as it stands.
 *
 * @param text as the trunk gives it, or as somebody types it; untrusted
 * @param defaultCountry whose numbering plan holds when there is no country code
 * @returns undefined for what is neither
 */
export function dialledNumberOf(text: string, defaultCountry: CountryCode): string | undefined {
  const dialled = text.trim();
  const parsed = parseCallerNumber(dialled, defaultCountry);
  if (parsed !== undefined) return parsed.number;

  return extension.test(dialled) && !special.test(dialled) ? dialled : undefined;
}
