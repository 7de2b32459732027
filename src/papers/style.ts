import { Markup } from '../core/text/markup.ts';

/** How the papers look, on a screen and on A4. */
export const paperStyle = new Markup(`
:root { color-scheme: light; --ink: #1b2430; --soft: #4f5b69; --line: #d3dae1; --ground: #eef1f4; --paper: #fff; --accent: #17456e; --tint: #f3f7fb; --open: #8a4b00; --open-ground: #fff8ea; --open-line: #d9a441; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
header, main, footer { max-width: 50rem; margin: 0 auto; padding: 0 3.25rem; }
header { padding-top: .8rem; padding-bottom: .8rem; font-size: .85rem; line-height: 1.45; color: var(--open); }
header p { margin: 0; }
header strong { display: inline-block; margin-right: .5rem; padding: .05rem .55rem; border: 1px solid currentColor; border-radius: 1rem; font-weight: 600; }
main { padding-top: 2.75rem; padding-bottom: 2.75rem; background: var(--paper); border: 1px solid var(--line); border-top: 4px solid var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin-bottom: 1.1rem; font-size: .875rem; }
a { color: var(--accent); text-underline-offset: .18em; }
h1 { margin: 0 0 1.1rem; font-size: 2.05rem; line-height: 1.16; letter-spacing: -.018em; text-wrap: balance; hyphens: auto; }
h2 { margin: 2.6rem 0 .75rem; font-size: 1.22rem; line-height: 1.3; color: var(--accent); }
h3 { margin: 1.5rem 0 .5rem; font-size: 1.03rem; line-height: 1.35; }
p { margin: 0 0 .8rem; }
ul, ol { margin: 0 0 .9rem; padding-left: 1.3rem; }
li { margin: 0 0 .4rem; }
.lead { font-size: 1.1rem; line-height: 1.55; }
.soft { color: var(--soft); font-size: .875rem; }
.line { display: block; }
.line + .line { margin-top: .2rem; }
.line::first-letter, .does::first-letter, .who::first-letter { text-transform: uppercase; }
.purpose .facts > div { grid-template-columns: 9.5rem 1fr; }
.who { display: block; margin-top: .2rem; color: var(--soft); font-size: .8rem; line-height: 1.35; }
.does { font-weight: 500; }
blockquote { margin: 0 0 1rem; padding: .15rem 0 .15rem 1.1rem; border-left: 3px solid var(--accent); font-size: 1.04rem; font-style: italic; }
.facts { margin: 0 0 1rem; }
.facts > div { display: grid; grid-template-columns: 14rem 1fr; gap: 0 1.25rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.facts > div:last-child { border-bottom: 1px solid var(--line); }
dt { color: var(--soft); font-size: .9rem; line-height: 1.6; hyphens: auto; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.purpose { margin: 0 0 1.1rem; padding: 1.15rem 1.35rem .4rem; background: var(--tint); border: 1px solid var(--line); border-radius: 6px; }
.purpose > h2, .purpose > h3 { margin-top: 0; }
.purpose > h3::first-letter { text-transform: uppercase; }
.own { font-style: italic; }
.todo { position: relative; margin: 0 0 1rem; padding: .75rem 1rem 2.4rem; background: var(--open-ground); border: 1px dashed var(--open-line); border-radius: 6px; break-inside: avoid; }
.todo p { margin: 0; }
.todo strong { color: var(--open); font-weight: 600; }
.todo strong::after { content: ":"; }
:lang(fr) .todo strong::after { content: "\\a0:"; }
.keys { white-space: nowrap; }
kbd { display: inline-block; min-width: 2.1rem; padding: .12rem .4rem .18rem; margin-right: .22rem; border: 1px solid #9fb0c0; border-bottom-width: 3px; border-radius: 6px; background: #fff; color: var(--ink); font: 600 1.1rem/1.4 ui-monospace, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; text-align: center; }
.codes { list-style: none; padding: 0; }
.codes li { display: grid; grid-template-columns: 9.5rem 1fr; gap: 1.25rem; align-items: start; margin: 0; padding: .7rem 0; border-top: 1px solid var(--line); break-inside: avoid; }
.codes li:last-child { border-bottom: 1px solid var(--line); }
.codes p { margin: 0; }
.boxes { list-style: none; padding: 0; }
.boxes li { padding-left: 1.9rem; position: relative; }
.boxes li::before { content: ""; position: absolute; left: 0; top: .32rem; width: 1rem; height: 1rem; border: 1.5px solid var(--open); border-radius: 2px; }
table { width: 100%; border-collapse: collapse; font-size: .925rem; line-height: 1.5; }
th, td { padding: .6rem .7rem .6rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; hyphens: auto; }
thead th { color: var(--soft); font-weight: 600; border-top: 0; }
tbody th { width: 29%; font-weight: 600; }
tr { break-inside: avoid; }
td.open { width: 24%; color: var(--open); background: var(--open-ground); padding-left: .7rem; }
.blanks { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem 1.5rem; margin: 1rem 0; }
.blanks p { margin: 0; padding-top: 2.6rem; }
.blanks span { display: block; padding-top: .3rem; border-top: 1px solid var(--ink); color: var(--soft); font-size: .85rem; }
.sign { break-inside: avoid; }
.cards { list-style: none; margin: 1.6rem 0; padding: 0; display: grid; gap: .9rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
.cards li { margin: 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: 6px; background: var(--tint); }
.cards h2 { margin: 0 0 .35rem; font-size: 1.08rem; }
.cards p { margin: 0; font-size: .925rem; color: var(--soft); }
.cards .count { margin-top: .55rem; color: var(--open); font-weight: 600; }
.steps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; counter-reset: step; }
.steps section { padding: 1.1rem 1.15rem .5rem; background: var(--tint); border: 1px solid var(--line); border-top: 4px solid var(--accent); border-radius: 6px; counter-increment: step; }
.steps h2 { margin: 0 0 .6rem; font-size: 1.1rem; }
.steps h2::before { content: counter(step) ". "; }
.steps ul { padding-left: 1.05rem; }
.steps + .todo { margin-top: 1rem; }
.poster .codes .soft { display: inline; }
.poster main { max-width: 60rem; }
.poster header, .poster footer { max-width: 60rem; }
footer { padding-top: 1.2rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .8rem; line-height: 1.5; overflow-wrap: anywhere; }
footer p { margin: 0 0 .35rem; }
@media (max-width: 44rem) {
  header, main, footer { padding-left: 1.15rem; padding-right: 1.15rem; }
  main { padding-top: 1.6rem; border-left: 0; border-right: 0; }
  h1 { font-size: 1.6rem; }
  .facts > div, .purpose .facts > div { grid-template-columns: 1fr; }
  .purpose { padding: 1rem 1rem .3rem; }
  .codes li { grid-template-columns: 1fr; gap: .4rem; }
  .steps { grid-template-columns: 1fr; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  table, tbody, tr, th, td { display: block; }
  tbody th, td.open { width: auto; }
  tbody td { border-top: 0; padding-top: 0; }
  td.open { padding: .5rem .7rem; margin-bottom: .6rem; }
}
@media print {
  @page poster { size: A4; margin: 11mm 13mm 10mm; @bottom-right { content: none; } }
  @page { size: A4; margin: 17mm 18mm 19mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #4f5b69; } }
  body { background: none; font-size: 10pt; line-height: 1.45; }
  header, main, footer, .poster main, .poster header, .poster footer { max-width: none; padding: 0; }
  main { border: 0; padding: 5mm 0; }
  header { border-bottom: 1px solid var(--open-line); padding-bottom: 2mm; }
  footer { border-top: 1px solid var(--line); padding-top: 2mm; break-inside: avoid; font-size: 7.5pt; line-height: 1.35; }
  nav { display: none; }
  h1 { font-size: 20pt; }
  h2 { font-size: 12.5pt; margin-top: 6mm; }
  h2, h3 { break-after: avoid; }
  .purpose, .facts > div, blockquote, .cards li, .steps section { break-inside: avoid; }
  .facts > div { grid-template-columns: 58mm 1fr; }
  .purpose .facts > div { grid-template-columns: 36mm 1fr; }
  p, li { orphans: 3; widows: 3; }
  a { color: inherit; text-decoration: none; }
  .todo, .purpose, .steps section, td.open, kbd { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .poster { page: poster; font-size: 11pt; line-height: 1.36; }
  .poster h1 { font-size: 23pt; margin-bottom: 4mm; }
  .poster main { padding: 2mm 0; }
  .poster .steps { gap: 3mm; }
  .poster .steps section { padding: 3mm 3.5mm 1mm; }
  .poster li { margin-bottom: 1mm; }
  .poster ul { margin-bottom: 1mm; }
  .poster .codes li { margin: 0; padding: 1.3mm 0; }
  .poster h2 { margin: 4mm 0 1.5mm; }
  .poster .steps h2 { margin-top: 0; }
  .poster .soft, .poster .who { font-size: 9.4pt; }
  .poster footer { font-size: 7pt; line-height: 1.35; }
}
`);
