import { localDate } from '../core/text/localDate.ts';
import { html, type Markup, type Part } from '../core/text/markup.ts';
import { employeeNotice } from './employeeNotice.ts';
import { hashOfFacts, type PaperFacts } from './facts.ts';
import { impactAssessment } from './impactAssessment.ts';
import type { PaperLanguage } from './languages.ts';
import { listOf, quotedName, type Paper } from './parts.ts';
import { poster } from './poster.ts';
import { registerPage } from './registerPage.ts';
import { paperStyle } from './style.ts';
import { paperKinds, type PaperKind, type PaperTexts } from './texts.ts';
import { websiteNotice } from './websiteNotice.ts';
import { worksCouncilSummary } from './worksCouncilSummary.ts';

/** All papers of one language, as files: pages of HTML that need nothing else and print as A4. */

export type PaperFile = {
  name: string;
  content: string;
  /** How many places somebody has to write. */
  open: number;
};

/** When and by what they are made. */
export type Making = { madeAt: string; version: string };

const bodies: Readonly<Record<PaperKind, (paper: Paper) => Markup>> = {
  website: websiteNotice,
  employees: employeeNotice,
  worksCouncil: worksCouncilSummary,
  register: registerPage,
  dpia: impactAssessment,
  poster,
};

export const fileNames: Readonly<Record<PaperKind | 'index', string>> = {
  index: 'index.html',
  website: 'website-notice.html',
  employees: 'employee-notice.html',
  worksCouncil: 'works-council.html',
  register: 'register.html',
  dpia: 'dpia.html',
  poster: 'poster.html',
};

const openPlaces = ({ html: text }: Markup): number => text.split(/class="(?:todo|open)"/).length - 1;

function footer(paper: Paper, { madeAt, version }: Making): Markup {
  const { facts, say } = paper;
  const unchecked = facts.purposes
    .filter(({ checkedByCounsel }) => !checkedByCounsel)
    .map((each) => quotedName(each, paper));
  const time = localDate(madeAt, { locale: say.locale, timezone: facts.timezone });
  const made = say.made({ time, version, policy: facts.policyVersion, hash: hashOfFacts(facts) });

  return html`<footer>
    ${unchecked.length === 0 ? '' : html`<p>${say.unchecked({ purposes: listOf(unchecked, paper) })}</p>`}
    <p>${made}</p>
  </footer>`;
}

type Page = { title: string; kind: PaperKind | 'index'; nav: Part; body: Part };

function pageOf({ title, kind, nav, body }: Page, paper: Paper, making: Making): string {
  const { say, language } = paper;

  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${paperStyle}
        </style>
      </head>
      <body class="${kind}">
        <header>
          <p><strong>${say.draft}</strong> ${say.draftNote}</p>
        </header>
        <main>
          ${nav}
          <h1>${title}</h1>
          ${body}
        </main>
        ${footer(paper, making)}
      </body>
    </html> `.html;
}

function indexOf(made: ReadonlyMap<PaperKind, number>, languages: readonly PaperLanguage[], paper: Paper): Page {
  const { say, language } = paper;
  const others = languages.filter((each) => each !== language);
  const names = (tag: string): string => new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag;

  return {
    title: say.index.title,
    kind: 'index',
    nav:
      others.length === 0
        ? ''
        : html`<nav aria-label="${say.otherLanguages}">
            ${others.map((tag) => html`<a href="../${tag}/index.html" lang="${tag}" hreflang="${tag}">${names(tag)}</a> `)}
          </nav>`,
    body: html`<p class="lead">${say.index.intro}</p>
      <ul class="cards">
        ${paperKinds.map((kind) => {
          const open = made.get(kind) ?? 0;

          return html`<li>
            <h2><a href="${fileNames[kind]}">${say.papers[kind].title}</a></h2>
            <p>${say.papers[kind].about}</p>
            ${open === 0 ? '' : html`<p class="count">${say.index.open(open)}</p>`}
          </li> `;
        })}
      </ul>
      <p class="soft">${say.print}</p>`,
  };
}

/**
 * @param languages those that are made together, whose pages name each other
 */
export function papersIn(
  language: PaperLanguage,
  facts: PaperFacts,
  say: PaperTexts,
  making: Making,
  languages: readonly PaperLanguage[],
): PaperFile[] {
  const paper: Paper = { facts, say, language };
  const nav = html`<nav><a href="${fileNames.index}">${say.allPapers}</a></nav>`;
  const open = new Map<PaperKind, number>();
  const files = paperKinds.map((kind): PaperFile => {
    const body = bodies[kind](paper);
    open.set(kind, openPlaces(body));
    const page = { title: say.papers[kind].title, kind, nav, body };

    return { name: fileNames[kind], content: pageOf(page, paper, making), open: openPlaces(body) };
  });
  const index = pageOf(indexOf(open, languages, paper), paper, making);

  return [{ name: fileNames.index, content: index, open: 0 }, ...files];
}
