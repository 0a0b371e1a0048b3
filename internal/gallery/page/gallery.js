// The gallery: what the server tells of pictures, drawn. The server sends every card, and again each one that changes
// (news); what is kept here is their data, and of their elements only those near the window.

const $ = (id) => document.getElementById(id);

// make makes an element. Properties are set as such, so that no text is ever read as markup.
function make(tag, props = {}, ...children) {
  const { style, data, aria, ...rest } = props;
  const e = Object.assign(document.createElement(tag), rest);
  for (const name in style) e.style.setProperty(name, style[name]);
  for (const name in aria) e.setAttribute(name, aria[name]);
  Object.assign(e.dataset, data);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// Numbers, for people: as the command's own table has them.
const bytes = (n) => n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : n >= 1e4 ? `${Math.round(n / 1e3)} kB` : n >= 1e3 ? `${(n / 1e3).toFixed(1)} kB` : `${n} B`;
const ms = (n) => n >= 999.5 ? `${(n / 1000).toFixed(2)} s` : n >= 9.95 ? `${Math.round(n)} ms` : `${n.toFixed(1)} ms`;
const saved = (from, to) => `${to <= from ? '−' : '+'}${Math.round(100 * Math.abs(1 - to / from))} %`;
const sum = (list, of) => list.reduce((all, x) => all + of(x), 0);

const encodeKey = (key) => key.split('/').map(encodeURIComponent).join('/');
const objectURL = (bucket, key, etag) => `object/${bucket}/${encodeKey(key)}?v=${etag ?? ''}`;

let about;
const cards = new Map(); // by key
const uploads = new Map(); // of this page, by key: {key, file, url, state, error}

// ---- What the server tells ----

function listen() {
  const news = new EventSource('news');
  news.onmessage = ({ data }) => take(JSON.parse(data));
  news.onerror = () => {
    $('where').textContent = 'The server is away. What is dropped here meanwhile is uploaded when it is back.';
    $('where').className = 'lost';
  };
}

function take(news) {
  if (news.about) {
    if (about && about.started !== news.about.started) for (const key of [...cards.keys()]) drop(key);
    about = news.about;
    showAbout();
  }
  for (const key of news.gone ?? []) drop(key);
  for (const card of news.cards ?? []) {
    const old = cards.get(card.key);
    if (old && old.seq !== card.seq) drop(card.key);
    cards.set(card.key, card);
    settle(card);
    place(card);
  }
  showTotals(news.totals);
  $('empty').hidden = cards.size + uploads.size > 0;
  for (const id of ['totals', 'legend', 'about-reference']) $(id).hidden = cards.size === 0;
}

function showAbout() {
  $('where').className = '';
  $('where').textContent = `s3://${about.bucket} → s3://${about.destination} · ${location.origin}`;
  $('empty-bucket').textContent = `s3://${about.bucket}`;
  $('empty-line').textContent = cliLine('cat.jpg');
  $('sample-offer').hidden = !about.samples;
  $('settings-all').tBodies[0].replaceChildren(...Object.entries(about.settings).sort().map(([name, value]) =>
    make('tr', { title: about.says[name] }, make('th', { scope: 'row', className: 'num' }, name), make('td', { className: 'num' }, value || '–'))));
}

function showTotals(t) {
  const rows = [
    ['pictures', t.pictures + (t.others ? ` + ${t.others}` : ''), t.others ? 'not resized' : ''],
    ['in', bytes(t.bytesIn)], ['out', bytes(t.bytesOut), t.bytesIn ? saved(t.bytesIn, t.bytesOut) : ''],
    ['median', ms(t.p50)], ['95th percentile', ms(t.p95)], ['a second, while busy', t.perSecond.toFixed(1)], ['memory', bytes(t.memory)],
  ];
  $('totals').replaceChildren(...rows.map(([name, value, more]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value, more ? make('small', {}, ` ${more}`) : null))));
}

// ---- Where cards are: in chunks by their number, each of which has elements only while it is near the window ----

