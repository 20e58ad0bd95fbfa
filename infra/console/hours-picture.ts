/** The last hours as a picture, drawn here, with the table of its numbers. */
import { html, NOTHING, numberText, plural } from './html.ts';
import type { Html } from './page.ts';
import type { HourOfCarts } from './sources.ts';

const WIDTH = 960;
const HEIGHT = 142;
const FLOOR = 120;
const LEFT = 40;

export function hoursPicture(hours: readonly HourOfCarts[]): Html {
  const highest = Math.max(1, ...hours.map(({ created, deadLettered }) => created + deadLettered));
  const mostWaiting = Math.max(1, ...hours.map(({ waiting = 0 }) => waiting));
  const width = (WIDTH - LEFT) / Math.max(1, hours.length);
  const up = (count: number, of: number): number => (count / of) * (FLOOR - 20);
  const isWaitingKnown = hours.some(({ waiting }) => waiting !== undefined);
  const bars = hours.map(({ created, deadLettered, hourMs }, index) => {
    const x = LEFT + index * width;
    const good = up(created, highest);
    const bad = up(deadLettered, highest);
    const label = index % 4 === 0 ? html`<text x="${x}" y="${FLOOR + 16}">${hourText(hourMs)}</text>` : NOTHING;
    return html`<rect class="created" x="${x + 1}" y="${FLOOR - good}" width="${width - 4}" height="${good}"/><rect class="dead" x="${x + 1}" y="${FLOOR - good - bad}" width="${width - 4}" height="${bad}"/>${label}`;
  });
  const line = hours.map(
    ({ waiting = 0 }, index) => `${LEFT + (index + 0.5) * width},${FLOOR - up(waiting, mostWaiting)}`,
  );
  const sum = (of: (hour: HourOfCarts) => number): number => hours.reduce((all, hour) => all + of(hour), 0);
  const summary = `${plural(
    sum(({ created }) => created),
    'order',
  )} created, ${plural(
    sum(({ deadLettered }) => deadLettered),
    'cart',
  )} dead-lettered${isWaitingKnown ? `, at most ${numberText(Math.max(0, ...hours.map(({ waiting = 0 }) => waiting)))} messages waiting` : ''}`;
  return html`<p>${summary}.</p>
<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${summary}; the table below has the numbers of each hour"><line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${FLOOR}" y2="${FLOOR}"/><text x="0" y="24">${numberText(highest)}</text><text x="0" y="${FLOOR}">0</text>${bars}${isWaitingKnown ? html`<polyline class="waiting" points="${line.join(' ')}"/>` : NOTHING}</svg>
<p class="quiet">Bars: orders created, and on top carts dead-lettered.${isWaitingKnown ? ` Line: messages waiting, up to ${numberText(mostWaiting)}.` : ''} Hours in UTC.</p>
<details><summary>The numbers</summary><table><caption>Each hour, in UTC</caption><thead><tr><th scope="col">Hour</th><th scope="col" class="number">Orders created</th><th scope="col" class="number">Carts dead-lettered</th><th scope="col" class="number">Messages waiting, most</th></tr></thead><tbody>${hours.map(
    ({ hourMs, created, deadLettered, waiting }) =>
      html`<tr><th scope="row"><time datetime="${new Date(hourMs).toISOString()}">${new Date(hourMs).toISOString().slice(0, 10)} ${hourText(hourMs)}</time></th><td class="number">${numberText(created)}</td><td class="number">${numberText(deadLettered)}</td><td class="number">${waiting === undefined ? 'not measured' : numberText(waiting)}</td></tr>`,
  )}</tbody></table></details>`;
}

const hourText = (ms: number): string => `${new Date(ms).toISOString().slice(11, 13)}:00`;
