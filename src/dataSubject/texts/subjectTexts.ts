import type { HoldGround } from '../../catalogue/holdGrounds.ts';
import type { ConsentMode } from '../../config/consent.ts';
import type { AbsentWhy, IndexAccess } from '../personIndex.ts';

/** Every word of index.html in one language; a language without one of them is no SubjectTexts. */
export type SubjectTexts = {
  /** For dates and names of languages. */
  locale: string;
  title: string;
  intro: string;
  made: (time: string, timezone: string) => string;
  notStated: string;
  controller: {
    heading: string;
    name: string;
    contact: string;
    officer: string;
    listeners: string;
    recipients: string;
    transfers: string;
  };
  person: {
    heading: string;
    number: string;
    numberHidden: string;
    language: string;
    noLanguage: string;
  };
  purposes: { heading: string; ownWords: string; purpose: string; why: string; basis: string };
  calls: {
    heading: string;
    count: (calls: number) => string;
    unreadable: (calls: number) => string;
    call: string;
    line: string;
    languages: string;
    result: string;
    told: string;
    receipt: string;
    receiptMissing: string;
    purposes: string;
  };
  results: Record<'recorded' | 'unrecorded' | 'notConnected' | 'abandoned', string>;
  goingOn: string;
  modes: Record<ConsentMode, string>;
  answers: Record<'accepted' | 'refused', string>;
  recording: {
    heading: string;
    length: (seconds: number) => string;
    fingerprint: string;
    keptUntil: string;
    until: (purpose: string, time: string) => string;
    holds: string;
    hold: (ground: string, from: string, until: string) => string;
    listened: string;
    nobody: string;
    access: (what: string, time: string, purpose: string | null) => string;
  };
  holds: Record<HoldGround, string>;
  access: Record<IndexAccess['what'], string>;
  absent: Record<Exclude<AbsentWhy['reason'], 'erased'>, string>;
  erased: (time: string | null, certificate: number | null) => string;
  rights: { heading: string; paragraphs: readonly string[] };
};
