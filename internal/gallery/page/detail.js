// One picture: compared with its renditions, with all that is known of it, and what can be done with it.
import { $, copyButton, make, say, shortened } from './dom.js';
import { bytes, objectURL, renditionURL } from './text.js';
import { cards, server, uploads } from './store.js';
import { sameShape } from './shape.js';
import { placeholder } from './thumbhash.js';
import { snippets } from './snippets.js';
import { timeline } from './timeline.js';
import { askToRemove } from './remove.js';
import { dismiss, retry } from './upload.js';

const dialog = $('view'), box = $('compare'), slider = $('slider');
let shown; // the item

const slide = () => box.style.setProperty('--at', `${slider.value}%`);
slider.oninput = slide;

export function open(item) {
  draw(item);
  slider.value = 50;
  slide();
  dialog.showModal();
  (box.className === 'compare' && !box.hidden ? slider : dialog.querySelector('.close')).focus();
}

// follow keeps the picture that is open as it is by now, and reports whether it still is there. An upload of this page
// becomes the server's picture.
export function follow() {
  if (!dialog.open) return true;
  const now = (shown.file && uploads.get(shown.key)) || cards.get(shown.key);
  if (now && now !== shown && now.state !== 'working') draw(now);
  if (now) return true;
  dialog.close();
  say(`${shown.key} is gone`);
  return false;
}

function draw(item) {
  const chosen = dialog.open && dialog.querySelector('[name=rendition]:checked')?.value;
  shown = item;
  $('view-title').replaceChildren(shortened(item.key));
  const made = item.result ? [...item.made].sort((a, b) => b.width - a.width) : [];
  const first = made.find((r) => r.key === chosen) ?? made[0];
  box.hidden = !first;
  $('renditions').replaceChildren($('renditions').firstElementChild, ...originalRow(item), ...made.map((r) => renditionRow(item, r, r === first)));
  $('view-what').replaceChildren(...(made.length ? [timeline(item)] : verdict(item)));
  $('snippets').replaceChildren(...(item.file ? [] : snippets(item)).map(([name, text]) => make('div', {},
    make('h3', {}, name, copyButton('Copy', name, () => text)), make('pre', { tabIndex: 0, ariaLabel: name, role: 'group' }, make('code', {}, text)))));
  $('view-actions').replaceChildren(...actions(item));
  $('view-note').textContent = '';
  if (first) compare(item, first);
}

// compare lays the original over a rendition of its shape. One of another shape, cut or filled, stands beside it; what
// browsers do not show has nothing beside it.
function compare({ key, result: { source } }, r) {
  const visible = ['jpeg', 'png', 'gif', 'webp', 'avif'].includes(source.format), same = sameShape(source, r);
  box.className = !visible ? 'compare single' : same ? 'compare' : 'compare beside';
  for (const name of ['--ratio', '--pixels', 'background-image', 'background-color']) box.style.removeProperty(name);
  const style = { '--ratio': r.width / r.height, '--pixels': `${r.width}px`, '--original': source.width / source.height, ...(same && placeholder(source)) };
  for (const [name, value] of Object.entries(style)) box.style.setProperty(name, value);
  $('after').src = renditionURL(r);
  if (visible) $('before').src = objectURL(server.about.bucket, key, source.etag);
  else $('before').removeAttribute('src');
  $('after-tag').textContent = `${r.size} ${r.format} · ${bytes(r.bytes)}`;
  $('view-note').textContent = !visible ? `Browsers do not show ${source.format}: there is nothing to compare with.`
    : same ? 'Both are shown at one size.' : 'The rendition has another shape than the original, which stands beside it.';
}

const address = (bucket, key) => new URL(objectURL(bucket, key), document.baseURI).href;

// row is a line for an object: what it is, and what can be done with it.
function row(name, facts, { bucket, key, etag }, label) {
  const href = objectURL(bucket, key, etag), file = key.slice(key.lastIndexOf('/') + 1);
  return make('div', { className: 'rendition' }, name, ...facts.map((f) => make('span', { className: 'fact' }, f)),
    make('span', { className: 'do' },
      make('a', { href, target: '_blank', rel: 'noopener', data: { act: `open ${label}` }, aria: { label: `Open: ${label}` } }, 'Open'),
      make('a', { href, download: file, data: { act: `save ${label}` }, aria: { label: `Save: ${label}` } }, 'Save'),
      copyButton('Copy address', label, () => address(bucket, key))));
}

function renditionRow(item, r, checked) {
  const several = item.made.some((o) => o.format !== r.format), name = several ? `${r.size} ${r.format}` : r.size;
  const radio = make('input', { type: 'radio', name: 'rendition', value: r.key, checked, onchange: () => compare(item, r) });
  return row(make('label', {}, radio, name), [`${r.width} × ${r.height}`, bytes(r.bytes)], r, name);
}

function originalRow(item) {
  if (item.file) return [];
  const s = item.result?.source ?? {};
  return [row(make('span', { className: 'name' }, 'original'), [s.width ? `${s.width} × ${s.height}` : s.format ?? '', bytes(item.bytes)], { bucket: server.about.bucket, key: item.key, etag: s.etag }, 'original')];
}

// verdict is in the place of the timeline where there are no renditions.
function verdict({ result, failure, error, status }) {
  const said = (...texts) => texts.filter(Boolean).map((text, i) => make('p', { className: i ? 'note' : '' }, text));
  if (failure) {
    return [make('p', {}, make('span', { className: 'badge failed' }, `failed: ${failure.class}`)),
      ...said(failure.error, `Written: ${failure.written?.join(', ') ?? 'nothing'}. Missing: ${failure.missing?.join(', ') ?? 'nothing'}.`)];
  }
  const name = result?.class ? `${result.status}: ${result.class}` : status === 'working' ? 'resizing …' : status;
  return [make('p', {}, make('span', { className: `badge ${status}` }, name)),
    ...said(error ?? result?.reason, result?.previous && 'The renditions of an older upload are still in place.')];
}

function actions(item) {
  const button = (text, className, onclick) => make('button', { type: 'button', className, onclick, data: { act: text } }, text);
  if (item.status === 'refused') return [button('Try again', '', () => { dialog.close(); retry(item); }), button('Dismiss', '', () => { dialog.close(); dismiss(item); })];
  if (item.file) return [];
  return [make('span', { className: 'note' }, `Uploaded ${new Date(item.at).toLocaleString()}`), button('Delete …', 'danger', () => askToRemove(item))];
}
