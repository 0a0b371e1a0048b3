// The page of s3resizer dev: what the server tells of pictures, drawn. It starts here.
import { $, make, say } from './dom.js';
import { bytes, ms, saved } from './text.js';
import { ask, cards, listen, onChange, server, uploads } from './store.js';
import { showChoices, watchFilter } from './filter.js';
import { fromTop, refocus, setView, update, watchDeck } from './list.js';
import { follow, open } from './detail.js';
import { askToRemove } from './remove.js';
import { cliLine } from './snippets.js';
import { settle } from './upload.js';
import { showSettings } from './settings.js';

function show() {
  if (server.about) showAbout(server.about);
  if (server.totals) showTotals(server.totals);
  $('where').classList.toggle('lost', server.away === true);
  const any = cards.size + uploads.size > 0;
  $('empty').hidden = any || !server.about;
  for (const id of ['totals', 'bar', 'about-reference']) $(id).hidden = !any;
  const shown = update();
  showChoices(shown);
  $('nothing').hidden = !any || shown > 0;
  $('legend').hidden = !any || $('deck').className !== 'list' || shown === 0;
  if (!follow()) refocus();
}

let drawn;
function showAbout(about) {
  const where = server.away ? 'The server is away. What is dropped here meanwhile is uploaded when it is back.' : `s3://${about.bucket} → s3://${about.destination} · ${location.origin}`;
  if ($('where').textContent !== where) $('where').textContent = where;
  if (drawn === about) return;
  drawn = about;
  $('empty-bucket').textContent = `s3://${about.bucket}`;
  $('empty-line').textContent = cliLine('cat.jpg');
  $('sample-offer').hidden = !about.samples;
  showSettings(about);
}

function showTotals(t) {
  const rows = [
    ['pictures', t.pictures + (t.others ? ` + ${t.others}` : ''), t.others ? 'not resized' : ''],
    ['in', bytes(t.bytesIn)], ['out', bytes(t.bytesOut), t.bytesIn ? saved(t.bytesIn, t.bytesOut) : ''],
    ['median', ms(t.p50)], ['95th percentile', ms(t.p95)], ['a second, while busy', t.perSecond.toFixed(1)], ['memory', bytes(t.memory)],
  ];
  const old = [...$('totals').children];
  const texts = rows.map(([name, value, more]) => [name, value, more].join());
  if (texts.every((text, i) => old[i]?.text === text)) return;
  $('totals').replaceChildren(...rows.map(([name, value, more], i) =>
    Object.assign(make('div', {}, make('dt', {}, name), make('dd', {}, value, more ? make('small', {}, ` ${more}`) : null)), { text: texts[i] })));
}

// ---- What people do ----

for (const radio of document.getElementsByName('view')) {
  radio.checked = radio.value === (localStorage.getItem('view') ?? 'list');
  if (radio.checked) setView(radio.value);
  radio.onchange = () => {
    localStorage.setItem('view', radio.value);
    setView(radio.value);
    show();
  };
}
watchFilter(() => { fromTop(); show(); });
watchDeck({ open, remove: askToRemove });
addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.closest('input:not([type=radio]), select, dialog') || $('bar').hidden) return;
  event.preventDefault();
  $('search').focus();
});

$('samples').onclick = async () => {
  $('samples').disabled = true;
  $('samples').textContent = 'Drawing them …';
  try { await ask('POST', 'samples'); } catch (error) { say(error.message); }
  $('samples').disabled = false;
  $('samples').textContent = 'Or try ten generated pictures';
};

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.querySelector('.close').onclick = () => dialog.close();
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); }); // its backdrop
}

onChange(show);
listen((told) => told.forEach(settle));
