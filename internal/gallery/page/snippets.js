// What is there to copy of a picture.
import { sameShape } from './shape.js';
import { server } from './store.js';
import { encodeKey } from './text.js';
import { thumbHash } from './thumbhash.js';

const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
const quote = (text) => `'${text.replace(/'/g, `'\\''`)}'`;

// snippets returns names and texts.
export function snippets({ key, result }) {
  return [
    ...(result?.status === 'resized' ? [['Picture markup', markup(result)]] : []),
    ...(result ? [['Report', JSON.stringify(result, null, 2)]] : []),
    ['AWS CLI line', cliLine(key)],
  ];
}

// markup shows the renditions wherever the destination bucket is served from the root of a site: those of the picture's
// shape or, if all are cut, of the largest one's. A browser must not choose among several shapes by width.
function markup({ source, renditions: made }) {
  const shape = made.some((r) => sameShape(r, source)) ? source : [...made].sort((a, b) => b.width - a.width)[0];
  const renditions = made.filter((r) => sameShape(r, shape));
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

export const cliLine = (key, { about } = server) => `AWS_ACCESS_KEY_ID=${about.accessKey} AWS_SECRET_ACCESS_KEY=${about.secretKey} AWS_REGION=${about.region} \\\n` +
  `  aws --endpoint-url ${location.origin} s3 cp ${quote(key.slice(key.lastIndexOf('/') + 1))} ${quote(`s3://${about.bucket}/${key}`)}`;
