/**
 * Which languages the start of a telephone number suggests: E.164 digits without `+`, the longest entry wins, languages
 * in the order in which to speak them. An empty list: the number is known and says nothing.
 * Zones of Belgium and Switzerland were compared with the area names of libphonenumber; which language a zone speaks is
 * common knowledge. Where a zone has two languages, both are listed, the more frequent one first.
 */
const nothing: readonly string[] = [];
const de = ['de'];
const en = ['en'];
const fr = ['fr'];
const nl = ['nl'];
const it = ['it'];

/** Fixed lines in Belgium only (eight national digits); mobile numbers, with nine, say nothing. */
const belgianZones: Readonly<Record<string, readonly string[]>> = {
  // Brussels: also parts of Flemish and Walloon Brabant.
  '322': ['fr', 'nl'],
  '323': nl, // Antwerp
  '324': fr, // Liège
  '329': nl, // Ghent
  '3210': fr, // Wavre
  '3211': nl, // Hasselt
  '3212': nl, // Tongeren
  '3213': nl, // Diest
  '3214': nl, // Herentals
  '3215': nl, // Mechelen
  '3216': nl, // Leuven
  '3219': fr, // Waremme
  '3250': nl, // Bruges
  '3251': nl, // Roeselare
  '3252': nl, // Dendermonde
  '3253': nl, // Aalst
  '3254': nl, // Ninove
  '3255': nl, // Ronse
  '3256': ['nl', 'fr'], // Kortrijk, and Mouscron and Comines
  '3257': nl, // Ypres
  '3258': nl, // Veurne
  '3259': nl, // Ostend
  '3260': fr, // Chimay
  '3261': fr, // Libramont
  '3263': fr, // Arlon
  '3264': fr, // La Louvière
  '3265': fr, // Mons
  '3267': fr, // Nivelles
  '3268': fr, // Ath
  '3269': fr, // Tournai
  '3271': fr, // Charleroi
  '3280': ['fr', 'de'], // Stavelot, and St. Vith, Amel and Bütgenbach
  '3281': fr, // Namur
  '3282': fr, // Dinant
  '3283': fr, // Ciney
  '3284': fr, // Marche
  '3285': fr, // Huy
  '3286': fr, // Durbuy
  '3287': ['fr', 'de'], // Verviers, and Eupen, Kelmis and Raeren
  '3289': nl, // Genk
  // Not places, though they begin like Stavelot and Ghent.
  '32800': nothing,
  '3290': nothing,
};

/** Area codes of Quebec; the rest of Canada is in `canada`, because its area codes have no prefix in common. */
const quebec = ['1263', '1354', '1367', '1418', '1438', '1450', '1468', '1514', '1579', '1581', '1819', '1873'];

/** Canada outside Quebec. */
export const canada: readonly string[] = ['en', 'fr'];

/** Countries, and zones of them. */
const byLanguages: readonly (readonly [languages: readonly string[], prefixes: string])[] = [
  // Switzerland: mobiles and company-wide numbers (051, 058) are of the country, not of a zone.
  [['de', 'fr'], '41'],
  [fr, '4121 4122 4124'], // Lausanne, Geneva, Yverdon
  [['fr', 'de'], '4126 4127 4132'], // Fribourg; Valais; Neuchâtel, Jura and Biel
  [de, '4131 4133 4134 4141 4143 4144 4152 4155 4156 4161 4162 4171 4181'],
  [it, '4191'], // Ticino
  [it, '39'],
  [['it', 'fr'], '390165'], // Aosta
  [['de', 'it'], '390471 390472 390473 390474'], // South Tyrol
  [fr, '33 377 212 213 216 221 225 237 242 243 257 262 508 590 594 596 687 689'],
  [['fr', 'de'], '352'],
  [['fr', 'en'], '250'],
  [nl, '31 297 597 599'],
  [de, '49 43 423'],
  [en, '1 44 353 350 356'],
  [['es'], '34'],
  [['es', 'fr'], '376'],
  [it, '378 379'],
  [['pt', 'en'], '351'],
  [['el', 'en'], '30 357'],
  [['is', 'en'], '354'],
  [['sq', 'en'], '355 383'],
  [['fi', 'en'], '358'],
  [['bg', 'en'], '359'],
  [['hu', 'en'], '36'],
  [['lt', 'en'], '370'],
  [['lv', 'en'], '371'],
  [['et', 'en'], '372'],
  [['ro', 'en'], '373 40'],
  [['ru', 'en'], '375 7'],
  [['uk', 'en'], '380'],
  [['sr', 'en'], '381 382'],
  [['hr', 'en'], '385'],
  [['sl', 'en'], '386'],
  [['bs', 'en'], '387'],
  [['mk', 'en'], '389'],
  [['cs', 'en'], '420'],
  [['sk', 'en'], '421'],
  [['da', 'en'], '45'],
  [['sv', 'en'], '46'],
  [['nb', 'en'], '47'],
  [['pl', 'en'], '48'],
  [['tr', 'en'], '90'],
  [['fo', 'en'], '298'],
];

export const numberLanguages: ReadonlyMap<string, readonly string[]> = new Map([
  ...byLanguages.flatMap(([languages, codes]) => codes.split(' ').map((code) => [code, languages] as const)),
  ...quebec.map((code) => [code, fr] as const),
  ...Object.entries(belgianZones),
]);

/** Digits of the longest entry. */
export const longestPrefix = Math.max(...[...numberLanguages.keys()].map((prefix) => prefix.length));
