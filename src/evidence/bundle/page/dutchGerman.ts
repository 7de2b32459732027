import type { ExplanationWords } from './words.ts';

/** What the page of explanation says in Dutch and German. */

export const dutch: ExplanationWords = {
  title: 'Wat dit dossier aantoont',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `Dit dossier gaat over de opname ${recording} van een telefoongesprek${
      company === undefined ? '' : ` dat ${company} ontving`
    }. Het is gemaakt op ${madeAt} door het programma ${madeBy}. Het bevat geen telefoonnummer en geen naam van een beller, behalve wat in de opname zelf wordt gezegd; \`audit.json\` noemt de computeraccounts van wie ermee heeft gewerkt. Alle tijden zijn in universele tijd (UTC); die van het gesprek zijn volgens de klok van de telefooncentrale (Asterisk).`,
  glance: {
    recording: 'Opname',
    began: 'Begin',
    ended: 'Einde',
    lasts: 'Duur van het bestand',
    after: 'Na de mededeling',
    choice: 'Keuze van de beller',
    stamp: 'Tijdstempel',
    key: 'Kenmerk van de sleutel',
    notStated: 'niet vermeld',
  },
  choices: {
    announced: 'ingelicht, niet gevraagd',
    couldRefuse: 'kon weigeren, deed het niet',
    unheard: 'kon weigeren; of dat is gebeurd, is niet bekend',
    saidYes: 'gevraagd, zei ja',
  },
  stamps: { yes: 'aanwezig, te controleren', no: 'geen' },
  figure: {
    noticeTrack: 'De mededeling, vóór de opname',
    recordingTrack: 'De opname',
    begins: 'begin van de opname',
    saidYes: 'ja',
    pause: 'pauze',
    silence: 'stil gemaakt',
    caption:
      'De nummers zijn die van de zinnen hieronder. Van de opname toont de figuur hoe luid ze is; waar een pauze ligt, is bij benadering. Elk van beide heeft een eigen tijdschaal.',
    noSound: 'Hoe luid de opname is, is niet bewaard of niet leesbaar.',
  },
  otherPages: 'Andere talen',
  acknowledged: 'Na het ja zei de centrale:',
  alsoSaid: 'De centrale zei ook, naast de mededeling:',
  cutShort: ({ heard, length }) => `(afgebroken na ${heard} s van ${length} s)`,
  apart: ({ wall, file, missing }) =>
    `Van begin tot einde verliepen ${wall} s; het bestand duurt ${file} s. Er ontbreken ${missing} s:`,
  pausedFor: ({ from, to }) => `pauze van ${from} tot ${to}, terwijl één kant in de wacht stond`,
  unexplained: (seconds) => `het ontvangstbewijs zegt niet waarom nog ${seconds} s ontbreken`,
  pausedOrMore: (seconds) => `nog ${seconds} s, met de pauze van onbekende duur`,
  meanwhile: 'Ondertussen:',
  silenced: ({ from, to }) =>
    `van ${from} s tot ${to} s van het bestand heeft het programma stilte gezet: het stond niet vast wie er in het gesprek was, en dat ieder van hen de mededeling had gehoord`,
  silencedSomewhere:
    'het programma heeft ergens in het bestand stilte gezet: het stond niet vast wie er in het gesprek was, en dat ieder van hen de mededeling had gehoord',
  joined: (at) => `${at}: iemand anders kwam in het gesprek`,
  transferred: (at) => `${at}: iemand anders nam de plaats van een van beide kanten in`,
  unheard: ({ from, to }) => `van ${from} tot ${to ?? 'het einde'} kan het geluid van één kant ontbreken`,
  callTitle: 'De opname',
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `Ze begon op ${began} en eindigde op ${ended}. Het bestand \`recording.wav\` duurt ${seconds} s en telt ${bytes} bytes. De SHA-256 ervan is \`${sha256}\`: was er ook maar één byte gewijzigd, dan was het een andere.`,
  unknownTime: '(tijd onbekend)',
  pauses: (count) => `Terwijl één kant in de wacht staat, wordt niets opgenomen: er was ${count} keer zo'n pauze.`,
  flags: (list) => `De automatische controles vermelden: ${list}.`,
  noticeTitle: 'De mededeling die de beller hoorde',
  noticeIntro: 'De centrale liet de beller in deze volgorde horen:',
  sentence: ({ language, from, to, sha256 }) =>
    `In het ${language}, van ${from} tot ${to}; SHA-256 van het geluid: \`${sha256}\`.`,
  heardWhole: 'De zin is volledig afgespeeld voor een beller die nog aan de lijn was.',
  answeredMeanwhile: 'Het is een vraag; de beller zei ja voordat ze was afgelopen.',
  soundIn: (file) => `Het afgespeelde geluid: \`${file}\`.`,
  soundMissing: 'Het afgespeelde geluid bestaat niet meer zoals het was; er is geen ander voor in de plaats gezet.',
  gap: (seconds) =>
    `De opname begon ${seconds} s na het einde van deze mededeling; niets van wat daarvoor is gezegd, is opgenomen.`,
  gapUnknown:
    'De centrale gaf niet de exacte tijd waarop de opname begon: deze tijden tonen niet dat het na de mededeling was.',
  witness: {
    agrees:
      'Een tweede logboek van de centrale, dat apart wordt bijgehouden, bevestigt dat de mededeling is afgespeeld.',
    disagrees: 'Let op: een tweede logboek van de centrale, dat apart wordt bijgehouden, klopt niet met deze tijden.',
    missing: 'Let op: het tweede logboek van de centrale bevat geen regel over deze mededeling.',
    unavailable: 'Voor dit gesprek is er geen tweede logboek van de centrale.',
    notCompared: 'Met een tweede logboek van de centrale was het nog niet vergeleken.',
  },
  consentTitle: 'De keuze van de beller',
  announced: 'De beller is ingelicht; er is niet om een keuze met een toets gevraagd.',
  couldRefuse: 'De beller kon weigeren door op een toets te drukken. Er is geen weigering gehoord.',
  refusalUnknown:
    'De beller kon weigeren door op een toets te drukken. Een tijdlang zou geen toets zijn gehoord: of de beller toen weigerde, is niet bekend. Daarna bleef de beller aan de lijn en weigerde niet.',
  saidYes: ({ key, at }) => `Aan de beller is het gevraagd, en die zei ja door op toets ${key} te drukken, op ${at}.`,
  purposeTitle: 'Waarom, en tot wanneer',
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, in de woorden van het bedrijf: ${why} Rechtsgrond, volgens het bedrijf: ${basis}. Bewaard gedurende ${days} dagen, tot ${until}.`,
  shortened: (before) => `Dit einde is sindsdien vervroegd; het ontvangstbewijs zegt nog ${before}.`,
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
  check: ({ kid }) =>
    `Het dossier is ondertekend met de sleutel met kenmerk \`${kid}\`. Niets in het dossier toont dat die sleutel van het bedrijf is: iedereen kan er een maken met een eigen sleutel. Vraag het bedrijf dus langs een andere weg naar het kenmerk dat het publiceert, en vergelijk. Met Préavis: \`preavis evidence verify FILE.zip --key ID\`.`,
  byHand:
    'Zonder Préavis, met unzip, OpenSSL 3, sha256sum, jq en bash: kopieer de commando’s van elke stap naar één terminal, in deze volgorde. Elke regel van een resultaat moet met OK beginnen; een regel met NOT zegt wat niet klopt. Dezelfde commando’s staan in de documentatie van Préavis (docs/evidence.md): wie een dossier vervalst, kan ook deze pagina vervalsen.',
  steps: {
    unpack:
      'Uitpakken, op een lege plaats. Zet in de eerste twee regels de naam van het ZIP-bestand en het gepubliceerde kenmerk.',
    key: 'Van wie de sleutel is: het kenmerk wordt berekend uit `public-key.pem` (RFC 7638). Is het niet wat het bedrijf publiceert, dan toont al het volgende alleen dat iemand heeft ondertekend.',
    list: 'De lijst is ondertekend, en elk bestand is zoals zij zegt. `sha256sum -c` ziet geen toegevoegd bestand: het laatste commando vergelijkt de namen.',
    signed:
      'Het ondertekende manifest en de vCon (JWS, RFC 7515): de handtekening staat over de eerste twee delen, met de punt ertussen. Ze wordt gecontroleerd met de sleutel van stap 2, niet met die welke ze zelf bevat. Het manifest noemt de hash van elk bestand.',
    receipt:
      'Het ontvangstbewijs: of de opname en de geluiden die zijn welke het noemt, en of volgens het bewijs elke zin vóór de opname is gehoord en niemand heeft geweigerd.',
    chain:
      'De geschiedenis: elke schakel is de SHA-256 van de vorige schakel en van de hash van de regel. De hash van de opname staat erin. Reken een minuut voor 10.000 regels.',
    stamp:
      'De tijdstempel (RFC 3161): haal het rootcertificaat van de autoriteit van haar site of van de vertrouwenslijst van de Unie, niet hier.',
  },
  history: ({ rows, unchained }) =>
    `\`audit.json\` bevat de geschiedenis van de opname in ${rows} regels, elk verbonden met de vorige van het hele logboek: een gewijzigde regel zou de keten breken. Wie de sleutel heeft, zou er echter een kunnen weglaten zonder haar te breken, bijvoorbeeld dat een kopie is afgegeven; een eerder dossier zou dat tonen.${unchained === 0 ? '' : ` ${unchained} van deze regels dateren van vóór de keten en worden er niet door beschermd.`}`,
  stamped:
    '`timestamp.tsr` is een tijdstempel over het manifest. Deze pagina is eerder gemaakt en zegt niet van wie hij is: dat toont de laatste stap.',
  notStamped: (madeAt) => `Geen derde heeft bevestigd wanneer dit dossier is gemaakt: ${madeAt} is wat de maker zegt.`,
  limitsTitle: 'Wat dit dossier niet bewijst',
  limits:
    'Het zegt niet wie er sprak, en ook niet dat de beller naar de mededeling luisterde of ze begreep. Het toont wat de centrale van het bedrijf heeft vastgelegd; wie de sleutel en de centrale heeft, had tijdens het gesprek iets anders kunnen vastleggen. De handtekening toont dat er sindsdien niets is gewijzigd, en de keten dat de regels op elkaar volgen, niet dat er geen ontbreekt. Of de opname toegestaan was, beslist de rechter.',
};

