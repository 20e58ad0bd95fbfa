/**
 * The workbench: what belongs together is marked while a pointer or the focus is on one part of it, and a file may be
 * dropped. Without it, the links in the tables lead from one to the other.
 */

const ROW = '.sheet tr[data-marks]';

const marksOf = (row: HTMLTableRowElement): readonly string[] =>
  (row.dataset['marks'] ?? '').split(' ').filter(Boolean);

function rowAt(target: EventTarget | null): HTMLTableRowElement | undefined {
  const row = target instanceof Element ? target.closest<HTMLTableRowElement>(ROW) : null;
  return row ?? undefined;
}

const columnOf = (row: Element): Element | null => row.closest('.column');

/** The rows of the other columns that belong to this one. */
function related(row: HTMLTableRowElement): HTMLTableRowElement[] {
  const marks = new Set(marksOf(row));
  const rows = row.closest('.sheet')?.querySelectorAll<HTMLTableRowElement>('tr[data-marks]') ?? [];
  return [...rows].filter(
    (other) => columnOf(other) !== columnOf(row) && marksOf(other).some((mark) => marks.has(mark)),
  );
}

/** Only the columns are scrolled: the page stays where it is. */
function bringIntoView(rows: readonly HTMLTableRowElement[]): void {
  const first = Map.groupBy(rows, columnOf);
  for (const [column, [row]] of first) {
    if (column === null || row === undefined) continue;
    const [outer, inner] = [column.getBoundingClientRect(), row.getBoundingClientRect()];
    const isVisible = inner.top >= outer.top + 60 && inner.bottom <= outer.bottom;
    if (!isVisible) column.scrollTop += inner.top - outer.top - outer.height / 3;
  }
}

function mark(row: HTMLTableRowElement | undefined): void {
  for (const marked of document.querySelectorAll('.sheet .marked')) marked.classList.remove('marked');
  if (row === undefined) return;
  row.classList.add('marked');
  for (const other of related(row)) other.classList.add('marked');
}

/** A row that was clicked stays marked until the next click. */
let pinned: HTMLTableRowElement | undefined;
let waiting: ReturnType<typeof setTimeout> | undefined;

document.addEventListener('mouseover', ({ target }) => {
  const row = rowAt(target);
  clearTimeout(waiting);
  if (pinned !== undefined && document.contains(pinned)) return;
  mark(row);
  if (row === undefined) return;
  // A pointer that only passes over moves nothing.
  waiting = setTimeout(() => {
    bringIntoView(related(row));
  }, 250);
});

document.addEventListener('click', ({ target }) => {
  const row = rowAt(target);
  if (row === undefined || (target instanceof Element && target.closest('a') !== null)) return;
  pinned = pinned === row ? undefined : row;
  mark(row);
  bringIntoView(related(row));
});

document.addEventListener('focusin', ({ target }) => {
  const row = rowAt(target);
  if (row === undefined) return;
  pinned = undefined;
  mark(row);
  bringIntoView(related(row));
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    pinned = undefined;
    mark(undefined);
  }
});

/** A link to a row marks what belongs to it, too. */
window.addEventListener('hashchange', () => {
  const row = rowAt(document.querySelector(location.hash === '' ? ':not(*)' : location.hash));
  pinned = row;
  mark(row);
  if (row !== undefined) bringIntoView(related(row));
});

/** A cart with faults opens at the first of them. */
document.addEventListener('console:shown', () => {
  for (const sheet of document.querySelectorAll('.sheet')) {
    const first =
      sheet.querySelector<HTMLTableRowElement>('.target tr.fault') ??
      sheet.querySelector<HTMLTableRowElement>('tr.fault');
    if (first !== null) bringIntoView([first, ...related(first)]);
  }
});

const dropPlace = (target: EventTarget | null): HTMLFormElement | null =>
  target instanceof Element ? target.closest<HTMLFormElement>('form#workbench') : null;

document.addEventListener('dragover', (event) => {
  if (dropPlace(event.target) !== null) event.preventDefault();
});

document.addEventListener('drop', (event) => {
  const files = event.dataTransfer?.files;
  const input = dropPlace(event.target)?.querySelector<HTMLInputElement>('input[type=file]');
  // A text that was dropped goes where it was dropped.
  if (files === undefined || files.length === 0 || input === undefined || input === null) return;
  event.preventDefault();
  input.files = files;
});
