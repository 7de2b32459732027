import type { SubjectTexts } from './subjectTexts.ts';

export const french: SubjectTexts = {
  locale: 'fr-BE',
  title: 'Ce qui est conservé de vos appels téléphoniques',
  intro:
    'Vous avez demandé quelles données sont conservées de vos appels téléphoniques (règlement général sur la protection des données, ' +
    'art. 15). Cette page les énumère. Les enregistrements se trouvent dans le dossier « recordings » ; pour chaque appel, la façon ' +
    'dont vous avez été informé et votre réponse se trouvent dans « receipts ». Le fichier index.json contient la même chose pour les ' +
    'ordinateurs.',
  made: (time, timezone) => `Établi le ${time}. Toutes les heures sont celles de ${timezone}.`,
  notStated: 'non indiqué',
  controller: {
    heading: 'Qui est responsable',
    name: 'Responsable du traitement',
    contact: 'Contact',
    officer: 'Délégué à la protection des données',
    listeners: "Qui peut écouter au sein de l'entreprise",
    recipients: 'Autres destinataires',
    transfers: "Transferts hors de l'Espace économique européen",
  },
  person: {
    heading: 'Vos données',
    number: "Votre numéro, tel qu'il est conservé, chiffré",
    numberHidden: "ce qui en est conservé permet de retrouver vos appels, mais le numéro n'a pu en être relu",
    language: 'Langue retenue',
    noLanguage: 'aucune',
  },
  purposes: {
    heading: 'Pourquoi les appels sont enregistrés',
    ownWords: 'Dans les termes du responsable du traitement.',
    purpose: 'Finalité',
    why: 'Pourquoi elle est nécessaire',
    basis: 'Base juridique',
  },
  calls: {
    heading: 'Vos appels',
    count: (calls) => (calls === 1 ? '1 appel' : `${calls} appels`),
    unreadable: (calls) =>
      `${calls} de vos appels n'ont pas pu être lus. Adressez-vous à ce sujet au responsable du traitement.`,
    call: 'Appel du',
    line: 'Ligne',
    languages: "Langue de l'annonce",
    result: 'Résultat',
    told: 'Comment vous avez été interrogé',
    receipt: "Trace de l'appel",
    receiptMissing: "n'a pas pu être établie",
    purposes: 'Finalités',
  },
  results: {
    recorded: 'enregistré',
    unrecorded: 'non enregistré',
    notConnected: "non enregistré : personne n'a répondu",
    abandoned: "non enregistré : l'appel s'est terminé avant",
  },
  goingOn: "l'appel est en cours",
  modes: {
    announce: "Il vous a été annoncé que l'appel serait enregistré.",
    optOut: 'Vous avez été informé et pouviez refuser par une touche.',
    optIn: 'La question vous a été posée ; vous pouviez accepter par une touche.',
  },
  answers: { accepted: 'Vous avez accepté.', refused: 'Vous avez refusé.' },
  recording: {
    heading: 'Enregistrement',
    length: (seconds) => `${seconds} secondes`,
    fingerprint: 'Empreinte (SHA-256)',
    keptUntil: 'Conservé',
    until: (purpose, time) => `pour ${purpose} jusqu'au ${time}`,
    holds: 'Conservé plus longtemps',
    hold: (ground, from, until) => `${ground}, du ${from} au ${until}`,
    listened: 'Remis',
    nobody: 'jamais',
    access: (what, time, purpose) =>
      `${time}, par un opérateur : ${what}${purpose === null ? '' : `, pour ${purpose}`}`,
  },
  holds: {
    dispute: 'en raison d’un litige',
    authority: 'à la demande d’une autorité',
    restriction: 'à votre demande',
  },
  access: { fetched: 'obtenu', bundled: 'remis comme preuve', exported: 'remis à vous-même' },
  absent: {
    unfinished: "L'enregistrement n'est pas encore terminé. Veuillez renouveler votre demande.",
    lost: "L'enregistrement est introuvable.",
    discarded: "Rien n'a été conservé : ce qui avait été enregistré a été supprimé.",
    unusable: "Il n'y a pas de son qui puisse être écouté.",
    unreadable: "L'enregistrement n'a pas pu être lu. Adressez-vous à ce sujet au responsable du traitement.",
  },
  erased: (time, certificate) =>
    `L'enregistrement a été effacé${time === null ? '' : ` le ${time}`}${certificate === null ? '' : ` (certificat ${certificate})`}.`,
  rights: {
    heading: 'Vos droits',
    paragraphs: [
      "Vous pouvez demander au responsable du traitement de rectifier ou d'effacer vos données ou d'en limiter le traitement, et vous pouvez vous y opposer.",
      'Lorsqu’un enregistrement repose sur votre consentement, vous pouvez le retirer à tout moment.',
      'Vous pouvez introduire une réclamation auprès d’une autorité de protection des données, par exemple dans le pays où vous habitez ou travaillez.',
      'Les données proviennent de vos appels eux-mêmes. Le programme qui enregistre ne décide rien de lui-même à votre sujet et n’établit aucun profil.',
      "Les enregistrements contiennent aussi la voix de l'autre personne. Veuillez respecter ses droits lorsque vous les utilisez.",
    ],
  },
};
