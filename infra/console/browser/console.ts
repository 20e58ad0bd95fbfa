/**
 * What the pages do beside links: send acts with the key of this tab, refresh, copy, tell local times, and the search key.
 * Everything that is only shown works without it.
 */

/** The link's fragment holds a secret for one exchange: it opens the console, and gives this tab the key to act. */
async function openByLink(): Promise<void> {
  const secret = new URLSearchParams(location.hash.slice(1)).get('open');
  if (secret === null) return;
  // Out of the address bar and the history before anything else.
  history.replaceState(null, '', location.pathname + location.search);
  const answer = await fetch('/session', { method: 'POST', headers: { 'x-console-key': secret } });
  const entrance = document.querySelector('#entrance');
  if (answer.ok) {
    sessionStorage.setItem('console-key', await answer.text());
    if (entrance !== null) location.reload();
  } else if (entrance !== null) {
    entrance.textContent = 'This link was used already. The terminal shows another one.';
  }
}
// A link that is opened in a tab of the console loads no page.
addEventListener('hashchange', () => void openByLink());
await openByLink();

const keyHeader = (): Record<string, string> => ({ 'x-console-key': sessionStorage.getItem('console-key') ?? '' });

/** An answer in plain words. */
class Refused extends Error {}

/** Takes over the content of another version of this page, where that is still wanted, and moves the focus to its heading after an act. */
async function show(answer: Response, moveFocus: boolean, isWanted = (): boolean => true): Promise<void> {
  const text = await answer.text();
  const next = new DOMParser().parseFromString(text, 'text/html');
  const [mine, theirs] = [document.querySelector('main'), next.querySelector('main')];
  // A refusal that is no page, such as that of a form that is too large.
  if (mine === null || theirs === null) throw new Refused(text.trim());
  if (!isWanted()) return;
  mine.replaceWith(document.adoptNode(theirs));
  const [footer, newFooter] = [document.querySelector('footer'), next.querySelector('footer')];
  if (footer !== null && newFooter !== null) footer.replaceWith(document.adoptNode(newFooter));
  document.title = next.title;
  enliven();
  document.dispatchEvent(new CustomEvent('console:shown'));
  if (moveFocus) {
    const heading = document.querySelector<HTMLElement>('main h1');
    heading?.setAttribute('tabindex', '-1');
    heading?.focus();
  }
}

/** Above the form, what the page of a refusal says. */
function sayRefusal(form: HTMLFormElement, text: string): void {
  const main = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
  if (main === null) throw new Refused(text.trim());
  const said = [...main.querySelectorAll(':scope > .notice, :scope > .notice + p')];
  const words = (said.length === 0 ? [main] : said).map(({ textContent }) => textContent.trim()).join(' ');
  const place = document.querySelector('#refusal') ?? document.createElement('p');
  place.id = 'refusal';
  place.className = 'notice negative';
  place.setAttribute('role', 'alert');
  place.textContent = words;
  form.before(place);
  place.scrollIntoView({ block: 'nearest' });
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== 'post') return;
  event.preventDefault();
  const { submitter } = event;
  const body = new FormData(form, submitter);
  const button = submitter instanceof HTMLButtonElement ? submitter : undefined;
  const words = button?.textContent ?? '';
  if (button !== undefined) {
    button.disabled = true;
    button.textContent = `${words} …`;
  }
  const work = async (): Promise<void> => {
    const answer = await fetch(form.action, { method: 'POST', headers: keyHeader(), body });
    if (answer.ok) return show(answer, true);
    // What the person typed stays, so that it can be corrected and sent again.
    sayRefusal(form, await answer.text());
    if (button === undefined) return;
    button.disabled = false;
    button.textContent = words;
  };
  work().catch((error: unknown) => {
    if (button === undefined) return;
    button.disabled = false;
    const reason = error instanceof Refused ? error.message : 'no answer: is the console still running?';
    button.textContent = `${words} (${reason})`;
  });
});

function enliven(): void {
  for (const place of document.querySelectorAll<HTMLTimeElement>('main time[datetime]')) {
    const at = new Date(place.dateTime);
    place.title = at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
  }
  for (const place of document.querySelectorAll<HTMLElement>('[data-copy]')) {
    if (place.nextElementSibling?.classList.contains('copy') === true) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', `Copy ${place.dataset['copy'] === '' ? (place.textContent ?? '') : 'this text'}`);
    button.addEventListener('click', () => {
      const say = (words: string) => (): void => {
        button.textContent = words;
      };
      void navigator.clipboard.writeText(place.textContent ?? '').then(say('Copied'), say('Not copied'));
    });
    place.after(button);
  }
  for (const all of document.querySelectorAll<HTMLInputElement>('input[data-all]')) {
    all.addEventListener('change', () => {
      for (const one of document.querySelectorAll<HTMLInputElement>(`input[name="${all.dataset['all'] ?? ''}"]`)) {
        if (all.closest('table')?.contains(one) === true) one.checked = all.checked;
      }
    });
  }
  // A section scrolls sideways when a line in it is too wide. Larger letters can make one so, and no event tells of that:
  // each section takes the focus, so that the keyboard can scroll it.
  for (const section of document.querySelectorAll<HTMLElement>('main section')) section.tabIndex = 0;
}
enliven();

/** A page that says so is read again while it is looked at, and while nothing in it is being used. */
const REFRESH_MS = 30_000;
/** A section that has the focus by a click is not in use. One that has it by the keyboard is: the keyboard may scroll it. */
const IN_USE = 'main :focus:not(section), main section:focus-visible, main details[open] form';
function isInUse(): boolean {
  const reasons = [...document.querySelectorAll<HTMLInputElement>('main input[name=reason]')];
  return document.querySelector(IN_USE) !== null || reasons.some(({ value }) => value !== '');
}
setInterval(() => {
  const read = document.querySelector('main');
  const isWanted = (): boolean => !document.hidden && !isInUse();
  if (document.querySelector('main [data-refresh]') === null || !isWanted()) return;
  fetch(location.href, { headers: { 'x-console-refresh': '1' } })
    // While the answer was on its way, a person may have begun to type, or have acted: that page is newer.
    .then((answer) =>
      answer.ok ? show(answer, false, () => isWanted() && document.querySelector('main') === read) : sayOld(),
    )
    .catch(sayOld);
}, REFRESH_MS);

/** Above the page: what it shows is no longer the state. */
function sayOld(): void {
  if (document.querySelector('#old') !== null) return;
  const place = document.createElement('p');
  place.id = 'old';
  place.className = 'notice critical';
  place.setAttribute('role', 'status');
  const since = document.querySelector('footer time')?.textContent ?? '';
  document.querySelector('main h1')?.after(place);
  // A screen reader says what changes in a place that it knows.
  place.textContent = `Not refreshed since ${since}: the console or the session has ended, or AWS does not answer. Open this page again to see which.`;
}

document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
});
