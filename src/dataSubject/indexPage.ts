import { isNoTransfer } from '../config/controllerSchema.ts';
import type { Config } from '../config/schema.ts';
import { localDate } from '../core/text/localDate.ts';
import { html, Markup, type Part } from '../core/text/markup.ts';
import type { AbsentWhy, Asker, IndexCall, IndexPurpose, IndexRecording, PersonIndex } from './personIndex.ts';
import type { SubjectTexts } from './texts.ts';

/** index.html: what is kept of a person, on one page that needs nothing else and can be printed. */

const style = new Markup(`
  :root { color-scheme: light; }
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 52rem; margin: 0 auto; padding: 2rem 1rem; }
  h1 { font-size: 1.7rem; line-height: 1.2; }
  h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 2px solid #1a1a1a; padding-bottom: .25rem; }
  h3 { font-size: 1.05rem; margin: 0 0 .5rem; }
  dl { display: grid; grid-template-columns: minmax(9rem, 17rem) 1fr; gap: .25rem 1rem; margin: 0; }
  dt { color: #555; overflow-wrap: anywhere; }
  dd { margin: 0; overflow-wrap: anywhere; }
  dd ul { margin: 0; padding-left: 1.1rem; }
  article { border: 1px solid #ccc; border-radius: 4px; padding: 1rem; margin: 1rem 0; break-inside: avoid; }
  article h4 { margin: 1rem 0 .25rem; font-size: 1rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid #ccc; }
  a { color: #0b57d0; }
  code { font-size: .85em; }
  .wanting { font-weight: 600; }
  @media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dt { margin-top: .5rem; } }
  @media print { body { max-width: none; padding: 0; font-size: 11pt; } a { color: inherit; } }
`);

type Erased = Extract<AbsentWhy, { reason: 'erased' }>;

type Words = {
  said: SubjectTexts;
  /** A day and time in the zone of the index, and in UTC. */
  time: (iso: string) => string;
  language: (tag: string) => string;
};

function wordsOf({ timezone }: PersonIndex, said: SubjectTexts): Words {
  const names = new Intl.DisplayNames(said.locale, { type: 'language' });

  return {
    said,
    time: (iso) => localDate(iso, { locale: said.locale, timezone }),
    language: (tag) => names.of(tag.replace('_', '-')) ?? tag,
  };
}

const row = (name: string, value: Part): Markup =>
  html`<dt>${name}</dt>
    <dd>${value}</dd> `;

const list = (items: readonly string[], none: string): Part =>
  items.length === 0
    ? none
    : html`<ul>
        ${items.map((item) => html`<li>${item}</li> `)}
      </ul>`;

function purposesSection(index: PersonIndex, { said }: Words): Part {
  const found = new Map<string, IndexPurpose>();
  // What differs is told apart: a purpose may have been worded anew between two calls.
  for (const purpose of index.calls.flatMap(({ purposes }) => purposes)) {
    found.set(JSON.stringify([purpose.id, purpose.justification, purpose.legalBasis]), purpose);
  }
  if (found.size === 0) return '';
  const { heading, ownWords, purpose, why, basis } = said.purposes;

  return html`<h2>${heading}</h2>
    <p>${ownWords}</p>
    <table>
      <thead>
        <tr>
          <th scope="col">${purpose}</th>
          <th scope="col">${why}</th>
          <th scope="col">${basis}</th>
        </tr>
      </thead>
      <tbody>
        ${[...found.values()].map(
          (each) =>
            html`<tr>
              <th scope="row">${each.name}</th>
              <td>${each.justification ?? said.notStated}</td>
              <td>${each.legalBasis ?? said.notStated}</td>
            </tr> `,
        )}
      </tbody>
    </table>`;
}

function erasedText({ at, certificate }: Erased, { said, time }: Pick<Words, 'said' | 'time'>): string {
  if (at === null) return certificate === null ? said.erased : said.erasedCertified({ certificate });

  return certificate === null
    ? said.erasedOn({ time: time(at) })
    : said.erasedOnCertified({ time: time(at), certificate });
}

function absentPart({ file }: IndexRecording, { said, time }: Words): Part {
  if (file.kind === 'included') return '';
  const { why } = file;
  const sentence = why.reason === 'erased' ? erasedText(why, { said, time }) : said.absent[why.reason];

  return html`<p class="wanting">${sentence}</p>`;
}