export const german: ExplanationWords = {
  title: 'Was diese Akte zeigt',
  intro: ({ recording, company, madeAt, madeBy }) =>
    `Diese Akte betrifft die Aufzeichnung ${recording} eines Telefongesprächs${
      company === undefined ? '' : `, das bei ${company} einging`
    }. Sie wurde am ${madeAt} vom Programm ${madeBy} erstellt. Sie enthält keine Telefonnummer und keinen Namen eines Anrufers, außer dem, was in der Aufzeichnung selbst gesagt wird; \`audit.json\` nennt die Computerkonten derer, die damit umgegangen sind. Alle Zeiten sind in Weltzeit (UTC), die des Gesprächs nach der Uhr der Telefonanlage (Asterisk).`,
  glance: {
    recording: 'Aufzeichnung',
    began: 'Beginn',
    ended: 'Ende',
    lasts: 'Dauer der Datei',
    after: 'Nach dem Hinweis',
    choice: 'Wahl des Anrufers',
    stamp: 'Zeitstempel',
    key: 'Kennung des Schlüssels',
    notStated: 'nicht angegeben',
  },
  choices: {
    announced: 'informiert, nicht gefragt',
    couldRefuse: 'konnte ablehnen, tat es nicht',
    unheard: 'konnte ablehnen; ob es geschah, ist nicht bekannt',
    saidYes: 'gefragt, sagte Ja',
  },
  stamps: { yes: 'vorhanden, zu prüfen', no: 'keiner' },
  figure: {
    noticeTrack: 'Der Hinweis, vor der Aufzeichnung',
    recordingTrack: 'Die Aufzeichnung',
    begins: 'Beginn der Aufzeichnung',
    saidYes: 'Ja',
    pause: 'Pause',
    silence: 'stumm gemacht',
    caption:
      'Die Nummern sind die der Sätze weiter unten. Von der Aufzeichnung zeigt das Bild, wie laut sie ist; wo eine Pause darin liegt, ist ungefähr. Jedes der beiden hat einen eigenen Zeitmaßstab.',
    noSound: 'Wie laut die Aufzeichnung ist, wurde nicht aufbewahrt oder ist nicht lesbar.',
  },
  otherPages: 'Andere Sprachen',
  acknowledged: 'Nach dem Ja sagte die Anlage:',
  alsoSaid: 'Die Anlage sagte außer dem Hinweis auch:',
  cutShort: ({ heard, length }) => `(nach ${heard} s von ${length} s abgebrochen)`,
  apart: ({ wall, file, missing }) =>
    `Vom Beginn bis zum Ende vergingen ${wall} s; die Datei dauert ${file} s. Es fehlen ${missing} s:`,
  pausedFor: ({ from, to }) => `Pause von ${from} bis ${to}, während eine Seite gehalten wurde`,
  unexplained: (seconds) => `der Beleg sagt nicht, warum weitere ${seconds} s fehlen`,
  pausedOrMore: (seconds) => `weitere ${seconds} s, mit der Pause von unbekannter Dauer`,
  meanwhile: 'Währenddessen:',
  silenced: ({ from, to }) =>
    `von ${from} s bis ${to} s der Datei hat das Programm Stille gesetzt: Es stand nicht fest, wer im Gespräch war und dass jeder den Hinweis gehört hatte`,
  silencedSomewhere:
    'das Programm hat an einer Stelle der Datei Stille gesetzt: Es stand nicht fest, wer im Gespräch war und dass jeder den Hinweis gehört hatte',
  joined: (at) => `${at}: jemand anderes kam in das Gespräch`,
  transferred: (at) => `${at}: jemand anderes nahm den Platz einer der beiden Seiten ein`,
  unheard: ({ from, to }) => `von ${from} bis ${to ?? 'zum Ende'} kann der Ton einer Seite fehlen`,
  callTitle: 'Die Aufzeichnung',
  call: ({ began, ended, seconds, bytes, sha256 }) =>
    `Sie begann am ${began} und endete am ${ended}. Die Datei \`recording.wav\` dauert ${seconds} s und hat ${bytes} Bytes. Ihr SHA-256 ist \`${sha256}\`: Wäre ein einziges Byte geändert, wäre er ein anderer.`,
  unknownTime: '(Zeit nicht bekannt)',
  pauses: (count) => `Während eine Seite gehalten wird, wird nichts aufgezeichnet: Es gab ${count} solche Pause(n).`,
  flags: (list) => `Die automatischen Prüfungen vermerken: ${list}.`,
  noticeTitle: 'Der Hinweis, den der Anrufer hörte',
  noticeIntro: 'Die Anlage spielte dem Anrufer in dieser Reihenfolge vor:',
  sentence: ({ language, from, to, sha256 }) =>
    `Auf ${language}, von ${from} bis ${to}; SHA-256 des Tons: \`${sha256}\`.`,
  heardWhole: 'Der Satz wurde bis zum Ende gespielt, und der Anrufer war noch in der Leitung.',
  answeredMeanwhile: 'Es ist eine Frage; der Anrufer sagte Ja, bevor sie zu Ende war.',
  soundIn: (file) => `Der gespielte Ton: \`${file}\`.`,
  soundMissing:
    'Der gespielte Ton ist nicht mehr so vorhanden, wie er war; kein anderer wurde an seine Stelle gesetzt.',
  gap: (seconds) =>
    `Die Aufzeichnung begann ${seconds} s nach dem Ende dieses Hinweises; nichts von dem, was vorher gesagt wurde, ist aufgezeichnet.`,
  gapUnknown:
    'Die Anlage hat die genaue Zeit des Beginns der Aufzeichnung nicht genannt: Diese Zeiten zeigen nicht, dass er nach dem Hinweis lag.',
  witness: {
    agrees: 'Ein zweites, getrennt geführtes Protokoll der Anlage bestätigt, dass der Hinweis gespielt wurde.',
    disagrees: 'Achtung: Ein zweites, getrennt geführtes Protokoll der Anlage stimmt mit diesen Zeiten nicht überein.',
    missing: 'Achtung: Das zweite Protokoll der Anlage hat keine Zeile zu diesem Hinweis.',
    unavailable: 'Für dieses Gespräch gibt es kein zweites Protokoll der Anlage.',
    notCompared: 'Mit einem zweiten Protokoll der Anlage war es noch nicht verglichen.',
  },
  consentTitle: 'Die Wahl des Anrufers',
  announced: 'Der Anrufer wurde informiert; eine Wahl per Taste wurde nicht verlangt.',
  couldRefuse: 'Der Anrufer konnte per Tastendruck ablehnen. Eine Ablehnung wurde nicht gehört.',
  refusalUnknown:
    'Der Anrufer konnte per Tastendruck ablehnen. Eine Zeit lang wäre keine Taste gehört worden: Ob er da ablehnte, ist nicht bekannt. Danach blieb er in der Leitung und lehnte nicht ab.',
  saidYes: ({ key, at }) => `Der Anrufer wurde gefragt und sagte am ${at} mit der Taste ${key} Ja.`,
  purposeTitle: 'Warum, und bis wann',
  purpose: ({ purpose, why, basis, days, until }) =>
    `${purpose}, in den Worten des Unternehmens: ${why} Rechtsgrundlage nach Angabe des Unternehmens: ${basis}. Aufbewahrung: ${days} Tage, bis ${until}.`,
  shortened: (before) => `Dieses Ende wurde seither vorgezogen; der Beleg nennt noch ${before}.`,
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
  check: ({ kid }) =>
    `Die Akte ist mit dem Schlüssel signiert, dessen Kennung \`${kid}\` ist. Nichts in der Akte zeigt, dass dieser Schlüssel dem Unternehmen gehört: Jeder kann eine mit einem eigenen Schlüssel erstellen. Fragen Sie das Unternehmen daher auf anderem Weg nach der Kennung, die es veröffentlicht, und vergleichen Sie. Mit Préavis: \`preavis evidence verify FILE.zip --key ID\`.`,
  byHand:
    'Ohne Préavis, mit unzip, OpenSSL 3, sha256sum, jq und bash: Kopieren Sie die Befehle jedes Schritts in ein und dasselbe Terminal, in dieser Reihenfolge. Jede Zeile eines Ergebnisses muss mit OK beginnen; eine mit NOT sagt, was nicht stimmt. Dieselben Befehle stehen in der Dokumentation von Préavis (docs/evidence.md): Wer eine Akte fälscht, kann auch diese Seite fälschen.',
  steps: {
    unpack:
      'Entpacken, an einem leeren Ort. Setzen Sie in die ersten zwei Zeilen den Namen der ZIP-Datei und die veröffentlichte Kennung.',
    key: 'Wessen Schlüssel es ist: Die Kennung wird aus `public-key.pem` berechnet (RFC 7638). Ist sie nicht die, die das Unternehmen veröffentlicht, zeigt alles Folgende nur, dass jemand signiert hat.',
    list: 'Die Liste ist signiert, und jede Datei ist, wie sie sagt. `sha256sum -c` sieht keine hinzugefügte Datei: Der letzte Befehl vergleicht die Namen.',
    signed:
      'Manifest und vCon mit Signatur (JWS, RFC 7515): Die Signatur gilt für die ersten zwei Teile mit dem Punkt dazwischen. Geprüft wird sie mit dem Schlüssel aus Schritt 2, nicht mit dem, den sie enthält. Das Manifest nennt den Hashwert jeder Datei.',
    receipt:
      'Der Beleg: ob Aufzeichnung und Töne die sind, die er nennt, und ob nach ihm jeder Satz vor der Aufzeichnung gehört wurde und niemand abgelehnt hat.',
    chain:
      'Die Geschichte: Jedes Glied ist der SHA-256 des vorigen Glieds und des Hashwerts der Zeile. Der Hashwert der Aufzeichnung steht darin. Das dauert eine Minute für 10.000 Zeilen.',
    stamp:
      'Der Zeitstempel (RFC 3161): Nehmen Sie das Wurzelzertifikat der Stelle von ihrer Website oder aus der Vertrauensliste der Union, nicht von hier.',
  },
  history: ({ rows, unchained }) =>
    `\`audit.json\` enthält die Geschichte der Aufzeichnung in ${rows} Zeilen, jede mit der vorigen des ganzen Protokolls verkettet: Eine geänderte Zeile würde die Kette brechen. Wer den Schlüssel hat, könnte jedoch eine weglassen, ohne sie zu brechen, etwa dass eine Kopie herausgegeben wurde; eine frühere Akte würde es zeigen.${unchained === 0 ? '' : ` ${unchained} dieser Zeilen sind älter als die Kette und durch sie nicht geschützt.`}`,
  stamped:
    '`timestamp.tsr` ist ein Zeitstempel über das Manifest. Diese Seite entstand vorher und sagt nicht, von wem er ist: Das zeigt der letzte Schritt.',
  notStamped: (madeAt) =>
    `Kein Dritter hat bestätigt, wann diese Akte erstellt wurde: ${madeAt} ist, was ihr Ersteller sagt.`,
  limitsTitle: 'Was diese Akte nicht beweist',
  limits:
    'Sie sagt nicht, wer gesprochen hat, und nicht, dass der Anrufer dem Hinweis zugehört oder ihn verstanden hat. Sie zeigt, was die Anlage des Unternehmens festgehalten hat; wer den Schlüssel und die Anlage hat, hätte beim Gespräch etwas anderes festhalten können. Die Signatur zeigt, dass seither nichts geändert wurde, und die Kette, dass die Zeilen aufeinander folgen, nicht, dass keine fehlt. Ob die Aufzeichnung erlaubt war, entscheidet das Gericht.',
};
