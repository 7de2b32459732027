import type { Line, Policy, Staff } from '../../policy/policy.ts';
import type { NeverRecordedRules } from '../../policy/neverRecorded.ts';
import type { UnrecordedReason } from '../decide/unrecordedReasons.ts';
import type { Parsed } from './arguments.ts';
import { endpointOf, leadsOutside, numberIn } from './dialString.ts';
import { parseCallerNumber } from './numberParsing.ts';

/** Who calls, as far as Asterisk tells. Of an outgoing call the number is that of who was called. Personal. */
export type Comer = {
  number: string;
  endpoint: string | undefined;
  /** Of an outgoing call: whether who dialled was told in a call of their own. */
  isDiallerTold?: boolean;
};

type Asked = Pick<Parsed, 'request' | 'dialled' | 'called'>;

/**
 * The number that was called. The dial string knows it without the digit that leads out (`_0X.`): `0042345678` is not Switzerland. One that is no
 * telephone number as it stands, such as `98#042345678`, says less than the extension that was dialled.
 */
export function numberCalled({ dialled, called }: Asked, extension: string, { defaultCountry }: Policy): string {
  const sent = called?.dialString === undefined ? undefined : numberIn(called.dialString);
  const isTelephone = sent !== undefined && parseCallerNumber(sent, defaultCountry) !== undefined;

  return dialled ?? (isTelephone ? sent : extension);
}

/** Whether the call leads to a number that is never recorded, or comes from one. */
function isNever({ number }: Comer, { request, dialled, called }: Asked, rules: NeverRecordedRules): boolean {
  if (rules.isNumber(number)) return true;
  if (request.way === 'bridge') return rules.isDialString(request.to);
  if (called?.dialString !== undefined && rules.isDialString(called.dialString)) return true;

  return [dialled, ...(called === undefined ? [] : [number])].some(
    (each) => each !== undefined && rules.isDialled(each),
  );
}

/** The endpoints of both ends, as far as they are known before anybody is dialled. */
function endsOf({ endpoint }: Comer, { request, dialled, called }: Asked): readonly (string | undefined)[] {
  if (called !== undefined) return [called.endpoint, called.diallerEndpoint];

  return [endpoint, request.way === 'bridge' ? endpointOf(request.to) : dialled];
}

/** The dialplan says that this call must be recorded: then it is, within the house as well. */
function isInternal(comer: Comer, asked: Asked, line: Line, staff: Staff): boolean {
  if (line.internalCalls === 'record' || asked.request.mustRecord === true) return false;

  return endsOf(comer, asked).every((end) => end !== undefined && staff.has(end));
}

/** Whether somebody outside is called who hears nothing of Préavis: the notice of this call is for who calls. */
function isCalledUntold(
  { request, dialled, called }: Asked,
  line: Line,
  staff: Staff,
  { defaultCountry }: Policy,
): boolean {
  if (line.calledParty === 'told' || called !== undefined) return false;
  if (request.way === 'bridge') return leadsOutside(request.to, staff.has);
  if (dialled === undefined || staff.has(dialled)) return false;

  return parseCallerNumber(dialled, defaultCountry) !== undefined;
}

/** Whether somebody dials who is known to be nobody of the house, as a caller whom a telephone forwards: nobody tells them in this call. */
function isDiallerUntold({ isDiallerTold = false }: Comer, { called }: Asked, staff: Staff): boolean {
  const endpoint = called?.diallerEndpoint;

  return staff.isAnybody && endpoint !== undefined && !staff.has(endpoint) && !isDiallerTold;
}

/** Why this call goes on untold and unrecorded, by what is known before anything takes time; undefined where nothing speaks against it. */
export function objectionTo(
  comer: Comer,
  asked: Asked,
  policy: Policy,
  rules: NeverRecordedRules,
): Extract<UnrecordedReason, 'never_recorded' | 'internal_call' | 'called_party_untold' | 'untold_party'> | undefined {
  if (isNever(comer, asked, rules)) return 'never_recorded';
  const line = policy.lines.get(asked.request.line);
  if (line === undefined) return undefined;
  const staff = policy.staffOf(line.name);
  if (isInternal(comer, asked, line, staff)) return 'internal_call';

  if (isCalledUntold(asked, line, staff, policy)) return 'called_party_untold';

  return isDiallerUntold(comer, asked, staff) ? 'untold_party' : undefined;
}
