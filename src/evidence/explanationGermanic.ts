import { checkCommands, type ExplanationWords } from './explanationWords.ts';

/** What the page of explanation says in Dutch and German. */

export const dutch: ExplanationWords = {
  title: 'Wat dit dossier aantoont',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `Dit dossier gaat over de opname ${recording} van een telefoongesprek${
      company === undefined ? '' : ` dat ${company} ontving`
    }. Het is gemaakt op ${madeAt} door het programma ${madeBy}. Het bevat geen telefoonnummer en geen naam van een beller, behalve wat in de opname zelf wordt gezegd; \`audit.json\` noemt de computeraccounts van wie ermee heeft gewerkt. Alle tijden zijn in universele tijd (UTC); die van het gesprek zijn volgens de klok van de telefooncentrale (Asterisk).`,
  callTitle: 'De opname',
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `Ze begon op ${began} en eindigde op ${ended}. Het bestand \`recording.wav\` duurt ${seconds} s en telt ${bytes} bytes. De SHA-256 ervan, berekend aan het einde van het gesprek, is \`${sha256}\`: was er ook maar één byte gewijzigd, dan was het een andere.`,
  unknownTime: '(tijd onbekend)',
  pauses: (count) =>
    `Terwijl één kant in de wacht staat, wordt niets opgenomen: er was ${count} keer zo'n pauze (tijden in \`receipt.json\`).`,
  flags: (list) => `De automatische controles vermelden: ${list}.`,
  noticeTitle: 'Wat de beller vóór de opname hoorde',
  noticeIntro: 'Vóór de opname liet de centrale de beller in deze volgorde horen:',
  sentence: ({ language, from, to, sha256 }) =>
    `In het ${language}, van ${from} tot ${to}; SHA-256 van het geluid: \`${sha256}\`.`,
  heardWhole: 'De zin is volledig afgespeeld voor een beller die nog aan de lijn was.',
  answeredMeanwhile: 'Het is een vraag; de beller zei ja voordat ze was afgelopen.',
  soundIn: (file) => `Het afgespeelde geluid: \`${file}\`.`,
  soundMissing: 'Het afgespeelde geluid bestaat niet meer zoals het was; er is geen ander voor in de plaats gezet.',
  gap: (seconds) =>
    `De opname begon ${seconds} s na het einde van deze mededeling; niets van wat daarvoor is gezegd, is opgenomen.`,
  gapUnknown: 'De centrale gaf niet de exacte tijd waarop de opname begon.',
  witness: {
    agrees:
      'Een tweede logboek van de centrale, dat apart wordt bijgehouden, bevestigt dat de mededeling is afgespeeld.',
    disagrees: 'Let op: een tweede logboek van de centrale, dat apart wordt bijgehouden, klopt niet met deze tijden.',
    missing: 'Let op: het tweede logboek van de centrale bevat geen regel over deze mededeling.',
    unavailable: 'Voor dit gesprek is er geen tweede logboek van de centrale.',
  },
  consentTitle: 'De keuze van de beller',
  announced: 'De beller is ingelicht; er is niet om een keuze met een toets gevraagd.',
  couldRefuse: 'De beller kon weigeren door op een toets te drukken. Dat is niet gebeurd.',
  saidYes: ({ key, at }) => `Aan de beller is het gevraagd, en die zei ja door op toets ${key} te drukken, op ${at}.`,
  purposeTitle: 'Waarom, en tot wanneer',
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, in de woorden van het bedrijf: ${why} Rechtsgrond, volgens het bedrijf: ${basis}. Bewaard gedurende ${days} dagen, tot ${until}.`,
  policy: (version) =>
    `Deze regels golden tijdens het gesprek (versie ${version}, \`policy.json\`). Na het einde van het laatste doel wordt de opname gewist.`,
  holdGrounds: {
    dispute: 'wegens een geschil',
    authority: 'op verzoek van een overheid',
    restriction: 'op verzoek van de betrokkene',
  },
  held: ({ why, until }) =>
    `Toen dit dossier werd gemaakt, moest de opname ${why} langer worden bewaard: tot en met ${until}, tenzij dat eerder wordt opgeheven.`,
  checkTitle: 'Hoe u dit controleert',
  check: ({ kid, rows, unchained }) =>
    `Het dossier is ondertekend. De sleutel heeft het kenmerk \`${kid}\`: vraag het bedrijf langs een andere weg naar het kenmerk dat het publiceert, en vergelijk. Daarna, in het uitgepakte dossier (het laatste commando neemt het ZIP-bestand):\n\n${checkCommands}\n\n\`audit.json\` bevat de geschiedenis van de opname in ${rows} regels, elk verbonden met de vorige van het hele logboek: een gewijzigde of weggenomen regel zou de keten breken.${unchained === 0 ? '' : ` ${unchained} van deze regels dateren van vóór de keten en worden er niet door beschermd.`} Als \`timestamp.tsr\` aanwezig is, bevestigt een derde dat het dossier op een bepaald tijdstip bestond.`,
  limitsTitle: 'Wat dit dossier niet bewijst',
  limits:
    'Het zegt niet wie er sprak, en ook niet dat de beller naar de mededeling luisterde of ze begreep. Het toont wat de centrale van het bedrijf heeft vastgelegd; wie de sleutel en de centrale heeft, had tijdens het gesprek iets anders kunnen vastleggen. De handtekening toont dat er sindsdien niets is gewijzigd, en de keten dat de regels op elkaar volgen. Of de opname toegestaan was, beslist de rechter.',
};

export const german: ExplanationWords = {
  title: 'Was diese Akte zeigt',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `Diese Akte betrifft die Aufzeichnung ${recording} eines Telefongesprächs${
      company === undefined ? '' : `, das bei ${company} einging`
    }. Sie wurde am ${madeAt} vom Programm ${madeBy} erstellt. Sie enthält keine Telefonnummer und keinen Namen eines Anrufers, außer dem, was in der Aufzeichnung selbst gesagt wird; \`audit.json\` nennt die Computerkonten derer, die damit umgegangen sind. Alle Zeiten sind in Weltzeit (UTC), die des Gesprächs nach der Uhr der Telefonanlage (Asterisk).`,
  callTitle: 'Die Aufzeichnung',
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `Sie begann am ${began} und endete am ${ended}. Die Datei \`recording.wav\` dauert ${seconds} s und hat ${bytes} Bytes. Ihr SHA-256, am Ende des Gesprächs berechnet, ist \`${sha256}\`: Wäre ein einziges Byte geändert, wäre er ein anderer.`,
  unknownTime: '(Zeit nicht bekannt)',
  pauses: (count) =>
    `Während eine Seite gehalten wird, wird nichts aufgezeichnet: Es gab ${count} solche Pause(n) (Zeiten in \`receipt.json\`).`,
  flags: (list) => `Die automatischen Prüfungen vermerken: ${list}.`,
  noticeTitle: 'Was der Anrufer vor der Aufzeichnung hörte',
  noticeIntro: 'Vor der Aufzeichnung spielte die Anlage dem Anrufer in dieser Reihenfolge vor:',
  sentence: ({ language, from, to, sha256 }) =>
    `Auf ${language}, von ${from} bis ${to}; SHA-256 des Tons: \`${sha256}\`.`,
  heardWhole: 'Der Satz wurde bis zum Ende gespielt, und der Anrufer war noch in der Leitung.',
  answeredMeanwhile: 'Es ist eine Frage; der Anrufer sagte Ja, bevor sie zu Ende war.',
  soundIn: (file) => `Der gespielte Ton: \`${file}\`.`,
  soundMissing:
    'Der gespielte Ton ist nicht mehr so vorhanden, wie er war; kein anderer wurde an seine Stelle gesetzt.',
  gap: (seconds) =>
    `Die Aufzeichnung begann ${seconds} s nach dem Ende dieses Hinweises; nichts von dem, was vorher gesagt wurde, ist aufgezeichnet.`,
  gapUnknown: 'Die Anlage hat die genaue Zeit des Beginns der Aufzeichnung nicht genannt.',
  witness: {
    agrees: 'Ein zweites, getrennt geführtes Protokoll der Anlage bestätigt, dass der Hinweis gespielt wurde.',
    disagrees: 'Achtung: Ein zweites, getrennt geführtes Protokoll der Anlage stimmt mit diesen Zeiten nicht überein.',
    missing: 'Achtung: Das zweite Protokoll der Anlage hat keine Zeile zu diesem Hinweis.',
    unavailable: 'Für dieses Gespräch gibt es kein zweites Protokoll der Anlage.',
  },
  consentTitle: 'Die Wahl des Anrufers',
  announced: 'Der Anrufer wurde informiert; eine Wahl per Taste wurde nicht verlangt.',
  couldRefuse: 'Der Anrufer konnte per Tastendruck ablehnen. Er hat es nicht getan.',
  saidYes: ({ key, at }) => `Der Anrufer wurde gefragt und sagte am ${at} mit der Taste ${key} Ja.`,
  purposeTitle: 'Warum, und bis wann',
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, in den Worten des Unternehmens: ${why} Rechtsgrundlage nach Angabe des Unternehmens: ${basis}. Aufbewahrung: ${days} Tage, bis ${until}.`,
  policy: (version) =>
    `Diese Regeln galten beim Gespräch (Fassung ${version}, \`policy.json\`). Mit dem Ende des letzten Zwecks wird die Aufzeichnung gelöscht.`,
  holdGrounds: {
    dispute: 'wegen eines Streitfalls',
    authority: 'auf Verlangen einer Behörde',
    restriction: 'auf Wunsch der betroffenen Person',
  },
  held: ({ why, until }) =>
    `Als diese Akte erstellt wurde, war die Aufzeichnung ${why} darüber hinaus aufzubewahren: bis einschließlich ${until}, sofern das nicht früher aufgehoben wird.`,
  checkTitle: 'Wie man es prüft',
  check: ({ kid, rows, unchained }) =>
    `Die Akte ist signiert. Der Schlüssel hat die Kennung \`${kid}\`: Fragen Sie das Unternehmen auf anderem Weg nach der Kennung, die es veröffentlicht, und vergleichen Sie. Dann in der entpackten Akte (der letzte Befehl nimmt die ZIP-Datei):\n\n${checkCommands}\n\n\`audit.json\` enthält die Geschichte der Aufzeichnung in ${rows} Zeilen, jede mit der vorigen des ganzen Protokolls verkettet: Eine geänderte oder entfernte Zeile würde die Kette brechen.${unchained === 0 ? '' : ` ${unchained} dieser Zeilen sind älter als die Kette und durch sie nicht geschützt.`} Wenn \`timestamp.tsr\` vorhanden ist, bezeugt ein Dritter, dass die Akte zu einer bestimmten Zeit bestand.`,
  limitsTitle: 'Was diese Akte nicht beweist',
  limits:
    'Sie sagt nicht, wer gesprochen hat, und nicht, dass der Anrufer dem Hinweis zugehört oder ihn verstanden hat. Sie zeigt, was die Anlage des Unternehmens festgehalten hat; wer den Schlüssel und die Anlage hat, hätte beim Gespräch etwas anderes festhalten können. Die Signatur zeigt, dass seither nichts geändert wurde, und die Kette, dass die Zeilen aufeinander folgen. Ob die Aufzeichnung erlaubt war, entscheidet das Gericht.',
};
