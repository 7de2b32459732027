import { createHash } from 'node:crypto';
import { z } from 'zod';
import { languagesOfHeader } from '../call/plan/language.ts';
import type { ErrorCode } from '../core/errors.ts';
import { html, Markup, type Part } from '../core/text/markup.ts';
import { loadTexts, text, textFile, textFor } from '../core/text/texts.ts';
import { basePath } from './route.ts';

/** What somebody sees who comes back from the identity provider: pages without a script, in their language. */

export const signInLanguages = ['fr', 'nl', 'de', 'en'] as const;
type SignInLanguage = (typeof signInLanguages)[number];

/** Those that a person can do something about; all others are one to them. */
const told = [
  'sign_in_not_granted',
  'sign_in_factor_needed',
  'sign_in_expired',
  'open_id_unreachable',
  'open_id_refused',
  'request_forged',
  'too_busy',
] as const satisfies readonly ErrorCode[];

export const signInTexts = z.strictObject({
  signedIn: textFor('heading', 'text', 'go'),
  again: text,
  codeLabel: text,
  nameLabel: text,
  refused: z.record(z.enum([...told, 'other']), textFor('heading', 'text')),
});

const loaded = new Map<SignInLanguage, Promise<z.output<typeof signInTexts>>>();

/** Read once: they do not change while Préavis runs. Throws texts_invalid. */
function textsOf(language: SignInLanguage): Promise<z.output<typeof signInTexts>> {
  const known = loaded.get(language) ?? loadTexts(textFile('signIn', language), signInTexts);
  loaded.set(language, known);

  return known;
}

/** @param header Accept-Language; English for who wants none of ours */
function languageOf(header: string): SignInLanguage {
  const wanted = languagesOfHeader(header).map(({ language }) => language);

  return wanted.flatMap((each) => signInLanguages.filter((ours) => ours === each))[0] ?? 'en';
}

const style = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #4f5b69; --ground: #eef1f4; --paper: #fff; --line: #d3dae1; --accent: #17456e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a9b4c0; --ground: #12171d; --paper: #1b222b; --line: #33404d; --accent: #8cc1ef; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { box-sizing: border-box; width: min(34rem, 100%); padding: 2.5rem; background: var(--paper); border: 1px solid var(--line); border-top: 4px solid var(--accent); overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 1.25rem; }
dl { margin: 0 0 1.5rem; color: var(--soft); font-size: .875rem; }
dd { margin: 0 0 .5rem; font-family: ui-monospace, monospace; color: var(--ink); }
a { color: var(--accent); font-weight: 600; text-underline-offset: .18em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
`;

// Not written into the template: whoever formats that would change what is hashed.
const styleElement = new Markup(`<style>${style}</style>`);

/** Of the one style, and nothing else: no script, no image, no frame. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none';style-src 'sha256-${createHash('sha256').update(style).digest('base64')}';frame-ancestors 'none';base-uri 'none';form-action 'none'`,
};

function page(language: SignInLanguage, heading: string, body: Part, head: Part = ''): string {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${heading} - Préavis</title>
        ${head} ${styleElement}
      </head>
      <body>
        <main>
          <h1>${heading}</h1>
          ${body}
        </main>
      </body>
    </html>`.html;
}

/**
 * Goes on to an own path. Not by a redirect: what the provider's page has begun would go on as its navigation, and browsers send no strict
 * cookie with that.
 *
 * @param languages Accept-Language
 */
export async function signedInPage({ to, languages }: { to: string; languages: string }): Promise<string> {
  const language = languageOf(languages);
  const { heading, text: said, go } = (await textsOf(language)).signedIn;

  return page(
    language,
    heading,
    html`<p>${said}</p>
      <p><a href="${to}">${go}</a></p>`,
    html`<meta http-equiv="refresh" content="0; url=${to}" />`,
  );
}

/** @param who as the audit trail would have them, where that is known */
export async function refusedPage({
  code,
  who,
  languages,
}: {
  code: ErrorCode;
  who: string | undefined;
  languages: string;
}): Promise<string> {
  const language = languageOf(languages);
  const { refused, again, codeLabel, nameLabel } = await textsOf(language);
  const { heading, text: said } = refused[told.find((each) => each === code) ?? 'other'];
  const name =
    who === undefined
      ? ''
      : html`<dt>${nameLabel}</dt>
          <dd>${who}</dd>`;

  return page(
    language,
    heading,
    html`<p>${said}</p>
      <dl>
        ${name}
        <dt>${codeLabel}</dt>
        <dd>${code}</dd>
      </dl>
      <p><a href="${basePath}/session/openid">${again}</a></p>`,
  );
}
