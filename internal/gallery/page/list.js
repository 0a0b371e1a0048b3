// The pictures, as a grid or a list. Only those near the window have elements, each at its computed place: their number
// does not depend on how many pictures there are. How large a tile or a row is, the style sheet says (.measure).
import { $, make } from './dom.js';
import { fill } from './item.js';
import { selected } from './filter.js';

const deck = $('deck'), measure = $('measure');
let items = [], index = new Map(); // what is shown, and where in it an id is
let columns = 1, width = 0, height = 0, gap = 0;
let current, place = 0; // the id that the Tab key comes to, and where it is, or was: what is there then takes over
const elements = new Map(); // by id

export const view = () => deck.className;

export function setView(name) {
  deck.className = name;
  for (const [, e] of elements) e.remove();
  elements.clear();
  layout();
}

// layout is done again when the width changes.
function layout() {
  const least = measure.getBoundingClientRect(), all = deck.clientWidth;
  gap = Math.round(Number.parseFloat(getComputedStyle(deck).rowGap)); // whole pixels, as browsers scroll
  columns = view() === 'grid' ? Math.max(1, Math.floor((all + gap) / (least.width + gap))) : 1;
  width = (all - gap * (columns - 1)) / columns;
  height = Math.round(view() === 'grid' ? least.height + width * 0.75 : least.height);
  deck.style.setProperty('--width', `${width}px`);
  deck.style.setProperty('--height', `${height}px`);
  resize();
  render();
}
new ResizeObserver(() => { if (deck.clientWidth) layout(); }).observe(deck);

const rows = () => Math.ceil(items.length / columns);
const resize = () => deck.style.setProperty('height', `${Math.max(0, rows() * (height + gap) - gap)}px`);
const top = () => deck.getBoundingClientRect().top;

// update shows what there is now. What is looked at stays where it is when others come above it.
export function update() {
  const first = top() < 0 ? items[Math.floor(-top() / (height + gap)) * columns] : undefined;
  const was = first && Math.floor(index.get(first.id) / columns);
  items = selected();
  index = new Map(items.map((item, i) => [item.id, i]));
  resize();
  const now = first && index.get(first.id);
  if (now !== undefined) {
    const moved = (Math.floor(now / columns) - was) * (height + gap);
    if (moved) scrollBy({ top: moved, behavior: 'instant' });
  }
  render();
  return items.length;
}

// fromTop is for another choice: what it finds begins at the top.
export function fromTop() {
  const bar = $('bar').getBoundingClientRect().height;
  items = [];
  if (top() < bar) scrollTo({ top: scrollY + top() - bar - gap, behavior: 'instant' });
}

const ahead = 600; // pixels above and below the window that are drawn

function render() {
  if (!height) return;
  const from = Math.max(0, Math.floor((-top() - ahead) / (height + gap)) * columns);
  const to = Math.min(items.length, Math.ceil((innerHeight - top() + ahead) / (height + gap)) * columns);
  const focused = document.activeElement.closest?.('#deck > li');
  const wanted = new Set();
  for (let i = from; i < to; i++) wanted.add(items[i].id);
  if (focused && index.has(focused.shows)) wanted.add(focused.shows); // wherever it is: to remove it would lose the focus
  for (const [id, e] of elements) {
    if (wanted.has(id)) continue;
    if (e === focused) queueMicrotask(refocus); // it is gone
    e.remove();
    elements.delete(id);
  }
  for (const id of wanted) put(id);
  if (!index.has(current)) current = items[Math.min(place, items.length - 1)]?.id;
  if (!wanted.has(current)) current = items[Math.max(from, Math.min(to - 1, Math.ceil(-top() / (height + gap)) * columns))]?.id;
  place = index.get(current) ?? 0;
  for (const [id, e] of elements) e.firstChild.tabIndex = id === current ? 0 : -1;
}

// put gives an item its element, as it is now, where it belongs.
function put(id) {
  const at = index.get(id), item = items[at];
  let e = elements.get(id);
  if (!e) {
    e = make('li', { data: { key: item.key } }, make('button', { type: 'button', className: 'open', data: { act: 'open' } }));
    e.shows = id;
    elements.set(id, e);
  }
  if (e.item !== item || e.drawn !== item.status) {
    e.dataset.state = item.status;
    fill(e.firstChild, item, view(), width);
    e.item = item;
    e.drawn = item.status;
  }
  if (e.at !== at || e.of !== items.length || e.columns !== columns || e.width !== width) {
    e.style.setProperty('transform', `translate(${(at % columns) * (width + gap)}px, ${Math.floor(at / columns) * (height + gap)}px)`);
    e.setAttribute('aria-posinset', at + 1);
    e.setAttribute('aria-setsize', items.length);
    Object.assign(e, { at, of: items.length, columns, width });
  }
  if (!e.isConnected) { // in order, for those who go through it by a reader
    const next = [...deck.children].find((other) => index.get(other.shows) > at);
    deck.insertBefore(e, next ?? null);
  }
}

// refocus moves the focus to what is where it was, because that is gone.
export function refocus() {
  if (items.length) focus(index.get(current));
  else $('pick').focus();
}

function focus(at) {
  if (items[at] === undefined) return;
  current = items[at].id;
  const y = top() + Math.floor(at / columns) * (height + gap), bar = $('bar').getBoundingClientRect().bottom;
  if (y < bar + gap) scrollBy({ top: y - bar - gap, behavior: 'instant' });
  else if (y + height > innerHeight) scrollBy({ top: y + height + gap - innerHeight, behavior: 'instant' });
  render();
  if (!elements.has(current)) put(current);
  elements.get(current).firstChild.focus({ preventScroll: true });
  render();
}

// watchDeck calls open and remove with the item that is meant.
export function watchDeck({ open, remove }) {
  const itemOf = (event) => items[index.get(event.target.closest('li')?.shows)];
  addEventListener('scroll', render, { passive: true });
  addEventListener('resize', render);
  deck.addEventListener('click', (event) => { const item = itemOf(event); if (item) open(item); });
  deck.addEventListener('focusin', (event) => { current = event.target.closest('li').shows; render(); });
  deck.addEventListener('keydown', (event) => {
    const item = itemOf(event);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = index.get(item.id), page = Math.max(1, Math.floor(innerHeight / (height + gap)) - 1) * columns, last = items.length - 1;
    const to = {
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns,
      PageDown: Math.min(last, at + page), PageUp: Math.max(0, at - page), Home: 0, End: last,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      focus(event.key === 'ArrowDown' && to > last && Math.floor(at / columns) < rows() - 1 ? last : to);
    } else if (event.key === 'Delete') remove(item);
  });
}
