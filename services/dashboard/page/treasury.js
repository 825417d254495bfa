/**
 * Keeps the Treasury page new: puts the texts that the live stream sends into the cells of their names, draws the one chart, and says so when
 * the stream falls silent. All formatting is the server's.
 */
const STALE_AFTER_MS = 5_000;
const CHART_SECONDS = 120;
const CHART_WIDTH = 600;
const CHART_HEIGHT = 100;

const rates = [];
let lastMessageMs = performance.now();
let lastTime = document.getElementById('as-of')?.textContent ?? '';
let paused = false;

/** Where the stream has no place for us the browser gives up: then the figures are asked for, and the stream again now and then. */
const POLL_MS = 3_000;
const STREAM_AGAIN_MS = 60_000;
let source = null;

listen();
setInterval(() => {
  if (source.readyState === EventSource.CLOSED) void poll();
}, POLL_MS);
setInterval(() => {
  if (source.readyState === EventSource.CLOSED) listen();
}, STREAM_AGAIN_MS);

function listen() {
  source = new EventSource('/treasury/v1/live');
  source.addEventListener('view', (message) => take(JSON.parse(message.data)));
}

async function poll() {
  try {
    const answer = await fetch('/treasury/v1/view', { signal: AbortSignal.timeout(POLL_MS) });
    if (answer.ok) take(await answer.json());
  } catch {
    // The banner says that the figures have stopped.
  }
}

function take(view) {
  lastMessageMs = performance.now();
  rates.push({ time: view.time, value: view.eventsPerSecond });
  if (rates.length > CHART_SECONDS) rates.shift();
  lastTime = view.time;
  if (!paused) show(view);
}

setInterval(() => {
  if (paused || performance.now() - lastMessageMs <= STALE_AFTER_MS) return;
  showBanner({
    state: 'stale',
    title: 'The figures have stopped',
    text: `They stand as of ${lastTime}. Trying to connect again.`,
  });
}, 1_000);

const pause = document.getElementById('pause');
pause.hidden = false;
pause.addEventListener('click', () => {
  paused = !paused;
  pause.textContent = paused ? 'Go on with updates' : 'Pause updates';
});

function show(view) {
  document.getElementById('as-of').textContent = view.time;
  showBanner(view.banner);
  for (const cell of document.querySelectorAll('[data-cell]')) {
    const text = view.cells[cell.dataset.cell] ?? '–';
    if (cell.textContent !== text) cell.textContent = text;
  }
  const hidden = new Set(view.hiddenRows);
  for (const row of document.querySelectorAll('[data-row]')) row.hidden = hidden.has(row.dataset.row);
  showRejections(view.rejections);
  showChart();
}

/** Changed only when it says something else, so that it is read out once. */
function showBanner({ state, title, text }) {
  const banner = document.getElementById('banner');
  if (banner.dataset.state !== state) banner.dataset.state = state;
  setText('banner-title', title);
  setText('banner-text', text);
}

function showRejections(rejections) {
  document.getElementById('no-rejections').hidden = rejections.length > 0;
  document.getElementById('rejection-table').hidden = rejections.length === 0;
  const rows = rejections.map(([tax, code, count]) => tableRow([tax, code], count));
  document.getElementById('rejection-rows').replaceChildren(...rows);
}

function showChart() {
  const highest = Math.max(0, ...rates.map(({ value }) => value));
  // A line at the bottom where nothing happens, not in the middle.
  const scale = Math.max(highest, 1);
  const points = rates.map(({ value }, index) => {
    const x = ((index + CHART_SECONDS - rates.length) / (CHART_SECONDS - 1)) * CHART_WIDTH;
    return `${x.toFixed(1)},${(CHART_HEIGHT - 2 - (value / scale) * (CHART_HEIGHT - 4)).toFixed(1)}`;
  });
  document.getElementById('chart').hidden = false;
  document.getElementById('chart-line').setAttribute('points', points.join(' '));
  setText('chart-highest', String(highest));
  if (document.querySelector('#chart details').open) {
    const rows = rates
      .slice(-30)
      .reverse()
      .map(({ time, value }) => tableRow([time], String(value)));
    document.getElementById('chart-rows').replaceChildren(...rows);
  }
}

function tableRow(texts, number) {
  const row = document.createElement('tr');
  for (const text of texts) row.append(tableCell(text));
  const last = tableCell(number);
  last.className = 'number';
  row.append(last);
  return row;
}

function tableCell(text) {
  const cell = document.createElement('td');
  cell.textContent = text;
  return cell;
}

function setText(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}