/** Of who answered: a caller gets none. */
function ratingRow({ rating }: IndexRecording, { said: { recording: said }, time }: Words): Part {
  if (rating === null) return '';
  const { score, at, criteria } = rating;

  return row(said.rating, [
    said.ratingOf({ score, time: time(at) }),
    list(
      criteria.map(({ label, value, points }) => said.criterion({ label, value, points })),
      '',
    ),
  ]);
}

function recordingPart(recording: IndexRecording, purposes: readonly IndexPurpose[], words: Words): Part {
  const { said, time } = words;
  const {
    heading,
    length,
    fingerprint,
    keptUntil,
    until,
    holds,
    hold,
    tags,
    comments,
    commentAt,
    listened,
    nobody,
    access,
    accessFor,
  } = said.recording;
  const { file, durationMs } = recording;
  const kept = purposes.flatMap((each) =>
    each.keepUntil === null ? [] : [until({ purpose: each.name, time: time(each.keepUntil) })],
  );
  const held = recording.holds.map(({ ground, from, until: end }) => {
    const when = { from: time(from), until: time(end) };

    return ground === null ? said.employee.hold(when) : hold({ why: said.holds[ground], ...when });
  });
  const written = recording.comments.map(({ atMs, text }) =>
    atMs === null ? text : commentAt({ second: Math.round(atMs / 1_000), text }),
  );
  const nameOf = (id: string | null): string | null => purposes.find((each) => each.id === id)?.name ?? id;
  const handed = recording.listened.map(({ what, at, purpose: id }) => {
    const purpose = nameOf(id);
    const how = { what: said.access[what], time: time(at) };

    return purpose === null ? access(how) : accessFor({ ...how, purpose });
  });

  return html`<h4>${heading}</h4>
    ${absentPart(recording, words)}
    <dl>
      ${
        file.kind === 'included'
          ? row('WAV', [
              html`<a href="${file.file}">${file.file}</a>`,
              durationMs === null ? '' : `, ${length(Math.round(durationMs / 1_000))}`,
            ])
          : ''
      }
      ${file.kind === 'included' ? row(fingerprint, html`<code>${file.sha256}</code>`) : ''}
      ${kept.length === 0 ? '' : row(keptUntil, list(kept, ''))} ${held.length === 0 ? '' : row(holds, list(held, ''))}
      ${recording.tags.length === 0 ? '' : row(tags, recording.tags.join(', '))} ${ratingRow(recording, words)}
      ${written.length === 0 ? '' : row(comments, list(written, ''))} ${row(listened, list(handed, nobody))}
    </dl>`;
}

function resultOf({ result, endedAt }: IndexCall, said: SubjectTexts): string {
  if (result === null) return endedAt === null ? said.goingOn : said.notStated;

  return Object.hasOwn(said.results, result) ? said.results[result as keyof SubjectTexts['results']] : result;
}

const timeOr = (iso: string | null, { said, time }: Pick<Words, 'said' | 'time'>): string =>
  iso === null ? said.notStated : time(iso);

/** What was to be said is no proof that it was heard: who answered it has heard enough of it. */
function toldOf(call: IndexCall, { said, time }: Pick<Words, 'said' | 'time'>): string {
  const { consent, told, earlierNotice, endedAt, result } = call;
  if (consent === null) return '';
  const { mode, answer } = consent;
  const isOver = result !== null || endedAt !== null;
  if (told !== true && answer === 'none' && mode !== null) return isOver ? said.untold : '';

  return [
    ...(mode === null ? [] : [said.modes[mode]]),
    ...(answer === 'none' ? [] : [said.answers[answer]]),
    ...(earlierNotice === null ? [] : [said.earlier({ time: timeOr(earlierNotice.at, { said, time }) })]),
  ].join(' ');
}

/** An employee gets none: it says what the other person heard and answered. */
function receiptRow({ receipt }: IndexCall, asker: Asker, { said }: Words): Part {
  if (asker === 'employee') return '';

  return row(
    said.calls.receipt,
    receipt === null ? said.calls.receiptMissing : html`<a href="${receipt}">${receipt}</a>`,
  );
}

