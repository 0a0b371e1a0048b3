// One picture among many: a tile of the grid, or a row of the list.
import { make, shortened } from './dom.js';
import { bytes, ms, objectURL, renditionURL, saved, sum } from './text.js';
import { server, uploads } from './store.js';
import { suited } from './shape.js';
import { placeholder } from './thumbhash.js';
import { strip } from './timeline.js';

const names = { waiting: 'waits', sending: 'uploading …', sent: 'uploaded', working: 'resizing …', superseded: 'resized' };

// fill draws an item into its button, with the pictures that are loaded there already.
export function fill(button, item, view, width) {
  const loaded = Map.groupBy(button.querySelectorAll('img'), (img) => img.src);
  const said = facts(item);
  button.replaceChildren(...(view === 'grid' ? tile : row)(item, said, width));
  for (const img of button.querySelectorAll('img')) {
    const again = loaded.get(img.src)?.pop();
    if (again) img.replaceWith(again);
  }
}

// facts are what is said of an item in a line.
function facts(item) {
  const { result, made, status, failure } = item;
  if (made?.length && result) return [`${bytes(result.source.bytes)} → ${bytes(out(made))}`, saved(result.source.bytes, out(made)), ...(item.total ? [ms(item.total)] : [])];
  return [names[status] ?? status, ...(failure?.class ?? result?.class ? [failure?.class ?? result.class] : []), bytes(item.bytes)];
}
const out = (made) => sum(made, (r) => r.bytes);

function tile(item, said, width) {
  return [
    make('span', { className: 'cell' }, image(item, width)),
    make('span', { className: 'caption' }, shortened(item.key), item.total ? make('span', { className: 'facts' }, make('span', {}, said.at(-2)), make('b', {}, ms(item.total))) : badge(item, said)),
  ];
}

function row(item, said) {
  return [
    item.made?.length ? family(item) : make('span', { className: 'family' }, make('span', { className: 'cell' }, image(item, 120))),
    make('span', { className: 'caption' }, shortened(item.key), item.total ? make('span', { className: 'facts' }, said.slice(0, 2).join(', ')) : badge(item, said)),
    item.steps?.length ? strip(item) : make('span', { className: 'reason' }, item.failure?.error ?? item.result?.reason ?? item.error ?? ''),
    make('b', { className: 'total' }, item.total ? ms(item.total) : ''),
  ];
}

const badge = (item, [status, ...more]) => make('span', { className: 'facts' },
  make('span', { className: `badge ${item.status}` }, item.result?.class || item.failure ? `${status}: ${more[0]}` : status), make('span', {}, more.at(-1)));

// image is the picture as a whole, in its own shape, at least so many pixels wide where there are as many.
function image(item, width) {
  const source = item.result?.source, made = item.made ?? [];
  const r = suited(made, source ?? made[0], width);
  const [w, h] = source?.width ? [source.width, source.height] : r ? [r.width, r.height] : [4, 3];
  const f = frame(placeholder(source), w, h, r ? renditionURL(r) : original(item), item.status === 'working' ? 'dim' : '');
  if (r) f.style.setProperty('--pixels', `${r.width}px`); // which is not blown up
  return f;
}

// original is shown where there is no rendition; if it is large, it is not: a list is no place to decode it.
const largest = 8e6; // bytes
const original = (item) => item.url ?? uploads.get(item.key)?.url ??
  (item.result?.source.etag && item.bytes <= largest ? objectURL(server.about.bucket, item.key, item.result.source.etag) : null);

// family draws a picture and its renditions, one for each size, at their true relative sizes and each in its own shape.
function family(item) {
  const source = item.result?.source ?? {}, bySize = new Map();
  for (const r of item.made) if (!bySize.has(r.size)) bySize.set(r.size, r);
  const made = [...bySize.values()].sort((a, b) => b.width * b.height - a.width * a.height);
  const width = source.width ?? made[0].width * 2, height = source.height ?? made[0].height * 2;
  const all = [{ width, height }, ...made], behind = placeholder(source);
  const scale = Math.min(room.width / sum(all, (r) => r.width), room.height / Math.max(...all.map((r) => r.height)));
  return make('span', { className: 'family' }, ...all.map((shape, i) => {
    const f = frame(behind, shape.width, shape.height, renditionURL(suited(item.made, shape, shape.width * scale)), i || source.width ? '' : 'dim');
    f.style.setProperty('width', `${Math.max(2, shape.width * scale)}px`);
    return f;
  }));
}
const room = { width: 205, height: 64 }; // pixels; what CSS leaves in a row, less its gaps

function frame(behind, width, height, src, className) {
  const f = make('span', { className: `frame ${className}`, style: { 'aspect-ratio': `${width} / ${height}`, '--ratio': width / height, ...behind } });
  if (!src) return f;
  const img = make('img', { decoding: 'async', alt: '', src });
  img.onerror = () => { // its frame may be another one by then
    const at = img.parentNode;
    at?.classList.add('blank');
    at?.replaceChildren('no preview');
  };
  f.append(img);
  return f;
}
