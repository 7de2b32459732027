import type { SubjectTexts } from './subjectTexts.ts';

export const english: SubjectTexts = {
  locale: 'en-GB',
  title: 'What is kept of your telephone calls',
  intro:
    'You asked which data are kept of your telephone calls (General Data Protection Regulation, art. 15). This page lists them. The ' +
    'recordings are in the folder “recordings”, and a record of each call, how you were told and what you answered, in “receipts”. ' +
    'The file index.json holds the same for computers.',
  made: (time, timezone) => `Made on ${time}. All times are those of ${timezone}.`,
  notStated: 'not stated',
  controller: {
    heading: 'Who is responsible',
    name: 'Controller',
    contact: 'Contact',
    officer: 'Data protection officer',
    listeners: 'Who may listen within the company',
    recipients: 'Other recipients',
    transfers: 'Transfers outside the European Economic Area',
  },
  person: {
    heading: 'Your data',
    number: 'Your number, as it is kept encrypted',
    numberHidden: 'by what is kept of it your calls are found; the number itself could not be read back from it',
    language: 'Remembered language',
    noLanguage: 'none',
  },
  purposes: {
    heading: 'Why calls are recorded',
    ownWords: 'In the words of the controller.',
    purpose: 'Purpose',
    why: 'Why it is needed',
    basis: 'Legal basis',
  },
  calls: {
    heading: 'Your calls',
    count: (calls) => (calls === 1 ? '1 call' : `${calls} calls`),
    unreadable: (calls) => `${calls} of your calls could not be read. Please ask the controller about them.`,
    call: 'Call of',
    line: 'Line',
    languages: 'Language of the notice',
    result: 'Result',
    told: 'How you were asked',
    receipt: 'Record of the call',
    receiptMissing: 'could not be made',
    purposes: 'Purposes',
  },
  results: {
    recorded: 'recorded',
    unrecorded: 'not recorded',
    notConnected: 'not recorded: nobody answered',
    abandoned: 'not recorded: the call ended before',
  },
  goingOn: 'the call goes on',
  modes: {
    announce: 'You were told that the call would be recorded.',
    optOut: 'You were told, and could refuse by a key.',
    optIn: 'You were asked, and could accept by a key.',
  },
  answers: { accepted: 'You accepted.', refused: 'You refused.' },
  recording: {
    heading: 'Recording',
    length: (seconds) => `${seconds} seconds`,
    fingerprint: 'Fingerprint (SHA-256)',
    keptUntil: 'Kept',
    until: (purpose, time) => `for ${purpose} until ${time}`,
    holds: 'Kept longer',
    hold: (ground, from, until) => `${ground}, from ${from} to ${until}`,
    listened: 'Handed out',
    nobody: 'never',
    access: (what, time, purpose) => `${time}, by an operator: ${what}${purpose === null ? '' : ` for ${purpose}`}`,
  },
  holds: {
    dispute: 'for a dispute',
    authority: 'at the request of an authority',
    restriction: 'at your request',
  },
  access: { fetched: 'fetched', bundled: 'handed out as evidence', exported: 'handed out to you' },
  absent: {
    unfinished: 'The recording is not finished yet. Please ask again.',
    lost: 'The recording cannot be found.',
    discarded: 'Nothing was kept: what had been recorded was removed.',
    unusable: 'There is no sound that could be played.',
    unreadable: 'The recording could not be read. Please ask the controller about it.',
  },
  erased: (time, certificate) =>
    `The recording was erased${time === null ? '' : ` on ${time}`}${certificate === null ? '' : ` (certificate ${certificate})`}.`,
  rights: {
    heading: 'Your rights',
    paragraphs: [
      'You can ask the controller to correct or erase your data, or to restrict what is done with them, and you can object to it.',
      'Where a recording rests on your consent, you can withdraw it at any time.',
      'You can complain to a data protection authority, for example in the country where you live or work.',
      'The data come from your calls themselves. The program that records decides nothing about you by itself and makes no profile.',
      'The recordings also hold the voice of the other person. Please respect their rights when you use them.',
    ],
  },
};