function callPart(call: IndexCall, asker: Asker, words: Words): Part {
  const { said, time, language } = words;
  const { line, dialled, languages, result, told, purposes } = said.calls;
  const asked = toldOf(call, words);
  const names = call.purposes.map(({ name }) => name).join(', ');

  return html`<article>
    <h3>${said.calls.call} ${time(call.startedAt)}</h3>
    <dl>
      ${row(result, resultOf(call, said))} ${call.lineName === null ? '' : row(line, call.lineName)}
      ${call.dialled === null ? '' : row(dialled, call.dialled)}
      ${call.languages.length === 0 ? '' : row(languages, call.languages.map(language).join(', '))}
      ${asked === '' ? '' : row(told, asked)} ${names === '' ? '' : row(purposes, names)}
      ${receiptRow(call, asker, words)}
    </dl>
    ${call.recording === null ? '' : recordingPart(call.recording, call.purposes, words)}
  </article> `;
}

const periodOf = ({ from, to }: { from: string; to: string }, { time }: Words) => ({
  from: time(from),
  until: time(to),
});

function personRows(
  { asker, number, extension, direct, rememberedLanguage }: PersonIndex,
  { said, language, time }: Words,
): Part {
  const { person, employee, calls, notStated } = said;
  const dialled = (direct?.calls ?? []).map(({ startedAt }) => time(startedAt));

  return asker === 'employee'
    ? html`${row(employee.extension, extension ?? notStated)} ${row(calls.told, employee.toldBy)}
      ${direct === null ? '' : html`${row(employee.direct, direct.number)} ${row(employee.dialled, list(dialled, employee.never))}`}`
    : html`${row(person.number, number ?? person.numberHidden)}
      ${row(person.language, rememberedLanguage === null ? person.noLanguage : language(rememberedLanguage))}`;
}

/**
 * @param said the texts in the language of the index
 * @param configured names the roles that may listen, for each purpose
 */
export function indexPage(index: PersonIndex, said: SubjectTexts, configured: Config['purposes']): string {
  const words = wordsOf(index, said);
  const { time } = words;
  const { controller, calls, unreadableCalls } = index;
  const roles = calls
    .flatMap(({ purposes }) => purposes)
    .flatMap(({ id }) => (Object.hasOwn(configured, id) ? (configured[id]?.mayListen ?? []) : []));
  const stated = (text: string | null): string => text ?? said.notStated;
  const transfers = (text: string | null): string =>
    text !== null && isNoTransfer(text) ? said.controller.noTransfers : stated(text);
  const page = html`<!doctype html>
    <html lang="${index.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${said.title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <main>
          <h1>${said.title}</h1>
          <p>${index.asker === 'employee' ? said.employee.intro : said.intro}</p>
          <p>${said.made({ time: time(index.madeAt), timezone: index.timezone })}</p>
          <h2>${said.controller.heading}</h2>
          <dl>
            ${row(said.controller.name, stated(controller.name))}
            ${row(said.controller.contact, stated(controller.contact))}
            ${row(said.controller.officer, stated(controller.dataProtectionOfficer))}
            ${row(said.controller.listeners, list([...new Set(roles)], said.notStated))}
            ${row(said.controller.recipients, list(controller.recipients, said.notStated))}
            ${row(said.controller.transfers, transfers(controller.transfers))}
          </dl>
          <h2>${said.person.heading}</h2>
          <dl>${personRows(index, words)}</dl>
          ${index.asker === 'employee' ? html`<p>${said.employee.others}</p>` : ''} ${purposesSection(index, words)}
          <h2>${said.calls.heading}</h2>
          ${index.begun === null ? '' : html`<p>${said.employee.period(periodOf(index.begun, words))}</p>`}
          <p>${said.calls.count(calls.length + unreadableCalls.length)}</p>
          ${unreadableCalls.length === 0 ? '' : html`<p class="wanting">${said.calls.unreadable(unreadableCalls.length)}</p>`}
          ${calls.map((call) => callPart(call, index.asker, words))}
          <h2>${said.rights.heading}</h2>
          ${Object.values(said.rights.paragraphs).map((paragraph) => html`<p>${paragraph}</p> `)}
        </main>
      </body>
    </html> `;

  return page.html;
}
