import type { ExplanationWords } from './words.ts';

/** What the page of explanation says in French and English. */

export const french: ExplanationWords = {
  title: 'Ce que montre ce dossier',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `Ce dossier concerne l'enregistrement ${recording} d'un appel téléphonique${
      company === undefined ? '' : ` reçu par ${company}`
    }. Il a été établi le ${madeAt} par le logiciel ${madeBy}. Il ne contient ni numéro de téléphone ni nom d'appelant, hormis ce qui se dit dans l'enregistrement lui-même ; \`audit.json\` nomme les comptes informatiques de ceux qui l'ont traité. Toutes les heures sont en temps universel (UTC) ; celles de l'appel viennent de l'horloge du central téléphonique (Asterisk).`,
  glance: {
    recording: 'Enregistrement',
    began: 'Début',
    ended: 'Fin',
    lasts: 'Durée du fichier',
    after: "Après l'avis",
    choice: "Choix de l'appelant",
    stamp: 'Horodatage',
    key: 'Identifiant de la clé',
    notStated: 'non indiqué',
  },
  choices: {
    announced: 'informé, sans question',
    couldRefuse: "pouvait refuser, ne l'a pas fait",
    unheard: "pouvait refuser ; on ignore s'il l'a fait",
    saidYes: 'interrogé, a dit oui',
  },
  stamps: { yes: 'présent, à vérifier', no: 'aucun' },
  figure: {
    noticeTrack: "L'avis, avant l'enregistrement",
    recordingTrack: "L'enregistrement",
    begins: "début de l'enregistrement",
    saidYes: 'oui',
    pause: 'pause',
    silence: 'rendu silencieux',
    caption:
      "Les numéros sont ceux des phrases ci-dessous. De l'enregistrement, la figure montre le niveau sonore ; la place d'une pause y est approximative. Chacune des deux parties a sa propre échelle de temps.",
    noSound: "Le niveau sonore de l'enregistrement n'a pas été conservé, ou n'est pas lisible.",
  },
  otherPages: 'Autres langues',
  acknowledged: 'Après le oui, le central a dit :',
  alsoSaid: "Le central a aussi dit, en dehors de l'avis :",
  cutShort: ({ heard, length }) => `(interrompue après ${heard} s sur ${length} s)`,
  apart: ({ wall, file, missing }) =>
    `Du début à la fin, ${wall} s se sont écoulées ; le fichier dure ${file} s. Il y manque ${missing} s :`,
  pausedFor: ({ from, to }) => `pause du ${from} au ${to}, pendant une mise en attente`,
  unexplained: (seconds) => `le reçu ne dit pas pourquoi ${seconds} s de plus manquent`,
  pausedOrMore: (seconds) => `${seconds} s de plus, dont la pause de durée inconnue`,
  meanwhile: 'Pendant ce temps :',
  silenced: ({ from, to }) =>
    `de ${from} s à ${to} s du fichier, le logiciel a mis du silence : il n'était pas établi qui prenait part à l'appel, ni que chacun avait entendu l'avis`,
  silencedSomewhere:
    "le logiciel a mis du silence à un endroit du fichier : il n'était pas établi qui prenait part à l'appel, ni que chacun avait entendu l'avis",
  joined: (at) => `${at} : une autre personne est entrée dans l'appel`,
  transferred: (at) => `${at} : une autre personne a pris la place d'une des deux parties`,
  unheard: ({ from, to }) =>
    `du ${from} ${to === undefined ? "jusqu'à la fin" : `au ${to}`}, le son d'une des parties peut manquer`,
  callTitle: "L'enregistrement",
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `Il a commencé le ${began} et pris fin le ${ended}. Le fichier \`recording.wav\` dure ${seconds} s et compte ${bytes} octets. Son empreinte SHA-256 est \`${sha256}\` : si un seul octet était changé, elle serait tout autre.`,
  unknownTime: '(heure inconnue)',
  pauses: (count) => `Pendant une mise en attente rien n'est enregistré : il y a eu ${count} pause(s) de ce genre.`,
  flags: (list) => `Les contrôles automatiques ont relevé : ${list}.`,
  noticeTitle: "L'avis que l'appelant a entendu",
  noticeIntro: "Le central a diffusé à l'appelant, dans cet ordre :",
  sentence: ({ language, from, to, sha256 }) =>
    `En ${language}, du ${from} au ${to} ; empreinte SHA-256 du son : \`${sha256}\`.`,
  heardWhole: 'La phrase a été diffusée en entier à un appelant encore en ligne.',
  answeredMeanwhile: "C'est une question ; l'appelant a répondu oui avant la fin de la phrase.",
  soundIn: (file) => `Le son diffusé : \`${file}\`.`,
  soundMissing: "Le son diffusé n'existe plus tel quel ; aucun autre n'a été mis à sa place.",
  gap: (seconds) =>
    `L'enregistrement a commencé ${seconds} s après la fin de cet avis ; rien de ce qui a été dit avant n'est enregistré.`,
  gapUnknown:
    "Le central n'a pas donné l'heure exacte du début de l'enregistrement : ces heures ne montrent pas qu'il a suivi l'avis.",
  witness: {
    agrees: "Un second journal du central, tenu séparément, confirme la diffusion de l'avis.",
    disagrees: 'Attention : un second journal du central, tenu séparément, ne concorde pas avec ces heures.',
    missing: 'Attention : le second journal du central ne contient pas de ligne sur cet avis.',
    unavailable: "Il n'y a pas de second journal du central pour cet appel.",
    notCompared: "La comparaison avec un second journal du central n'avait pas eu lieu.",
  },
  consentTitle: "Le choix de l'appelant",
  announced: "L'appelant a été informé ; aucun choix par touche ne lui était demandé.",
  couldRefuse: "L'appelant pouvait refuser en appuyant sur une touche. Aucun refus n'a été entendu.",
  refusalUnknown:
    "L'appelant pouvait refuser en appuyant sur une touche. Pendant un temps, aucune touche n'aurait été entendue : on ignore s'il a refusé alors. Ensuite il est resté en ligne et n'a pas refusé.",
  saidYes: ({ key, at }) => `L'appelant a été interrogé et a dit oui en appuyant sur la touche ${key}, le ${at}.`,
  purposeTitle: "Pourquoi, et jusqu'à quand",
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, dans les termes de l'entreprise : ${why} Base juridique, selon elle : ${basis}. Conservation : ${days} jours, jusqu'au ${until}.`,
  shortened: (before) => `Cette fin a été avancée depuis ; le reçu dit encore ${before}.`,
  policy: (version) =>
    `Ces règles étaient en vigueur lors de l'appel (version ${version}, \`policy.json\`). Au terme de la dernière finalité, l'enregistrement est effacé.`,
  holdGrounds: {
    dispute: "en raison d'un litige",
    authority: "à la demande d'une autorité",
    restriction: 'à la demande de la personne concernée',
  },
  held: ({ why, until }) =>
    `Quand ce dossier a été établi, l'enregistrement devait être conservé au-delà de ce terme ${why} : jusqu'au ${until} inclus, sauf si cette conservation est levée plus tôt.`,
  checkTitle: 'Comment vérifier',
  check: ({ kid }) =>
    `Le dossier est signé par la clé dont l'identifiant est \`${kid}\`. Rien dans le dossier ne montre que cette clé est celle de l'entreprise : n'importe qui peut en établir un avec la sienne. Demandez donc à l'entreprise, par une autre voie, l'identifiant qu'elle publie, et comparez. Avec Préavis : \`preavis evidence verify FILE.zip --key ID\`.`,
  byHand:
    'Sans Préavis, avec unzip, OpenSSL 3, sha256sum, jq et bash : copiez les commandes de chaque étape dans un même terminal, dans cet ordre. Chaque ligne de résultat doit commencer par OK ; une ligne qui commence par NOT dit ce qui ne concorde pas. Les mêmes commandes se trouvent dans la documentation de Préavis (docs/evidence.md) : qui falsifie un dossier peut falsifier aussi cette page.',
  steps: {
    unpack:
      "Décompresser, dans un endroit vide. Mettez dans les deux premières lignes le nom du fichier ZIP et l'identifiant publié.",
    key: "À qui est la clé : son identifiant est calculé à partir de `public-key.pem` (RFC 7638). S'il n'est pas celui que l'entreprise publie, la suite montre seulement que quelqu'un a signé.",
    list: "La liste est signée, et chaque fichier est tel qu'elle le dit. `sha256sum -c` ne voit pas un fichier ajouté : la dernière commande compare les noms.",
    signed:
      "Le manifeste et le vCon signés (JWS, RFC 7515) : la signature porte sur les deux premières parties, avec le point entre elles. On la vérifie avec la clé de l'étape 2, non avec celle qu'elle contient. Le manifeste nomme l'empreinte de chaque fichier.",
    receipt:
      "Le reçu : si l'enregistrement et les sons sont ceux qu'il nomme, et si selon lui chaque phrase a été entendue avant l'enregistrement sans que personne n'ait refusé.",
    chain:
      "L'histoire : chaque maillon est le SHA-256 du maillon précédent et de l'empreinte de la ligne. L'empreinte de l'enregistrement y figure. Compter une minute pour 10 000 lignes.",
    stamp:
      "L'horodatage (RFC 3161) : prenez le certificat racine de l'autorité sur son site ou sur la liste de confiance de l'Union, non ici.",
  },
  history: ({ rows, unchained }) =>
    `\`audit.json\` contient l'histoire de l'enregistrement en ${rows} lignes, chacune liée à la précédente de tout le journal : une ligne changée romprait la chaîne. Celui qui détient la clé pourrait toutefois en omettre une sans la rompre, par exemple la remise d'une copie ; un dossier antérieur le montrerait.${unchained === 0 ? '' : ` ${unchained} de ces lignes datent d'avant la chaîne et ne sont pas protégées par elle.`}`,
  stamped:
    '`timestamp.tsr` est un horodatage du manifeste. Cette page, faite avant lui, ne dit pas de qui il est : la dernière étape le montre.',
  notStamped: (madeAt) => `Aucun tiers n'a attesté l'heure de ce dossier : ${madeAt} est ce que dit son auteur.`,
  limitsTitle: 'Ce que ce dossier ne prouve pas',
  limits:
    "Il ne dit pas qui a parlé, ni que l'appelant a écouté ou compris l'avis. Il montre ce que le central de l'entreprise a consigné ; celui qui détient la clé et le central aurait pu consigner autre chose au moment de l'appel. La signature montre que rien n'a changé depuis qu'elle a été faite, et la chaîne que les lignes se suivent, non qu'aucune ne manque. Si l'enregistrement était permis relève du juge.",
};

