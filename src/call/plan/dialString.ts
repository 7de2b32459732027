/**
 * What a dial string tells of who is reached by it. `Local/` leads into the dialplan and tells nothing. `PJSIP/100` is a telephone, and so is
 * `PJSIP/100/sip:100@192.0.2.7`, as `PJSIP_DIAL_CONTACTS()` gives it.
 */

type Read = {
  technology: string;
  /** The endpoint, peer or channel of Asterisk by which the call goes. */
  endpoint: string;
  /** What is dialled there, where the dial string says so. */
  number: string | undefined;
};

/** `PJSIP/trunk/sip:+3221234567@carrier`: a number of that length is nobody's in the house. */
const longNumber = /^\+?\d{6,}$/;
const uri = /^(?:sips?|tel):([^@;]*)/i;
/** What people write between digits (RFC 3966), a password behind them, and keys that a number may have: `02-123.45.67`, `021234567#`. */
const betweenDigits = /[\s().*#-]|:.*$/g;
/** `%2B` is `+` (RFC 3986). */
const unescaped = (user: string): string =>
  user.replace(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)));

/** The digits of the user of a URI. Without a user, as in `sip:192.0.2.7`, what stands there is an address. */
function digitsOf(uriText: string, user: string): string {
  const isAddress = /^sips?:/i.test(uriText) && !uriText.includes('@');

  return isAddress ? user : unescaped(user).replace(betweenDigits, '');
}

/** All lines of a group: who dials one dials out. */
const dahdiGroup = /^[gr]\d+$/i;

function read(dialString: string): Read | undefined {
  const [technology = '', ...more] = dialString.split('/');
  const rest = more.join('/');
  if (technology === '' || rest === '' || technology.toLowerCase() === 'local') return undefined;
  const [first = '', ...behind] = rest.split('/');
  const at = first.lastIndexOf('@');
  if (at >= 0) return { technology, endpoint: first.slice(at + 1), number: first.slice(0, at) };
  if (behind.length === 0) return { technology, endpoint: first, number: undefined };
  const second = behind.join('/');
  const user = uri.exec(second)?.[1];
  if (user === undefined) return { technology, endpoint: first, number: second };

  const number = digitsOf(second, user);
  const isLong = user !== first && number !== first && longNumber.test(number);

  return { technology, endpoint: first, number: isLong ? number : undefined };
}

/** The name of the endpoint that a dial string leads to; undefined where it leads into the dialplan. */
export const endpointOf = (dialString: string): string | undefined => read(dialString)?.endpoint;

/** What a dial string dials there, as far as it says so. */
export const numberIn = (dialString: string): string | undefined => read(dialString)?.number;

/** `PJSIP/+3221234567@acme-trunk`: a pattern such as `acme-*` may take the trunk of a company for one of its telephones. */
const dialsOut = (dialString: string): boolean => /^[^/]+\/\+?\d{6,}@/.test(dialString);

/**
 * Whether a dial string dials a number somewhere else: `PJSIP/+3221234567@trunk`, `DAHDI/g1/021234567`, `IAX2/office/200`. Where the endpoint
 * is one of the staff it does not, except with a number that is nobody's in the house.
 */
export function leadsOutside(dialString: string, isStaff: (endpoint: string) => boolean): boolean {
  const found = read(dialString);
  if (found === undefined || (isStaff(found.endpoint) && !dialsOut(dialString))) return false;
  const isGroup = found.technology.toUpperCase() === 'DAHDI' && dahdiGroup.test(found.endpoint);

  return isGroup || found.number !== undefined;
}
