// What the page knows: what the server tells of every picture, and what it uploads itself.

export const cards = new Map(); // by key
export const uploads = new Map(); // of this page, by key, until what came of them is known: {key, file, url, state, error}
export const server = { about: null, totals: null };

const listeners = [];
export const onChange = (listener) => listeners.push(listener);

// changed has all that is drawn looked at once before the next frame, however much has changed.
let due = false;
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; listeners.forEach((listener) => listener()); });
}

// listen follows the server's news: every card, and again each one that changes. More is called with each piece.
export function listen(more) {
  const news = new EventSource('news');
  news.onmessage = ({ data }) => {
    const { about, cards: told = [], gone = [], totals } = JSON.parse(data);
    if (about && server.about && about.started !== server.about.started) cards.clear(); // another process: what it has, it tells
    if (about) server.about = about;
    server.totals = totals;
    server.away = false;
    for (const key of gone) cards.delete(key);
    for (const card of told) cards.set(card.key, described(card));
    more(told);
    changed();
  };
  news.onerror = () => { server.away = true; changed(); };
}

// described adds what pictures are found and sorted by.
function described(card) {
  const { result } = card;
  card.id = card.key;
  card.status = card.state === 'done' ? result?.status ?? 'skipped' : card.state;
  card.made = result?.renditions ?? card.renditions ?? [];
  card.format = result?.source.format ?? '';
  card.total = result?.timings?.total;
  return card;
}

// reason is what S3 says in a refusal, without the XML around it.
export async function reason(answer) {
  const text = await answer.text();
  return new DOMParser().parseFromString(text, 'text/xml').querySelector('Message')?.textContent || text || answer.statusText;
}

// ask sends the server a request of the page's own.
export async function ask(method, path, body = {}) {
  const answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw Object.assign(new Error(await answer.text()), { final: answer.status < 500 });
  return answer;
}