const chunkSize = 4;
const chunks = new Map(); // by number: {section, keys, near}
const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chunk = chunks.get(Number(target.dataset.chunk));
    if (!chunk || chunk.near === isIntersecting) continue;
    chunk.near = isIntersecting;
    if (isIntersecting) fill(chunk);
    else {
      target.style.setProperty('min-height', `${target.getBoundingClientRect().height}px`); // to the fraction: nothing moves
      target.replaceChildren();
    }
  }
}, { rootMargin: '900px 0px' });

const chunkOf = (card) => Math.floor(card.seq / chunkSize);

function place(card) {
  const number = chunkOf(card);
  let chunk = chunks.get(number);
  if (!chunk) {
    chunk = { section: make('div', { data: { chunk: number } }), keys: new Set(), near: false };
    chunks.set(number, chunk);
    const below = [...$('deck').children].find((s) => Number(s.dataset.chunk) < number);
    $('deck').insertBefore(chunk.section, below ?? null);
    near.observe(chunk.section);
  }
  if (!chunk.keys.has(card.key)) {
    chunk.keys.add(card.key);
    if (!chunk.near) chunk.section.style.setProperty('min-height', `${chunk.keys.size * 330}px`);
  }
  if (chunk.near) later(chunk);
}

function drop(key) {
  const card = cards.get(key);
  if (!card) return;
  cards.delete(key);
  const number = chunkOf(card), chunk = chunks.get(number);
  chunk.keys.delete(key);
  if (chunk.keys.size === 0) {
    near.unobserve(chunk.section);
    chunk.section.remove();
    chunks.delete(number);
  } else later(chunk);
}

// later draws a chunk once before the next frame, however much has changed in it.
const due = new Set();
function later(chunk) {
  if (due.size === 0) requestAnimationFrame(() => { const now = [...due]; due.clear(); now.forEach((c) => c.near && fill(c)); });
  due.add(chunk);
}

function fill(chunk) {
  const there = new Map([...chunk.section.children].map((e) => [e.dataset.key, e]));
  const wanted = [...chunk.keys].map((key) => cards.get(key)).filter(Boolean).sort((a, b) => b.seq - a.seq).map((card) => {
    const old = there.get(card.key);
    return old && old.card === card ? old : redraw(card, old);
  });
  const focused = document.activeElement;
  wanted.forEach((e, i) => { if (chunk.section.children[i] !== e) chunk.section.insertBefore(e, chunk.section.children[i] ?? null); });
  while (chunk.section.children.length > wanted.length) chunk.section.lastElementChild.remove();
  if (focused?.dataset.act && !focused.isConnected) {
    wanted.find((e) => e.dataset.key === focused.closest('.card')?.dataset.key)?.querySelector(`[data-act="${focused.dataset.act}"]`)?.focus();
  }
  chunk.section.style.removeProperty('min-height');
}

// redraw draws a card, with the pictures that its older element has loaded.
function redraw(card, old) {
  const e = draw(card);
  e.card = card;
  if (old) {
    const loaded = Map.groupBy(old.querySelectorAll('img'), (img) => img.src);
    for (const img of e.querySelectorAll('img')) {
      const again = loaded.get(img.src)?.pop();
      if (again) img.replaceWith(again);
    }
  }
  return e;
}

// ---- A card ----

function draw(card) {
  const result = card.result, resized = result?.status === 'resized';
  const at = card.key.lastIndexOf('/') + 1;
  const e = make('article', { className: 'card', data: { key: card.key, state: card.state }, aria: { 'aria-label': card.key } });
  const facts = make('p', { className: 'facts' });
  if (resized) {
    const out = sum(result.renditions, (r) => r.bytes);
    facts.append(make('span', {}, `${bytes(result.source.bytes)} → ${bytes(out)}, ${saved(result.source.bytes, out)}`));
    if (result.timings) facts.append(make('b', {}, ms(result.timings.total)));
  } else if (card.state === 'working') facts.append(make('span', { className: 'pulse' }, 'resizing …'));
  else facts.append(make('span', {}, bytes(card.bytes)));
  e.append(make('header', {}, make('h3', {}, make('span', {}, card.key.slice(0, at)), card.key.slice(at)), facts));
  const body = make('div', { className: 'body' });
  const picture = family(card);
  body.append(resized ? make('button', {
    type: 'button', className: 'open', onclick: () => view(card.key), data: { act: 'open' }, aria: { 'aria-label': `Compare ${card.key} with its renditions` },
  }, picture) : picture);
  body.append(card.state === 'working' || resized ? timeline(card) : verdict(card));
  e.append(body);
  if (card.state !== 'working') {
    e.append(make('p', { className: 'copy' }, 'Copy', ...snippets(card).map(([name, text]) => copyButton(name, name, text))));
  }
  return e;
}