export const english: ExplanationWords = {
  title: 'What this bundle shows',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `This bundle is about the recording ${recording} of a telephone call${
      company === undefined ? '' : ` that ${company} received`
    }. It was made on ${madeAt} by the program ${madeBy}. It holds no telephone number and no name of a caller, except for what is said in the recording itself; \`audit.json\` names the computer accounts of those who handled it. All times are in universal time (UTC); those of the call are by the clock of the telephone exchange (Asterisk).`,
  glance: {
    recording: 'Recording',
    began: 'Began',
    ended: 'Ended',
    lasts: 'The file lasts',
    after: 'After the notice',
    choice: 'Choice of the caller',
    stamp: 'Time stamp',
    key: 'Id of the key',
    notStated: 'not stated',
  },
  choices: {
    announced: 'told, not asked',
    couldRefuse: 'could refuse, did not',
    unheard: 'could refuse; not known whether they did',
    saidYes: 'asked, said yes',
  },
  stamps: { yes: 'there, to be verified', no: 'none' },
  figure: {
    noticeTrack: 'The notice, before the recording',
    recordingTrack: 'The recording',
    begins: 'recording begins',
    saidYes: 'yes',
    pause: 'pause',
    silence: 'made silent',
    caption:
      'Numbers are the sentences below. Of the recording the figure shows how loud it is; where a pause lies in it is approximate. Each of the two has its own scale of time.',
    noSound: 'How loud the recording is was not kept, or cannot be read.',
  },
  otherPages: 'Other languages',
  acknowledged: 'After the yes the exchange said:',
  alsoSaid: 'The exchange also said, apart from the notice:',
  cutShort: ({ heard, length }) => `(broken off after ${heard} s of ${length} s)`,
  apart: ({ wall, file, missing }) =>
    `From its begin to its end ${wall} s passed; the file is ${file} s long. ${missing} s are not in it:`,
  pausedFor: ({ from, to }) => `paused from ${from} to ${to}, while one side was on hold`,
  unexplained: (seconds) => `the receipt does not say why ${seconds} s more are missing`,
  pausedOrMore: (seconds) => `${seconds} s more, with the pause of unknown length`,
  meanwhile: 'Meanwhile:',
  silenced: ({ from, to }) =>
    `from ${from} s to ${to} s of the file the program has put silence: it was not shown who was in the call, and that each of them had heard the notice`,
  silencedSomewhere:
    'the program has put silence somewhere in the file: it was not shown who was in the call, and that each of them had heard the notice',
  joined: (at) => `${at}: somebody else came into the call`,
  transferred: (at) => `${at}: somebody else took the place of one of the two sides`,
  unheard: ({ from, to }) => `from ${from} to ${to ?? 'the end'} the sound of one side may be missing`,
  callTitle: 'The recording',
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `It began on ${began} and ended on ${ended}. The file \`recording.wav\` lasts ${seconds} s and has ${bytes} bytes. Its SHA-256 is \`${sha256}\`: were a single byte changed, it would be another one.`,
  unknownTime: '(time not known)',
  pauses: (count) => `While one side is on hold nothing is recorded: there were ${count} such pause(s).`,
  flags: (list) => `Automatic checks have noted: ${list}.`,
  noticeTitle: 'The notice that the caller heard',
  noticeIntro: 'The exchange played to the caller, in this order:',
  sentence: ({ language, from, to, sha256 }) =>
    `In ${language}, from ${from} to ${to}; SHA-256 of the sound: \`${sha256}\`.`,
  heardWhole: 'The sentence was played to its end to a caller who was still on the line.',
  answeredMeanwhile: 'It is a question; the caller said yes before it ended.',
  soundIn: (file) => `The sound that was played: \`${file}\`.`,
  soundMissing: 'The sound that was played is no longer there as it was; no other was put in its place.',
  gap: (seconds) =>
    `The recording began ${seconds} s after the end of this notice; nothing that was said before is recorded.`,
  gapUnknown:
    'The exchange did not give the exact time at which the recording began: these times do not show that it was after the notice.',
  witness: {
    agrees: 'A second log of the exchange, kept apart, confirms that the notice was played.',
    disagrees: 'Note: a second log of the exchange, kept apart, does not agree with these times.',
    missing: 'Note: the second log of the exchange has no line about this notice.',
    unavailable: 'There is no second log of the exchange for this call.',
    notCompared: 'It had not been compared with a second log of the exchange.',
  },
  consentTitle: "The caller's choice",
  announced: 'The caller was told; they were not asked to choose by a key.',
  couldRefuse: 'The caller could refuse by pressing a key. No refusal was heard.',
  refusalUnknown:
    'The caller could refuse by pressing a key. For a while no key would have been heard: whether they refused then is not known. They stayed on the line afterwards and did not refuse.',
  saidYes: ({ key, at }) => `The caller was asked, and said yes by pressing the key ${key}, on ${at}.`,
  purposeTitle: 'Why, and for how long',
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, in the company's own words: ${why} Legal basis, as the company states it: ${basis}. Kept for ${days} days, until ${until}.`,
  shortened: (before) => `This end was brought forward since; the receipt still says ${before}.`,
  policy: (version) =>
    `These rules were in force at the time of the call (version ${version}, \`policy.json\`). When its last purpose ends, the recording is erased.`,
  holdGrounds: {
    dispute: 'for a dispute',
    authority: 'at the request of an authority',
    restriction: 'at the request of the person concerned',
  },
  held: ({ why, until }) =>
    `When this bundle was made, the recording was to be kept beyond that ${why}: up to and including ${until}, unless this is lifted sooner.`,
  checkTitle: 'How to check it',
  check: ({ kid }) =>
    `The bundle is signed with the key whose id is \`${kid}\`. Nothing in the bundle shows that this key is the company's: anybody can make one with a key of their own. So ask the company, in some other way, for the id that it publishes, and compare. With Préavis: \`preavis evidence verify FILE.zip --key ID\`.`,
  byHand:
    'Without Préavis, with unzip, OpenSSL 3, sha256sum, jq and bash: copy the commands of each step into one terminal, in this order. Each line of a result must begin with OK; one that begins with NOT tells what does not fit. The same commands are in the documentation of Préavis (docs/evidence.md): whoever forges a bundle can forge this page, too.',
  steps: {
    unpack:
      'Unpack, in an empty place. Put into the first two lines the name of the ZIP file and the id that is published.',
    key: 'Whose key it is: its id is computed from `public-key.pem` (RFC 7638). If it is not the one that the company publishes, all that follows shows only that somebody has signed.',
    list: 'The list is signed, and each file is as it says. `sha256sum -c` sees no file that was added: the last command compares the names.',
    signed:
      'The signed manifest and vCon (JWS, RFC 7515): the signature is over the first two parts, with the point between them. It is verified with the key of step 2, not with the one that it carries. The manifest names the hash of each file.',
    receipt:
      'The receipt: whether the recording and the sounds are those that it names, and by it each sentence was heard before the recording began and nobody refused.',
    chain:
      'The history: each link is the SHA-256 of the link before it and of the digest of the line. The hash of the recording is in it. It takes a minute for 10,000 lines.',
    stamp:
      "The time stamp (RFC 3161): take the authority's root certificate from its site or the trusted list of the Union, not from here.",
  },
  history: ({ rows, unchained }) =>
    `\`audit.json\` has the history of the recording in ${rows} lines, each linked to the one before it in the whole log: a line that was changed would break the chain. Yet whoever holds the key could leave one out without breaking it, such as that a copy was handed out; an earlier bundle would show it.${unchained === 0 ? '' : ` ${unchained} of these lines are from before the chain, which does not protect them.`}`,
  stamped:
    '`timestamp.tsr` is a time stamp over the manifest. This page was made before it and does not say whose it is: the last step shows it.',
  notStamped: (madeAt) => `No third party has attested when this bundle was made: ${madeAt} is what its maker says.`,
  limitsTitle: 'What this bundle does not prove',
  limits:
    "It does not say who spoke, nor that the caller listened to the notice or understood it. It shows what the company's exchange has written down; whoever holds the key and the exchange could have written down something else at the time of the call. The signature shows that nothing was changed since it was made, and the chain that the lines follow one another, not that none is missing. Whether the recording was allowed is for the court to decide.",
};
