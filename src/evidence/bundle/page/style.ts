/** How the pages of a bundle look, on a screen and on paper. */
export const explanationStyle = `
:root { color-scheme: light; --ink: #1c2426; --soft: #566266; --line: #d5dcdc; --paper: #fff; --ground: #f3f5f4; --accent: #0d5c63; --warm: #b3541e; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.6 Charter, "Bitstream Charter", Georgia, "DejaVu Serif", serif; }
main { max-width: 50rem; margin: 2rem auto; padding: 3rem 3.5rem 2.5rem; background: var(--paper); border: 1px solid var(--line); border-top: 5px solid var(--accent); }
h1, h2, h3, nav, dt, .legend, figcaption, svg text, th, .note, footer, .step { font-family: system-ui, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.015em; margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.22rem; line-height: 1.3; margin: 2.6rem 0 .7rem; color: var(--accent); }
h3 { font-size: .86rem; font-weight: 600; margin: 1.1rem 0 .35rem; color: var(--soft); }
p { margin: 0 0 .9rem; }
a { color: var(--accent); text-underline-offset: .15em; }
code { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
nav { font-size: .85rem; color: var(--soft); margin-bottom: 1.6rem; display: flex; gap: .3rem 1rem; flex-wrap: wrap; }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1px; margin: 1.8rem 0; padding: 0; background: var(--line); border: 1px solid var(--line); }
.facts div { background: var(--paper); padding: .65rem .85rem; }
.facts .wide { grid-column: 1 / -1; }
dt { font-size: .76rem; color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.4rem 0 0; }
.strip { display: block; overflow: visible; border-bottom: 0; }
.strip .said { fill: #d7e8e7; stroke: var(--accent); }
.strip .number { fill: var(--accent); font-size: 14px; font-weight: 600; text-anchor: middle; }
.strip text { fill: var(--soft); font-size: 11px; }
.strip .tick { stroke: var(--soft); }
.strip .sound { stroke: var(--accent); stroke-width: .72; fill: none; }
.strip .began { stroke: var(--warm); stroke-width: 2.5; }
.strip .yes { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 2 3; }
.strip .silence { fill: var(--line); }
.strip .pause { stroke: var(--warm); stroke-width: 1.5; stroke-dasharray: 5 4; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; margin: .3rem 0 0; padding: 0; font-size: .8rem; color: var(--soft); }
.legend li::before { content: ""; display: inline-block; height: .9em; margin-right: .45em; vertical-align: -.1em; border-left: 3px solid var(--warm); }
.legend .yes::before { border-left: 2px dotted var(--ink); }
.legend .silence::before { border-left: 9px solid var(--line); }
.legend .pause::before { border-left: 2px dashed var(--warm); }
figcaption, .note { font-size: .8rem; line-height: 1.45; color: var(--soft); margin-top: .4rem; }
.sentences { list-style: none; margin: 0; padding: 0; }
.sentences > li { position: relative; padding: .2rem 0 .9rem 2.6rem; break-inside: avoid; }
.sentences .number { position: absolute; left: 0; top: .3rem; width: 1.7rem; height: 1.7rem; border: 1px solid var(--accent); border-radius: 3px; background: #d7e8e7; color: var(--accent); font: 600 .85rem/1.6rem system-ui, sans-serif; text-align: center; }
.sentences .also { padding-left: 0; }
blockquote { margin: 0 0 .3rem; font-size: 1.08rem; font-style: italic; }
.sentences p { font-size: .87rem; line-height: 1.5; color: var(--soft); margin: 0; }
audio { display: block; width: 100%; max-width: 26rem; height: 2.25rem; margin: .5rem 0; }
.step { font-size: .9rem; line-height: 1.5; margin: 1.5rem 0 .45rem; padding-left: 2.1rem; position: relative; break-after: avoid; }
.step b { position: absolute; left: 0; color: var(--accent); font-size: 1.05rem; }
pre { margin: 0; padding: .8rem 1rem; background: var(--ground); border: 1px solid var(--line); border-left: 3px solid var(--accent); font-size: .86rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { font-size: .86em; }
audio + p { margin-top: .8rem; }
.limits { margin-top: 2.6rem; padding: 1.1rem 1.3rem .3rem; border: 1px solid var(--warm); break-inside: avoid; }
.limits h2 { margin-top: 0; color: var(--warm); }
@media (max-width: 40rem) {
  body { font-size: 16px; }
  main { margin: 0; padding: 1.4rem 1.1rem 2rem; border-left: 0; border-right: 0; }
  h1 { font-size: 1.55rem; }
  .facts { grid-template-columns: 1fr 1fr; }
}
@media print {
  @page { size: A4; margin: 18mm 17mm; }
  body { background: none; font-size: 10.2pt; line-height: 1.45; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  nav, audio { display: none; }
  h2 { break-after: avoid; }
  figure, .facts { break-inside: avoid; }
  h2 { margin-top: 1.7rem; }
  p:has(+ ul) { break-after: avoid; }
  pre { break-inside: avoid; font-size: 7.6pt; line-height: 1.4; background: none; }
  a { color: inherit; text-decoration: none; }
  .strip, .sentences .number { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
