import type { PurposeKind } from './purposeKinds.ts';

/**
 * What a call's purposes ask of its caller. A sentence speaks of "the recording", so a refusal ends it as a whole: the
 * strictest mode of a call's purposes holds for the call.
 */

/**
 * From the least to the strictest. announce: told, and recorded. optOut: told, and not recorded after a refusal.
 * optIn: asked, and recorded only after a yes; silence is a no.
 */
export const consentModes = ['announce', 'optOut', 'optIn'] as const;
export type ConsentMode = (typeof consentModes)[number];

/** What of a purpose decides about consent. */
export type ConsentPurpose = {
  id: string;
  kind: PurposeKind;
  consent: ConsentMode;
  /** Countries of the caller's number for which it is opt-in whatever `consent` says. */
  optInForCountries: readonly string[];
};

export type CallConsent = {
  mode: ConsentMode;
  /** purpose: the configured mode of a purpose; callerCountry: opt-in because of where the caller's number is from. */
  reason: 'purpose' | 'callerCountry';
  /** The purposes that ask for this mode. */
  purposes: readonly string[];
};

const strictness = (mode: ConsentMode): number => consentModes.indexOf(mode);

export function isWeaker(mode: ConsentMode, than: ConsentMode): boolean {
  return strictness(mode) < strictness(than);
}

/**
 * The mode that holds for a call with these purposes, and why.
 *
 * @param callerCountry of the caller's number (callerCountryOf); undefined for a withheld or unreadable one: then only the
 * purposes' own modes count
 */
export function consentFor(purposes: readonly ConsentPurpose[], callerCountry: string | undefined): CallConsent {
  if (purposes.length === 0) throw new TypeError('a call without a purpose is never recorded');
  const mode = consentModes[Math.max(...purposes.map((purpose) => strictness(purpose.consent)))] ?? 'optIn';
  const abroad = purposes.filter(
    ({ optInForCountries }) => callerCountry !== undefined && optInForCountries.includes(callerCountry),
  );
  if (mode !== 'optIn' && abroad.length > 0) {
    return { mode: 'optIn', reason: 'callerCountry', purposes: abroad.map(({ id }) => id) };
  }

  return { mode, reason: 'purpose', purposes: purposes.filter(({ consent }) => consent === mode).map(({ id }) => id) };
}

/** Every mode that a call with these purposes can have, whoever calls: the sentences of each must be there. */
export function possibleModes(purposes: readonly ConsentPurpose[]): ConsentMode[] {
  const countries = purposes.flatMap(({ optInForCountries }) => optInForCountries);
  const modes = new Set([undefined, ...countries].map((country) => consentFor(purposes, country).mode));

  return consentModes.filter((mode) => modes.has(mode));
}

/**
 * Why these purposes cannot be those of one call, or undefined: what the law wants recorded would be lost with a caller's
 * refusal of the rest.
 */
export function mixFault(purposes: readonly ConsentPurpose[]): string | undefined {
  const [mandatory] = purposes.filter(({ kind }) => kind === 'obligation');
  // One of its own that could be refused is a fault by itself.
  const refusable = purposes.filter(({ kind, consent, optInForCountries }) => {
    return kind !== 'obligation' && (consent !== 'announce' || optInForCountries.length > 0);
  });
  if (mandatory === undefined || refusable.length === 0) return undefined;
  const names = refusable.map(({ id }) => id).join(' and ');

  return `${mandatory.id} must be recorded by law, but a caller may refuse ${names}, and a refusal ends the whole recording`;
}

/**
 * The purposes of a call that this draw records for; none: the call is not recorded.
 *
 * @param draw from 0 to below 100, one for the call, so that a rare purpose never makes a call that a more frequent one
 * does not take
 */
export function sampledPurposes<P extends { recordPercent: number }>(purposes: readonly P[], draw: number): P[] {
  return purposes.filter(({ recordPercent }) => draw < recordPercent);
}
