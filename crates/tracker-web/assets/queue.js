// Keys for the queue and for a match: every one presses what a person without a script presses, too.
// Invariant: nothing is decided here; a form is sent, and the server answers with the next page.
'use strict';

const items = [...document.querySelectorAll('[data-item]')];
const queue = document.querySelector('[data-queue]');
const one = document.querySelector('[data-one]');
const words = new Map([...document.querySelectorAll('[data-key]')].map(({ dataset }) => [dataset.key, dataset.word]));
const place = `queue ${location.pathname}`;
let cursor = -1;

function go(to) {
  if (items.length === 0) return;
  items[cursor]?.removeAttribute('aria-current');
  cursor = Math.max(0, Math.min(items.length - 1, to));
  const item = items[cursor];
  item.setAttribute('aria-current', 'true');
  item.querySelector('a.id').focus({ preventScroll: true });
  item.scrollIntoView({ block: 'nearest' });
}

function decide(word) {
  const form = queue ?? one;
  const name = queue ? items[cursor]?.dataset.item : one?.dataset.one;
  if (!form || !name) return;
  const now = document.createElement('input');
  now.type = 'hidden';
  now.name = 'now';
  now.value = `${word}|${name}`;
  form.append(now);
  // Behind this page is the next one of the queue, where the cursor goes on.
  sessionStorage.setItem(place, String(cursor));
  form.submit();
}

const keys = {
  j: () => go(cursor + 1),
  k: () => go(cursor - 1),
  x: () => items[cursor]?.querySelector('input[type="checkbox"]')?.click(),
  o: () => items[cursor]?.querySelector('a.id').click(),
  g: () => (items[cursor] ?? document).querySelector('[data-family]')?.click(),
  u: () => {
    sessionStorage.setItem(place, String(cursor));
    document.querySelector('[data-undo]')?.click();
  },
  '/': () => document.querySelector('#q, #find')?.focus(),
  '?': () => {
    const help = document.querySelector('#keys');
    help.setAttribute('tabindex', '-1');
    help.focus();
  },
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest('input:not([type="checkbox"]), textarea, select');
  if (typing) {
    if (event.key === 'Escape') typing.blur();
    return;
  }
  const key = keys[event.key];
  if (key) {
    event.preventDefault();
    key();
  } else if (words.has(event.key)) {
    event.preventDefault();
    decide(words.get(event.key));
  }
});

// A click sets the cursor, too.
items.forEach((item, index) => item.addEventListener('focusin', () => {
  items[cursor]?.removeAttribute('aria-current');
  cursor = index;
  item.setAttribute('aria-current', 'true');
}));

const left = sessionStorage.getItem(place);
sessionStorage.removeItem(place);
if (left !== null) go(Number(left));

// What may come next in the query, from the names that stand in the database.
const query = document.querySelector('input[list="completions"]');
const offered = document.querySelector('#completions');
let waiting;
query?.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const typed = query.value;
    const answer = await fetch(`/api/v1/queue/completions?q=${encodeURIComponent(typed)}`);
    if (!answer.ok || query.value !== typed) return;
    offered.replaceChildren(...(await answer.json()).map((text) => {
      const option = document.createElement('option');
      option.value = text;
      return option;
    }));
  }, 200);
});