// alike tells whether a picture is of the shape of another one, but for the rounding of its sides: not cut, and not padded.
const alike = (a, b) => Math.abs(a.width * b.height - a.height * b.width) <= Math.max(b.width, b.height);

// family draws the picture and its renditions, one for each size, at their true relative sizes. The upload is drawn with
// its largest rendition that shows all of it: hundreds of originals are not loaded for frames as small as these.
function family(card) {
  const source = card.result?.source, local = uploads.get(card.key)?.url;
  const bySize = new Map();
  for (const r of card.renditions ?? []) if (!bySize.has(r.size)) bySize.set(r.size, r);
  const made = [...bySize.values()].sort((a, b) => b.width - a.width);
  const box = make('div', { className: 'family' });
  if (!made.length) {
    const original = local ?? (source?.etag && objectURL(about.bucket, card.key, source.etag));
    box.append(original ? frame(null, 4, 3, original, card.state === 'working' ? 'dim' : '') : frame(null, 4, 3, null, 'blank'));
    box.style.setProperty('max-width', '14rem');
    return box;
  }
  const width = source?.width ?? made[0].width * 2, height = source?.height ?? Math.round(width * made[0].height / made[0].width);
  const behind = placeholder(source);
  box.append(frame(behind, width, height, renditionURL(made.find((r) => alike(r, { width, height })) ?? made[0]), source?.width ? '' : 'dim'));
  for (const r of made) box.append(frame(behind, r.width, r.height, renditionURL(r), ''));
  const all = width + sum(made, (r) => r.width), highest = Math.max(height, ...made.map((r) => r.height));
  box.style.setProperty('max-width', `${Math.min(all, Math.round(190 * all / highest)) + 7 * made.length}px`);
  return box;
}

const renditionURL = (r) => objectURL(r.bucket, r.key, r.etag);

function frame(behind, width, height, src, className) {
  const f = make('div', { className: `frame ${className}`, style: { flex: `${width} 1 0`, 'aspect-ratio': `${width} / ${height}`, ...behind } });
  if (!src) return f;
  const loading = src.startsWith('blob:') ? 'eager' : 'lazy'; // a file's URL is gone when it is uploaded
  const img = make('img', { loading, decoding: 'async', alt: '', src });
  img.onerror = () => { f.classList.add('blank'); f.replaceChildren('no preview'); };
  f.append(img);
  return f;
}

