import { HEAD_NAMES, type PageView, STAGE_NAMES, TAX_HEADS, TAX_NAMES, type TaxKey, timeOf } from './page-view.ts';

const TAX_KEYS: readonly TaxKey[] = ['paye', 'vat'];
const COPY_COLUMNS = ['received', 'decided', 'hmrc', 'payer', 'inFlight', 'overdue'] as const;

/** The Treasury page as HTML, with the figures it has: readable without a script, which only keeps them new. */
export function renderPage(view: PageView | null): string {
  const { cell, row } = writers(view);
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Live VAT and PAYE – Tallystick</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/treasury.css">
<script type="module" src="/assets/treasury.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the figures</a>
<header><div class="width"><p class="product">Tallystick</p><p class="service">VAT and PAYE as they happen</p></div></header>
<main id="main" class="width">
<h1>Live VAT and PAYE</h1>
${banner(view)}
<p class="as-of">Figures as of <time id="as-of">${escapeHtml(view === null ? '–' : timeOf(view.asOf))}</time>, London.
<button type="button" id="pause" hidden>Pause updates</button>
<noscript>Reload the page for newer figures.</noscript></p>
${liability(cell, row)}
${flow(cell)}
${TAX_KEYS.map((tax) => copies(tax, cell, row)).join('\n')}
${differences(cell)}
${blocks(cell)}
${money(cell)}
${other(cell)}
${rejections(view)}
</main>
<footer><div class="width"><p>Each event is counted where it was received, decided, entered in HMRC's copy and acknowledged in the payer's copy, by a service that
shares no counter with those it watches.</p></div></footer>
</body>
</html>
`;
}

type Cell = (name: string) => string;
type Row = (name: string) => string;

/** Cells and rows are found again by name when new figures come. */
function writers(view: PageView | null): { cell: Cell; row: Row } {
  const hidden = new Set(view?.hiddenRows);
  return {
    cell: (name) => `<span data-cell="${name}">${escapeHtml(view?.cells[name] ?? '–')}</span>`,
    row: (name) => `<tr data-row="${name}"${hidden.has(name) ? ' hidden' : ''}>`,
  };
}

function banner(view: PageView | null): string {
  const { state, title, text } = view?.banner ?? {
    state: 'waiting',
    title: 'Waiting for figures',
    text: 'The reconciliation has not said anything yet.',
  };
  return `<div id="banner" class="banner" data-state="${state}" role="status">
<p class="banner-title" id="banner-title">${escapeHtml(title)}</p><p id="banner-text">${escapeHtml(text)}</p></div>`;
}

function liability(cell: Cell, row: Row): string {
  const rows = TAX_KEYS.map((tax) => {
    const heads = TAX_HEADS[tax].filter((head) => head !== 'payment');
    const ofHeads = heads.map(
      (head) =>
        `${row(`today.${tax}.${head}`)}<th scope="row">${HEAD_NAMES[head]}</th>${number(cell(`today.${tax}.${head}`))}</tr>`,
    );
    return `<tbody><tr class="group"><th colspan="2" scope="rowgroup">${TAX_NAMES[tax]}</th></tr>${ofHeads.join('')}
<tr class="sum"><th scope="row">${TAX_NAMES[tax]} together</th>${number(cell(`today.${tax}.total`))}</tr></tbody>`;
  });
  return `<section aria-labelledby="liability"><h2 id="liability">Liability today, ${cell('basis')}</h2>
<p class="big" id="total-today">${cell('today.total')}</p>
${table(
  `Assessed on what was received on ${cell('day')} in London, by tax and head: ${cell('basis')}`,
  '<thead><tr><th scope="col">Head</th><th scope="col" class="number">Amount</th></tr></thead>',
  `${rows.join('\n')}<tfoot><tr class="sum"><th scope="row">All</th>${number(cell('today.total'))}</tr></tfoot>`,
)}</section>`;
}

function flow(cell: Cell): string {
  const figure = (name: string, key: string): string => `<div><dt>${name}</dt><dd>${cell(key)}</dd></div>`;
  return `<section aria-labelledby="flow"><h2 id="flow">Flow</h2>
<dl class="figures">
${figure('Events a second', 'rate.events')}
${figure('Entries a second', 'rate.entries')}
${figure('Blocks a second', 'rate.blocks')}
${figure("Receipt to payer's copy, half within", 'copy.p50')}
${figure('99 in 100 within', 'copy.p99')}
</dl>
<figure id="chart" hidden><figcaption id="chart-caption">Events a second over the last two minutes, highest <span id="chart-highest">0</span></figcaption>
<svg viewBox="0 0 600 100" role="img" aria-labelledby="chart-caption" preserveAspectRatio="none"><polyline id="chart-line" points=""></polyline></svg>
<details><summary>The chart as a table</summary>${table(
    'Events a second',
    '<thead><tr><th scope="col">Time</th><th scope="col" class="number">Events a second</th></tr></thead>',
    '<tbody id="chart-rows"></tbody>',
  )}</details></figure></section>`;
}

function copies(tax: TaxKey, cell: Cell, row: Row): string {
  const line = (name: string, title: string): string =>
    `${row(`${tax}.${name}`)}<th scope="row">${title}</th>${COPY_COLUMNS.map((column) => number(cell(`${tax}.${name}.${column}`))).join('')}</tr>`;
  const heads = TAX_HEADS[tax].map((head) => line(head, HEAD_NAMES[head]));
  return `<section aria-labelledby="copies-${tax}"><h2 id="copies-${tax}">${TAX_NAMES[tax]}: both copies</h2>
${table(
  `${TAX_NAMES[tax]} from receipt to the two copies, since the log began`,
  `<thead><tr><td></td>${['Received', 'Decided', "HMRC's copy", "Payers' copies", 'In flight', 'Overdue']
    .map((title) => `<th scope="col" class="number">${title}</th>`)
    .join('')}</tr></thead>`,
  `<tbody>${line('events', 'Events and entries')}${line('base', 'Taxable base')}${heads.join('')}</tbody>`,
)}</section>`;
}

function differences(cell: Cell): string {
  const rows = TAX_KEYS.flatMap((tax) =>
    Object.entries(STAGE_NAMES).map(
      ([stage, name]) =>
        `<tr><th scope="row">${TAX_NAMES[tax]}: ${name}</th>${['inFlight', 'overdue', 'differs', 'oldest']
          .map((column) => number(cell(`${tax}.${stage}.${column}`)))
          .join('')}</tr>`,
    ),
  );
  return `<section aria-labelledby="differences"><h2 id="differences">Differences</h2>
${table(
  'In flight for less than a minute; overdue after that; differing where both sides are there and not alike',
  `<thead><tr><th scope="col">Between</th>${['In flight', 'Overdue', 'Differing', 'Oldest']
    .map((title) => `<th scope="col" class="number">${title}</th>`)
    .join('')}</tr></thead>`,
  `<tbody>${rows.join('')}</tbody>`,
)}</section>`;
}

function blocks(cell: Cell): string {
  const lines = [
    ["Blocks in HMRC's copy", 'blocks.sealed'],
    ['Acknowledged by their payers', 'blocks.acknowledged'],
    ['Not acknowledged, in flight', 'blocks.inFlight'],
    ['Not acknowledged, overdue', 'blocks.overdue'],
    ['Chains', 'blocks.chains'],
    ['Divergent copies', 'blocks.divergent'],
    ['Till gaps', 'tillGaps'],
  ] as const;
  const rows = lines.map(([name, key]) => `<tr><th scope="row">${name}</th>${number(cell(key))}</tr>`);
  return `<section aria-labelledby="blocks"><h2 id="blocks">Blocks</h2>
${table('Blocks, chains and tills', '<thead><tr><th scope="col">What</th><th scope="col" class="number">Number</th></tr></thead>', `<tbody>${rows.join('')}</tbody>`)}</section>`;
}

function money(cell: Cell): string {
  return byTax('balance', 'Balance', "In HMRC's copy since the log began", cell, [
    ['Charges', 'charges'],
    ['Payments', 'payments'],
    ['Balance', 'balance'],
  ]);
}

function other(cell: Cell): string {
  return byTax('other', 'Also counted', 'What is not a difference', cell, [
    ['Repeats', 'repeats'],
    ['Held until another event comes', 'waiting'],
    ['Rejected', 'rejected'],
    ['Records that could not be read', 'unreadable'],
    ['Payer stated other amounts', 'stated'],
  ]);
}

function byTax(
  id: string,
  title: string,
  caption: string,
  cell: Cell,
  lines: readonly (readonly [name: string, key: string])[],
): string {
  const rows = lines.map(
    ([name, key]) =>
      `<tr><th scope="row">${name}</th>${TAX_KEYS.map((tax) => number(cell(`${tax}.${key}`))).join('')}</tr>`,
  );
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${table(
  caption,
  `<thead><tr><td></td>${TAX_KEYS.map((tax) => `<th scope="col" class="number">${TAX_NAMES[tax]}</th>`).join('')}</tr></thead>`,
  `<tbody>${rows.join('')}</tbody>`,
)}</section>`;
}

function rejections(view: PageView | null): string {
  const rows = (view?.rejections ?? []).map(
    ([tax, code, count]) =>
      `<tr><td>${escapeHtml(tax)}</td><td>${escapeHtml(code)}</td>${number(escapeHtml(count))}</tr>`,
  );
  return `<section aria-labelledby="rejections"><h2 id="rejections">Rejections by reason</h2>
<p id="no-rejections"${rows.length > 0 ? ' hidden' : ''}>None.</p>
<div id="rejection-table"${rows.length === 0 ? ' hidden' : ''}>${table(
    'Events that were refused, by tax and code',
    '<thead><tr><th scope="col">Tax</th><th scope="col">Code</th><th scope="col" class="number">Events</th></tr></thead>',
    `<tbody id="rejection-rows">${rows.join('')}</tbody>`,
  )}</div></section>`;
}

/** Wide tables scroll by themselves, by keyboard too. */
function table(caption: string, head: string, body: string): string {
  return `<div class="scroll" role="group" tabindex="0" aria-label="Table, may be scrolled"><table><caption>${caption}</caption>${head}${body}</table></div>`;
}

function number(content: string): string {
  return `<td class="number">${content}</td>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
