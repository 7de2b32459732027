import type { ConsentMode } from './consent.ts';
import type { PurposeKind } from './purposeKinds.ts';

/**
 * What law and authorities say of recording, as far as it can be checked: the least consent, the longest and the shortest
 * storage. It is a net under the configuration, not advice. What only Préavis proposes stands in config/purposes and can
 * be changed.
 */

/** Whose law a purpose is recorded under; `other`: one that this table does not know, nothing is checked. */
export const jurisdictions = ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'IT', 'LU', 'NL', 'EU', 'other'] as const;
export type Jurisdiction = (typeof jurisdictions)[number];

export type LawRule = {
  leastConsent: ConsentMode;
  /** A month counts as 31 days, six as 184, a year with as many leap days as can fall into the time. */
  maximumDays?: number;
  /** What holds where a purpose names no maximum and the law none either: a proposal, a purpose may name more. */
  usualDays?: number;
  /** The law wants it kept at least as long. */
  minimumDays?: number;
  /** Whether a dispute may keep a recording beyond its end. */
  holds: boolean;
  /** Whether callers must be told before for how long it is kept; else that may be told elsewhere (GDPR art. 13 in layers, WP 260). */
  tellsDuration: boolean;
  /** An authority wants a sample and no more. The number is a proposal, counsel may allow more. %. */
  usualPercent?: number;
  /** An authority wants recorded only what concerns the agreement, counsel may allow more; its source. */
  onlyFromAgreement?: string;
  /** Only a legal obligation (GDPR art. 6(1)(c)) takes away the caller's say, so the legal basis must name it. */
  needsObligation: boolean;
  source: string;
};

const rule = (over: Partial<LawRule> & Pick<LawRule, 'source'>): LawRule => ({
  leastConsent: 'announce',
  holds: true,
  tellsDuration: false,
  needsObligation: false,
  ...over,
});
/** Nobody needs a recording for training in a dispute: it would be another purpose. */
const training = (over: Partial<LawRule> & Pick<LawRule, 'source'>): LawRule => rule({ ...over, holds: false });

const noRule = rule({ source: 'no rule is known' });
const mifid = rule({
  minimumDays: 1827,
  maximumDays: 2557,
  // A copy is to be had for five years, and seven if the authority asks: clients are told before (Regulation 2017/565 art. 76(8)).
  tellsDuration: true,
  needsObligation: true,
  source: 'Directive 2014/65/EU art. 16(7): five years, seven if the authority asks',
});
const asked = 'DSK, 23 March 2018: the caller is asked before and says yes';

/** undefined: this law asks for no such recording and allows none of its own. */
export const law: Readonly<Record<Jurisdiction, Readonly<Record<PurposeKind, LawRule | undefined>>>> = {
  AT: {
    training: training({ leastConsent: 'optIn', usualDays: 90, source: 'ABGB § 16: consent, OGH 1 Ob 1/20h' }),
    // A talk that goes on after the notice is not recorded secretly.
    evidence: rule({ usualDays: 1096, source: 'ABGB § 1486: three years' }),
    obligation: mifid,
  },
  BE: {
    training: training({ maximumDays: 31, tellsDuration: true, source: 'Act of 13 June 2005, art. 128: one month' }),
    evidence: rule({
      maximumDays: 3653,
      tellsDuration: true,
      source: 'Act of 13 June 2005, art. 128: as long as it can be contested in court',
    }),
    obligation: mifid,
  },
  CH: {
    training: training({
      leastConsent: 'optIn',
      usualDays: 184,
      source: 'Criminal Code, art. 179bis and 179ter: consent; art. 179quinquies exempts orders and the like only',
    }),
    evidence: rule({ usualDays: 3653, source: 'Code of Obligations, art. 127: ten years' }),
    obligation: noRule,
  },
  DE: {
    training: training({ leastConsent: 'optIn', usualDays: 90, source: asked }),
    evidence: rule({ leastConsent: 'optIn', usualDays: 1461, source: asked }),
    obligation: mifid,
  },
  ES: {
    training: training({ usualDays: 184, source: 'no rule of law, a proposal: six months' }),
    evidence: rule({ usualDays: 1827, source: 'Código Civil, art. 1964.2: five years' }),
    obligation: mifid,
  },
  FR: {
    training: training({
      maximumDays: 184,
      usualPercent: 10,
      source: 'CNIL: six months, and never permanent (SAN-2023-008: a few calls, at random)',
    }),
    evidence: rule({
      usualDays: 1827,
      onlyFromAgreement: 'CNIL, 25 April 2022: only from where the talk is about making the contract',
      source: 'Code civil, art. 2224: five years',
    }),
    obligation: mifid,
  },
  IT: {
    training: training({ usualDays: 92, source: 'no rule of law, a proposal: three months' }),
    evidence: rule({ usualDays: 3653, source: 'Codice civile, art. 2946: ten years' }),
    obligation: mifid,
  },
  LU: {
    training: training({
      leastConsent: 'optIn',
      usualDays: 31,
      tellsDuration: true,
      source: 'Act of 30 May 2005, art. 4: only proof of a transaction needs no consent',
    }),
    evidence: rule({ usualDays: 3653, tellsDuration: true, source: 'Act of 30 May 2005, art. 4(3)(d)' }),
    obligation: mifid,
  },
  NL: {
    training: training({ usualDays: 184, source: 'custom: six months' }),
    evidence: rule({ usualDays: 1827, source: 'Burgerlijk Wetboek, art. 3:307: five years' }),
    obligation: mifid,
  },
  EU: { training: undefined, evidence: undefined, obligation: mifid },
  other: { training: noRule, evidence: noRule, obligation: noRule },
};
