import type { SubjectTexts } from './subjectTexts.ts';

export const dutch: SubjectTexts = {
  locale: 'nl-BE',
  title: 'Wat van uw telefoongesprekken wordt bewaard',
  intro:
    'U vroeg welke gegevens van uw telefoongesprekken worden bewaard (algemene verordening gegevensbescherming, art. 15). Deze pagina ' +
    'somt ze op. De opnames staan in de map “recordings”; hoe u bij elk gesprek werd ingelicht en wat u antwoordde, staat in ' +
    '“receipts”. Het bestand index.json bevat hetzelfde voor computers.',
  made: (time, timezone) => `Opgemaakt op ${time}. Alle tijden zijn die van ${timezone}.`,
  notStated: 'niet vermeld',
  controller: {
    heading: 'Wie verantwoordelijk is',
    name: 'Verwerkingsverantwoordelijke',
    contact: 'Contact',
    officer: 'Functionaris voor gegevensbescherming',
    listeners: 'Wie binnen het bedrijf mag luisteren',
    recipients: 'Andere ontvangers',
    transfers: 'Doorgiften buiten de Europese Economische Ruimte',
  },
  person: {
    heading: 'Uw gegevens',
    number: 'Uw nummer, zoals het versleuteld wordt bewaard',
    numberHidden:
      'met wat ervan bewaard wordt, worden uw gesprekken gevonden; het nummer kon er niet uit worden gelezen',
    language: 'Onthouden taal',
    noLanguage: 'geen',
  },
  purposes: {
    heading: 'Waarom gesprekken worden opgenomen',
    ownWords: 'In de woorden van de verwerkingsverantwoordelijke.',
    purpose: 'Doel',
    why: 'Waarom het nodig is',
    basis: 'Rechtsgrond',
  },
  calls: {
    heading: 'Uw gesprekken',
    count: (calls) => (calls === 1 ? '1 gesprek' : `${calls} gesprekken`),
    unreadable: (calls) =>
      `${calls} van uw gesprekken konden niet worden gelezen. Vraag ernaar bij de verwerkingsverantwoordelijke.`,
    call: 'Gesprek van',
    line: 'Lijn',
    languages: 'Taal van de melding',
    result: 'Resultaat',
    told: 'Hoe u werd gevraagd',
    receipt: 'Verslag van het gesprek',
    receiptMissing: 'kon niet worden gemaakt',
    purposes: 'Doelen',
  },
  results: {
    recorded: 'opgenomen',
    unrecorded: 'niet opgenomen',
    notConnected: 'niet opgenomen: niemand nam op',
    abandoned: 'niet opgenomen: het gesprek eindigde eerder',
  },
  goingOn: 'het gesprek is aan de gang',
  modes: {
    announce: 'U werd gemeld dat het gesprek zou worden opgenomen.',
    optOut: 'U werd ingelicht en kon met een toets weigeren.',
    optIn: 'U werd gevraagd en kon met een toets toestemmen.',
  },
  answers: { accepted: 'U hebt toegestemd.', refused: 'U hebt geweigerd.' },
  recording: {
    heading: 'Opname',
    length: (seconds) => `${seconds} seconden`,
    fingerprint: 'Vingerafdruk (SHA-256)',
    keptUntil: 'Bewaard',
    until: (purpose, time) => `voor ${purpose} tot ${time}`,
    holds: 'Langer bewaard',
    hold: (ground, from, until) => `${ground}, van ${from} tot ${until}`,
    listened: 'Uitgegeven',
    nobody: 'nooit',
    access: (what, time, purpose) => `${time}, door een operator: ${what}${purpose === null ? '' : ` voor ${purpose}`}`,
  },
  holds: {
    dispute: 'wegens een geschil',
    authority: 'op verzoek van een overheid',
    restriction: 'op uw verzoek',
  },
  access: { fetched: 'opgehaald', bundled: 'uitgegeven als bewijs', exported: 'aan u uitgegeven' },
  absent: {
    unfinished: 'De opname is nog niet klaar. Vraag ze later opnieuw.',
    lost: 'De opname is niet te vinden.',
    discarded: 'Er werd niets bewaard: wat was opgenomen, is verwijderd.',
    unusable: 'Er is geen geluid dat kan worden beluisterd.',
    unreadable: 'De opname kon niet worden gelezen. Vraag ernaar bij de verwerkingsverantwoordelijke.',
  },
  erased: (time, certificate) =>
    `De opname is gewist${time === null ? '' : ` op ${time}`}${certificate === null ? '' : ` (certificaat ${certificate})`}.`,
  rights: {
    heading: 'Uw rechten',
    paragraphs: [
      'U kunt de verwerkingsverantwoordelijke vragen uw gegevens te verbeteren, te wissen of de verwerking ervan te beperken, en u kunt er bezwaar tegen maken.',
      'Waar een opname op uw toestemming berust, kunt u die op elk moment intrekken.',
      'U kunt een klacht indienen bij een gegevensbeschermingsautoriteit, bijvoorbeeld in het land waar u woont of werkt.',
      'De gegevens komen uit uw gesprekken zelf. Het programma dat opneemt, beslist zelf niets over u en maakt geen profiel.',
      'De opnames bevatten ook de stem van de andere persoon. Eerbiedig diens rechten wanneer u ze gebruikt.',
    ],
  },
};
