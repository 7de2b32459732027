import type { SubjectTexts } from './subjectTexts.ts';

export const german: SubjectTexts = {
  locale: 'de-BE',
  title: 'Was von Ihren Telefongesprächen aufbewahrt wird',
  intro:
    'Sie haben gefragt, welche Daten von Ihren Telefongesprächen aufbewahrt werden (Datenschutz-Grundverordnung, Art. 15). Diese ' +
    'Seite zählt sie auf. Die Aufnahmen liegen im Ordner „recordings“; wie Sie bei jedem Gespräch informiert wurden und was Sie ' +
    'geantwortet haben, steht in „receipts“. Die Datei index.json enthält dasselbe für Computer.',
  made: (time, timezone) => `Erstellt am ${time}. Alle Zeiten sind die von ${timezone}.`,
  notStated: 'nicht angegeben',
  controller: {
    heading: 'Wer verantwortlich ist',
    name: 'Verantwortlicher',
    contact: 'Kontakt',
    officer: 'Datenschutzbeauftragter',
    listeners: 'Wer im Unternehmen anhören darf',
    recipients: 'Weitere Empfänger',
    transfers: 'Übermittlungen außerhalb des Europäischen Wirtschaftsraums',
  },
  person: {
    heading: 'Ihre Daten',
    number: 'Ihre Nummer, wie sie verschlüsselt aufbewahrt wird',
    numberHidden:
      'mit dem, was davon aufbewahrt wird, werden Ihre Gespräche gefunden; die Nummer ließ sich daraus nicht lesen',
    language: 'Gemerkte Sprache',
    noLanguage: 'keine',
  },
  purposes: {
    heading: 'Wozu Gespräche aufgenommen werden',
    ownWords: 'In den Worten des Verantwortlichen.',
    purpose: 'Zweck',
    why: 'Warum er nötig ist',
    basis: 'Rechtsgrundlage',
  },
  calls: {
    heading: 'Ihre Gespräche',
    count: (calls) => (calls === 1 ? '1 Gespräch' : `${calls} Gespräche`),
    unreadable: (calls) =>
      `${calls} Ihrer Gespräche konnten nicht gelesen werden. Bitte fragen Sie den Verantwortlichen danach.`,
    call: 'Gespräch vom',
    line: 'Leitung',
    languages: 'Sprache der Ansage',
    result: 'Ergebnis',
    told: 'Wie Sie gefragt wurden',
    receipt: 'Protokoll des Gesprächs',
    receiptMissing: 'konnte nicht erstellt werden',
    purposes: 'Zwecke',
  },
  results: {
    recorded: 'aufgenommen',
    unrecorded: 'nicht aufgenommen',
    notConnected: 'nicht aufgenommen: niemand hat abgehoben',
    abandoned: 'nicht aufgenommen: das Gespräch endete vorher',
  },
  goingOn: 'das Gespräch dauert an',
  modes: {
    announce: 'Ihnen wurde gesagt, dass das Gespräch aufgenommen wird.',
    optOut: 'Sie wurden informiert und konnten durch eine Taste ablehnen.',
    optIn: 'Sie wurden gefragt und konnten durch eine Taste zustimmen.',
  },
  answers: { accepted: 'Sie haben zugestimmt.', refused: 'Sie haben abgelehnt.' },
  recording: {
    heading: 'Aufnahme',
    length: (seconds) => `${seconds} Sekunden`,
    fingerprint: 'Fingerabdruck (SHA-256)',
    keptUntil: 'Aufbewahrt',
    until: (purpose, time) => `für ${purpose} bis ${time}`,
    holds: 'Länger aufbewahrt',
    hold: (ground, from, until) => `${ground}, vom ${from} bis ${until}`,
    listened: 'Herausgegeben',
    nobody: 'nie',
    access: (what, time, purpose) =>
      `${time}, durch eine bedienende Person: ${what}${purpose === null ? '' : ` für ${purpose}`}`,
  },
  holds: {
    dispute: 'wegen eines Streitfalls',
    authority: 'auf Verlangen einer Behörde',
    restriction: 'auf Ihren Wunsch',
  },
  access: { fetched: 'abgerufen', bundled: 'als Nachweis herausgegeben', exported: 'an Sie herausgegeben' },
  absent: {
    unfinished: 'Die Aufnahme ist noch nicht fertig. Bitte fragen Sie noch einmal.',
    lost: 'Die Aufnahme ist nicht zu finden.',
    discarded: 'Nichts wurde aufbewahrt: was aufgenommen war, wurde entfernt.',
    unusable: 'Es gibt keinen Ton, den man anhören könnte.',
    unreadable: 'Die Aufnahme konnte nicht gelesen werden. Bitte fragen Sie den Verantwortlichen danach.',
  },
  erased: (time, certificate) =>
    `Die Aufnahme wurde${time === null ? '' : ` am ${time}`} gelöscht${certificate === null ? '' : ` (Bescheinigung ${certificate})`}.`,
  rights: {
    heading: 'Ihre Rechte',
    paragraphs: [
      'Sie können vom Verantwortlichen verlangen, Ihre Daten zu berichtigen, zu löschen oder ihre Verarbeitung einzuschränken, und Sie können ihr widersprechen.',
      'Wo eine Aufnahme auf Ihrer Einwilligung beruht, können Sie diese jederzeit widerrufen.',
      'Sie können sich bei einer Datenschutzbehörde beschweren, zum Beispiel in dem Land, in dem Sie wohnen oder arbeiten.',
      'Die Daten stammen aus Ihren Gesprächen selbst. Das Programm, das aufnimmt, entscheidet nichts selbst über Sie und erstellt kein Profil.',
      'Die Aufnahmen enthalten auch die Stimme der anderen Person. Bitte achten Sie deren Rechte, wenn Sie sie verwenden.',
    ],
  },
};
