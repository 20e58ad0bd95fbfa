/** The style of the page: light, dark and print. Colours after SAP Horizon. */
import { Html } from './html.ts';

export const STYLE = new Html(`
:root {
  color-scheme: light dark;
  --ground: #f5f6f7; --paper: #fff; --ink: #1d2d3e; --quiet: #556b82; --line: #d9d9d9; --head: #eff1f2;
  --link: #0057d2; --fault: #aa0808; --fault-ground: #ffeaf4; --warning: #8d2a00; --warning-ground: #fff3b8;
  --notice: #0057d2; --notice-ground: #e1f4ff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12171c; --paper: #1d232a; --ink: #eaecee; --quiet: #a9b4be; --line: #3a4552; --head: #2c3540;
    --link: #7fc6ff; --fault: #ffb3c1; --fault-ground: #4b1a24; --warning: #ffdf72; --warning-ground: #3f3311;
    --notice: #7fc6ff; --notice-ground: #16314a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 80rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 0.9375rem/1.45 "72", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 1.6rem; margin: 1rem 0 0.25rem; }
h2 { font-size: 1.25rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 0.4rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, "Cascadia Mono", Consolas, Menlo, monospace; font-size: 0.875em; }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--head); padding: 0.75rem; border-radius: 0.5rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; margin: 0.75rem 0; }
dt { color: var(--quiet); font-size: 0.8125rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.notice { margin: 0; padding: 0.75rem 1rem; border-left: 0.3rem solid var(--notice); background: var(--notice-ground); font-weight: 600; }
article, main > section { background: var(--paper); border: 1px solid var(--line); border-radius: 0.75rem; padding: 1.25rem; margin: 1.25rem 0; }
.order { border-top: 1px solid var(--line); margin-top: 1.25rem; padding-top: 1.25rem; }
.outcome { font-weight: 600; }
.quiet { color: var(--quiet); }
p.quiet { font-size: 0.875rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; list-style: none; padding: 0; margin: 0.5rem 0 1rem; }
.figures b { font-size: 1.5rem; margin-right: 0.25rem; }
.findings { list-style: none; padding: 0; margin: 0.75rem 0; }
.findings li { padding: 0.5rem 0.75rem; margin: 0.35rem 0; border-left: 0.3rem solid; overflow-wrap: anywhere; }
.findings .fault { border-color: var(--fault); background: var(--fault-ground); }
.findings .warning { border-color: var(--warning); background: var(--warning-ground); }
.findings .fault b, .mark { color: var(--fault); }
.findings .warning b { color: var(--warning); }
.advice { display: block; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0 0.5rem; font-size: 0.875rem; }
caption { text-align: left; font-weight: 600; font-size: 0.9375rem; padding: 0.25rem 0; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { background: var(--head); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 400; }
td.value { font-weight: 600; white-space: pre-wrap; }
td.value i { font-weight: 400; color: var(--quiet); }
.number { text-align: right; white-space: nowrap; }
.list th { white-space: nowrap; }
.list tbody th:first-child, .list .number { width: 1%; }
.list td { overflow-wrap: normal; }
.fields { table-layout: fixed; }
.fields th:nth-child(1) { width: 21%; }
.fields th:nth-child(2) { width: 24%; }
.fields th:nth-child(3) { width: 27%; }
.fields th:nth-child(4) { width: 4rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
summary h2 { display: inline; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
footer { color: var(--quiet); font-size: 0.8125rem; }
@media (max-width: 45rem) {
  body { padding: 0.75rem; }
  article, main > section { padding: 0.75rem; overflow-x: auto; }
  .fields { min-width: 44rem; }
}
@media print {
  :root {
    --ground: #fff; --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --head: #eee; --link: #000;
    --fault: #900; --fault-ground: #fff; --warning: #630; --warning-ground: #fff; --notice: #000; --notice-ground: #fff;
  }
  @page { size: A4 landscape; margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  table { font-size: 8pt; }
  article, main > section { border: 0; padding: 0; }
  thead { display: table-header-group; }
  tr, .findings li { break-inside: avoid; }
  caption, h2, h3 { break-after: avoid; }
  pre { white-space: pre-wrap; }
}
`);