// timeline is a table: a lane for each thing that was done, on one time axis.
function timeline(card) {
  const steps = card.steps ?? [], source = card.result?.source;
  if (!steps.length) {
    return make('p', { className: 'note' }, card.state === 'working' ? '' : 'Resized before this start of the server, which keeps no timelines.');
  }
  const reference = card.reference ?? [];
  const end = Math.max(...[...steps, ...reference].map((s) => s.end)) * 1.02;
  const ours = Math.max(...steps.map((s) => s.end));
  const tick = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000].find((t) => end / t <= 7) ?? 30000;
  const lane = (bars, className, name, say, label) => make('tr', { className }, make('th', { scope: 'row', title: name }, name),
    make('td', {}, make('div', { className: 'lane', style: { '--tick': `${100 * tick / end}%` } },
      ...bars.map((s) => make('i', { className: s.stage, title: `${s.stage} ${s.size ?? ''} ${ms(s.start)} – ${ms(s.end)}`, style: { left: `${100 * s.start / end}%`, width: `${100 * (s.end - s.start) / end}%` } })),
      reference.length ? make('b', { className: 'end', style: { left: `${100 * ours / end}%` } }) : null,
      make('span', { className: 'hidden' }, label ?? bars.map((s) => `${s.stage} from ${ms(s.start)} to ${ms(s.end)}`).join(', ')))),
    make('td', { className: 'say' }, ...[say].flat().map((text) => make('span', {}, text))));
  const rows = [];
  for (const stage of ['download', 'decode']) {
    const bars = steps.filter((s) => s.stage === stage);
    if (bars.length) rows.push(lane(bars, '', stage, stage === 'download' ? [source?.format.toUpperCase() ?? '', bytes(card.bytes)] : source?.width ? `${source.width} × ${source.height}` : ''));
  }
  const made = card.renditions ?? [], several = new Set(made.map((r) => r.format)).size > 1;
  for (const r of [...made].sort((a, b) => b.width - a.width)) {
    const bars = steps.filter((s) => s.size === r.size && s.format === r.format);
    rows.push(lane(bars, 'made', several ? `${r.size} ${r.format}` : r.size, [`${r.width} × ${r.height}`, bytes(r.bytes)]));
  }
  if (reference.length) {
    const total = reference.at(-1).end;
    rows.push(lane(reference, 'reference-lane', 'reference', ['modelled', `≈ ${ms(total)}`], `The handler that this replaces, modelled: ${ms(total)}, one size after the other`));
  }
  const ticks = [];
  for (let t = 0; t <= end; t += tick) ticks.push(make('span', { style: { left: `${100 * t / end}%` } }, t + tick > end ? `${t} ms` : `${t}`));
  rows.push(make('tr', { className: 'axis', ariaHidden: 'true' }, make('td', {}), make('td', {}, make('div', { className: 'lane' }, ...ticks)), make('td', {})));
  return make('table', { className: 'time' }, make('caption', { className: 'hidden' }, `Timeline of ${card.key}`), make('colgroup', {}, ...['name', 'lanes', 'said'].map((className) => make('col', { className }))), make('tbody', {}, ...rows));
}

// verdict is in the place of the timeline where there are no renditions.
function verdict(card) {
  const { result, failure } = card;
  const box = make('div', { className: 'verdict' });
  if (failure) {
    box.append(make('p', { className: 'class' }, `failed: ${failure.class}`), make('p', {}, failure.error),
      make('p', { className: 'kept' }, `Written: ${failure.written?.join(', ') ?? 'nothing'}. Missing: ${failure.missing?.join(', ') ?? 'nothing'}.`));
  } else if (result) {
    box.append(make('p', { className: 'class' }, result.class ? `${result.status}: ${result.class}` : result.status), make('p', {}, result.reason ?? ''));
    if (result.previous) box.append(make('p', { className: 'kept' }, 'The renditions of an older upload are still in place.'));
  }
  return box;
}

// ---- Placeholders: what a page shows before a picture has arrived ----

function placeholder(source) {
  const hash = source?.thumbHash && thumbHash(source);
  return { ...(source?.color && { 'background-color': source.color }), ...(hash && { 'background-image': `url("${hash}")` }) };
}

const drawn = new Map(); // ThumbHashes as data: URLs, the last few hundred
function thumbHash(source) {
  const id = `${source.thumbHash} ${source.width} ${source.height}`;
  if (!drawn.has(id)) {
    if (drawn.size > 300) drawn.delete(drawn.keys().next().value);
    drawn.set(id, pixels(source));
  }
  return drawn.get(id);
}

