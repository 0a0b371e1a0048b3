// Which pictures are shown, and in which order.
import { $, make } from './dom.js';
import { count } from './text.js';
import { cards, server, uploads } from './store.js';

const order = {
  newest: (a, b) => b.seq - a.seq,
  oldest: (a, b) => a.seq - b.seq,
  largest: (a, b) => b.bytes - a.bytes,
  smallest: (a, b) => a.bytes - b.bytes,
  slowest: (a, b) => (b.total ?? -1) - (a.total ?? -1),
  fastest: (a, b) => (a.total ?? Infinity) - (b.total ?? Infinity) || 0, // Infinity - Infinity is not a number
};

// The statuses of each choice; uploads that are under way count as pictures in work.
const choices = {
  resized: ['resized', 'superseded'], working: ['working', 'waiting', 'sending', 'sent'], rejected: ['rejected', 'refused'], failed: ['failed'], skipped: ['skipped'],
};

const controls = ['search', 'status', 'format', 'sort'].map($);

// selected returns what is to be shown, in order: first what this page uploads, then the server's pictures.
export function selected() {
  const [words, status, format, sort] = controls.map((c) => c.value);
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean), statuses = choices[status];
  const matches = (item) => (!statuses || statuses.includes(item.status)) && (!format || item.format === format) &&
    (!wanted.length || wanted.every((w) => (item.lower ??= item.key.toLowerCase()).includes(w)));
  const known = [...cards.values()].filter(matches).sort((a, b) => order[sort](a, b) || b.seq - a.seq);
  const pending = [...uploads.values()].filter((u) => !(cards.has(u.key) && u.status === 'sent') && matches(u));
  return [...pending, ...known];
}

const filtered = () => controls.slice(0, 3).some((c) => c.value !== '');

// showChoices offers the formats that there are, and says how many pictures of all are shown.
export function showChoices(shown) {
  const [, , format] = controls;
  const formats = [...new Set([...cards.values()].map((c) => c.format).filter(Boolean))].sort();
  if (format.value && !formats.includes(format.value)) formats.push(format.value);
  if ([...format.options].slice(1).map((o) => o.value).join() !== formats.join()) {
    const chosen = format.value;
    format.replaceChildren(format.options[0], ...formats.map((f) => make('option', { value: f }, f.toUpperCase())));
    format.value = chosen;
  }
  const all = cards.size + [...uploads.keys()].filter((key) => !cards.has(key)).length;
  const known = `${cards.size === server.about?.kept ? 'the newest ' : ''}${count(all, 'picture')}`;
  const text = filtered() ? `${shown.toLocaleString('en')} of ${known}` : known;
  if ($('shown').textContent !== text) $('shown').textContent = text; // what is set is read out
}

// watchFilter calls back when another choice is made.
export function watchFilter(again) {
  for (const c of controls) c.addEventListener('input', again);
  const clear = () => {
    for (const c of controls.slice(0, 3)) c.value = '';
    $('search').focus();
    again();
  };
  $('clear').onclick = clear;
  $('search').addEventListener('keydown', (event) => { if (event.key === 'Escape' && $('search').value) { event.preventDefault(); $('search').value = ''; again(); } });
}
