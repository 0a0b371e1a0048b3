// Pictures that are dropped, picked or pasted, on their way to the bucket.
import { $, say } from './dom.js';
import { ask, changed, reason, uploads } from './store.js';

const parallel = 4;
let sending = 0;

function add(files) {
  for (const file of files) {
    const key = file.name;
    if (uploads.has(key)) URL.revokeObjectURL(uploads.get(key).url);
    uploads.delete(key); // so that it comes last again
    uploads.set(key, { id: `↑${key}`, key, file, bytes: file.size, format: '', url: URL.createObjectURL(file), status: 'waiting' });
  }
  say(`${files.length} to upload`);
  send();
}

function send() {
  for (const upload of uploads.values()) {
    if (sending >= parallel) break;
    if (upload.status !== 'waiting') continue;
    upload.status = 'sending';
    sending++;
    put(upload).finally(() => { sending--; send(); });
  }
  changed();
}

// put uploads as apps do: by a presigned URL. A server that is away, or going, is asked again until it is back.
async function put(upload) {
  for (let wait = 250; ; wait = Math.min(2 * wait, 4000)) {
    try {
      const { url } = await (await ask('POST', 'uploads', { key: upload.key })).json();
      const answer = await fetch(url, { method: 'PUT', body: upload.file, headers: upload.file.type ? { 'Content-Type': upload.file.type } : {} });
      if (answer.ok) {
        upload.status = 'sent';
        return finish(upload);
      }
      if (answer.status < 500) throw Object.assign(new Error(await reason(answer)), { final: true });
    } catch (error) {
      if (error.final) {
        Object.assign(upload, { status: 'refused', error: error.message });
        return changed();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

// settle notes what the server tells of an upload of this page.
export function settle(card) {
  const upload = uploads.get(card.key);
  if (!upload || upload.status === 'waiting') return;
  upload.handled = card.state !== 'working';
  finish(upload);
}

// finish forgets an upload when both are known: that it is there, and what came of it.
function finish(upload) {
  if (upload.status === 'sent' && upload.handled) dismiss(upload);
  changed();
}

export function dismiss(upload) {
  URL.revokeObjectURL(upload.url);
  if (uploads.get(upload.key) === upload) uploads.delete(upload.key); // no newer file of its name
  changed();
}

export function retry(upload) {
  upload.status = 'waiting';
  send();
}

// ---- How files get here ----

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