// pixels decodes a ThumbHash, a few coefficients of a cosine transform: https://evanw.github.io/thumbhash/ (see NOTICE).
function pixels({ thumbHash, width, height }) {
  const hash = Uint8Array.from(atob(thumbHash), (c) => c.charCodeAt(0));
  const bits = (at, n) => { let v = 0; for (let i = 0; i < n; i++) v |= (hash[(at + i) >> 3] >> ((at + i) & 7) & 1) << i; return v; };
  const alpha = bits(23, 1), wide = bits(39, 1), count = Math.max(3, bits(24, 3)), full = alpha ? 5 : 7;
  const dc = [bits(0, 6) / 63, bits(6, 6) / 31.5 - 1, bits(12, 6) / 31.5 - 1, alpha ? bits(40, 4) / 15 : 1];
  const scale = [bits(18, 5) / 31, bits(27, 6) / 63 * 1.25, bits(33, 6) / 63 * 1.25, alpha ? bits(44, 4) / 15 : 0];
  const size = [[wide ? full : count, wide ? count : full], [3, 3], [3, 3], alpha ? [5, 5] : [0, 0]];
  let at = alpha ? 48 : 40;
  const waves = size.map(([nx, ny], channel) => {
    const list = [];
    for (let y = 0; y < ny; y++) {
      for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x++, at += 4) list.push([x, y, (bits(at, 4) / 7.5 - 1) * scale[channel]]);
    }
    return list;
  });
  const w = Math.max(1, Math.round(width > height ? 32 : 32 * width / height)), h = Math.max(1, Math.round(width > height ? 32 * height / width : 32));
  const canvas = make('canvas', { width: w, height: h }), context = canvas.getContext('2d'), image = context.createImageData(w, h);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i += 4) {
      const [l, p, q, a] = waves.map((list, channel) => list.reduce((v, [fx, fy, f]) =>
        v + f * Math.cos(Math.PI / w * (x + 0.5) * fx) * Math.cos(Math.PI / h * (y + 0.5) * fy) * (fy ? 2 : 2), dc[channel]));
      const b = l - 2 / 3 * p, r = (3 * l - b + q) / 2;
      image.data.set([r, r - q, b, a].map((v) => 255 * v), i); // which clamps
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

// ---- Snippets ----

const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
const quote = (text) => `'${text.replace(/'/g, `'\\''`)}'`;

function snippets(card) {
  const list = [];
  if (card.result?.status === 'resized') list.push(['Picture markup', () => markup(card.result)]);
  if (card.result) list.push(['Report', () => JSON.stringify(card.result, null, 2)]);
  list.push(['AWS CLI line', () => cliLine(card.key)]);
  return list;
}

// markup shows the renditions wherever the destination bucket is served from the root of a site: those of the picture's shape or,
// if all are cut, of the largest one's.
function markup({ source, renditions: made }) {
  const shape = made.some((r) => alike(r, source)) ? source : [...made].sort((a, b) => b.width - a.width)[0];
  const renditions = made.filter((r) => alike(r, shape));
  const formats = [...new Set(renditions.map((r) => r.format))];
  const fallback = formats.find((f) => ['jpeg', 'png', 'gif'].includes(f)) ?? formats[0];
  const of = (format) => { // a narrow picture has several sizes of one width
    const widths = new Map();
    for (const r of renditions) if (r.format === format && !widths.has(r.width)) widths.set(r.width, r);
    return [...widths.values()].sort((a, b) => a.width - b.width);
  };
  const srcset = (format) => attribute(of(format).map((r) => `/${encodeKey(r.key)} ${r.width}w`).join(', '));
  const list = of(fallback), largest = list.at(-1), middle = list[Math.floor((list.length - 1) / 2)];
  const sizes = `(max-width: ${largest.width}px) 100vw, ${largest.width}px`;
  const hash = source.thumbHash && ` url(${thumbHash(source)}) center/cover`;
  const style = source.color || hash ? ` style="background: ${source.color ?? ''}${hash ?? ''}"` : '';
  const better = ['avif', 'webp', 'png', 'jpeg'].filter((f) => f !== fallback && formats.includes(f));
  return [
    '<picture>',
    ...better.map((f) => `  <source type="image/${f}" srcset="${srcset(f)}" sizes="${sizes}">`),
    `  <img src="/${attribute(encodeKey(middle.key))}" srcset="${srcset(fallback)}" sizes="${sizes}"`,
    `    width="${largest.width}" height="${largest.height}" alt="" loading="lazy" decoding="async"${style}>`,
    '</picture>',
  ].join('\n');
}

const cliLine = (key) => `AWS_ACCESS_KEY_ID=${about.accessKey} AWS_SECRET_ACCESS_KEY=${about.secretKey} AWS_REGION=${about.region} \\\n` +
  `  aws --endpoint-url ${location.origin} s3 cp ${quote(key.slice(key.lastIndexOf('/') + 1))} ${quote(`s3://${about.bucket}/${key}`)}`;

function copyButton(label, name, text) {
  return make('button', { type: 'button', data: { act: `copy ${name}` }, aria: { 'aria-label': `Copy: ${name}` }, onclick: () => copy(name, text()) }, label);
}

async function copy(name, text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else { // a page that came over http from another machine
    const area = make('textarea', { value: text });
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(`Copied: ${name}`);
}

function say(text) {
  $('said').textContent = '';
  $('said').textContent = text;
}

// ---- The full view ----

function view(key) {
  const card = cards.get(key), { source, renditions } = card.result;
  $('view-title').textContent = key;
  const show = (r) => {
    const unseen = !['jpeg', 'png', 'gif', 'webp', 'avif'].includes(source.format), single = unseen || !alike(r, source);
    const box = $('compare');
    box.classList.toggle('single', single);
    for (const name of ['width', 'aspect-ratio', 'background-image', 'background-color']) box.style.removeProperty(name);
    const fits = `min(100%, ${r.width}px, ${r.width / r.height} * max(12rem, 100vh - 17rem))`;
    for (const [name, value] of Object.entries({ width: fits, 'aspect-ratio': `${r.width} / ${r.height}`, ...placeholder(source) })) box.style.setProperty(name, value);
    $('after').src = renditionURL(r);
    if (single) $('before').removeAttribute('src');
    else $('before').src = objectURL(about.bucket, key, source.etag);
    $('after-tag').textContent = `${r.size} ${r.format} · ${bytes(r.bytes)}`;
    $('view-note').textContent = `Original: ${source.width} × ${source.height} ${source.format}, ${bytes(source.bytes)}. Rendition: ${r.width} × ${r.height} ${r.format}, ${bytes(r.bytes)}` +
      (unseen ? `. Browsers do not show ${source.format}, so that there is nothing to compare with.` :
        single ? '. It is of another shape, so that it is shown alone.' : ', both shown at one size.');
  };
  const chosen = [...renditions].sort((a, b) => b.width - a.width)[0];
  $('view-sizes').replaceChildren($('view-sizes').firstElementChild, ...renditions.map((r) =>
    make('label', {}, make('input', { type: 'radio', name: 'rendition', checked: r === chosen, onchange: () => show(r) }),
      `${r.size}${renditions.some((o) => o.format !== r.format) ? ` ${r.format}` : ''}`)));
  $('snippets').replaceChildren(...snippets(card).map(([name, text]) => make('div', {},
    make('h3', {}, name, copyButton('Copy', name, text)), make('pre', { tabIndex: 0, ariaLabel: name, role: 'group' }, make('code', {}, text())))));
  $('slider').value = 50;
  slide();
  show(chosen);
  $('view').showModal();
  $('slider').focus();
}

const slide = () => $('compare').style.setProperty('--at', `${$('slider').value}%`);

// ---- Uploads ----

const parallel = 4;
let sending = 0;

function add(files) {
  for (const file of files) {
    const key = file.name;
    if (uploads.has(key)) URL.revokeObjectURL(uploads.get(key).url);
    uploads.set(key, { key, file, url: URL.createObjectURL(file), state: 'waiting' });
  }
  say(`${files.length} to upload`);
  send();
}

function send() {
  for (const upload of uploads.values()) {
    if (sending >= parallel) break;
    if (upload.state !== 'waiting') continue;
    upload.state = 'sending';
    sending++;
    put(upload).finally(() => { sending--; send(); });
  }
  showWaiting();
}

// put uploads as apps do: by a presigned URL. A server that is away, or going, is asked again until it is back.
async function put(upload) {
  for (let wait = 250; ; wait = Math.min(2 * wait, 4000)) {
    try {
      const { url } = await (await ask('POST', 'uploads', { key: upload.key })).json();
      const answer = await fetch(url, { method: 'PUT', body: upload.file, headers: upload.file.type ? { 'Content-Type': upload.file.type } : {} });
      if (answer.ok) {
        upload.state = 'sent';
        return finish(upload);
      }
      if (answer.status < 500) throw Object.assign(new Error(await answer.text()), { final: true });
    } catch (error) {
      if (error.final) {
        Object.assign(upload, { state: 'refused', error: error.message });
        return showWaiting();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function ask(method, path, body) {
  const answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) });
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), { final: answer.status < 500 });
  return answer;
}

// settle notes what the server tells of an upload of this page.
function settle(card) {
  const upload = uploads.get(card.key);
  if (!upload || upload.state === 'waiting') return;
  upload.handled = card.state !== 'working';
  finish(upload);
}

// finish forgets an upload when both are known: that it is there, and what came of it.
function finish(upload) {
  if (upload.state === 'sent' && upload.handled) {
    URL.revokeObjectURL(upload.url);
    uploads.delete(upload.key);
  }
  showWaiting();
}

const shown = 6; // uploads that wait, at most
let waitingDue = false;
function showWaiting() {
  if (waitingDue) return;
  waitingDue = true;
  setTimeout(() => { // hundreds of uploads change many times a second
    waitingDue = false;
    const list = [...uploads.values()].filter((u) => !(cards.get(u.key) && u.state === 'sent'));
    const there = new Map([...$('waiting').children].map((e) => [e.dataset.key, e]));
    $('waiting').replaceChildren(...list.slice(0, shown).map((u) => {
      const old = there.get(u.key);
      return old?.dataset.state === u.state && old.upload === u ? old : drawUpload(u);
    }));
    $('more-waiting').hidden = list.length <= shown;
    $('more-waiting').textContent = `and ${list.length - shown} more to upload`;
    $('empty').hidden = cards.size + uploads.size > 0;
  }, 100);
}

function drawUpload(upload) {
  const { key, file, url, state, error } = upload;
  const e = make('article', { className: 'card', data: { key, state }, aria: { 'aria-label': key } },
    make('header', {}, make('h3', {}, key), make('p', { className: 'facts' }, make('span', {}, bytes(file.size)))),
    make('div', { className: 'body' }, make('div', { className: 'family', style: { 'max-width': '14rem' } }, frame(null, 4, 3, url, 'dim')),
      state === 'refused' ? make('p', { className: 'error' }, error) : make('p', { className: 'pulse' }, { waiting: 'waits', sending: 'uploading …', sent: 'uploaded' }[state])));
  e.upload = upload;
  return e;
}

// ---- What people do ----

$('pick').onclick = () => $('files').click();
$('files').onchange = () => { add([...$('files').files]); $('files').value = ''; };
document.addEventListener('paste', (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) add(files.map((f) => new File([f], f.name === 'image.png' ? `pasted-${Date.now()}.png` : f.name, { type: f.type })));
});
let inside = 0; // dragenter and dragleave come for every element
const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
addEventListener('dragenter', (event) => { if (hasFiles(event)) { inside++; $('drop').classList.add('on'); } });
addEventListener('dragleave', (event) => { if (hasFiles(event) && --inside <= 0) { inside = 0; $('drop').classList.remove('on'); } });
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  inside = 0;
  $('drop').classList.remove('on');
  if (event.dataTransfer.files.length) add([...event.dataTransfer.files]);
});

$('samples').onclick = async () => {
  $('samples').disabled = true;
  $('samples').textContent = 'Drawing them …';
  try { await ask('POST', 'samples'); } catch (error) { say(error.message); }
  $('samples').disabled = false;
  $('samples').textContent = 'Or try ten generated pictures';
};

$('slider').oninput = slide;
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.querySelector('.close').onclick = () => dialog.close();
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); }); // its backdrop
}
$('open-settings').onclick = () => {
  const form = $('settings-form');
  for (const name of ['sizes', 'formats', 'quality']) form[name].value = about?.settings[`RESIZE_${name.toUpperCase()}`] ?? '';
  $('settings-error').textContent = '';
  $('settings').showModal();
};
$('settings-form').onsubmit = async (event) => {
  event.preventDefault();
  const form = $('settings-form');
  try {
    await ask('PUT', 'settings', { sizes: form.sizes.value, formats: form.formats.value, quality: form.quality.value });
    $('settings').close();
    say('Applied');
  } catch (error) { $('settings-error').textContent = error.message; }
};

listen();
