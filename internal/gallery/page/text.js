// Numbers and names, for people: numbers as the command's own table has them.

export const bytes = (n) => n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : n >= 1e4 ? `${Math.round(n / 1e3)} kB` : n >= 1e3 ? `${(n / 1e3).toFixed(1)} kB` : `${n} B`;
export const ms = (n) => n >= 999.5 ? `${(n / 1000).toFixed(2)} s` : n >= 9.95 ? `${Math.round(n)} ms` : `${n.toFixed(1)} ms`;
export const saved = (from, to) => `${to <= from ? '−' : '+'}${Math.round(100 * Math.abs(1 - to / from))} %`;
export const sum = (list, of) => list.reduce((all, x) => all + of(x), 0);
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

export const encodeKey = (key) => key.split('/').map(encodeURIComponent).join('/');
export const objectURL = (bucket, key, etag) => `object/${bucket}/${encodeKey(key)}${etag ? `?v=${etag}` : ''}`;
export const renditionURL = (r) => objectURL(r.bucket, r.key, r.etag);
