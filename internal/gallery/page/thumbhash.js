// What the page shows before a picture has arrived.
import { make } from './dom.js';

// placeholder is the style of what stands behind a picture. A transparent one would let it be seen for good.
export function placeholder(source) {
  if (source?.alpha) return {};
  const hash = source?.thumbHash && thumbHash(source);
  return { ...(source?.color && { 'background-color': source.color }), ...(hash && { 'background-image': `url("${hash}")` }) };
}

const drawn = new Map(); // ThumbHashes as data: URLs, of as many pictures as the server tells of
export function thumbHash(source) {
  const id = `${source.thumbHash} ${source.width} ${source.height}`;
  if (!drawn.has(id)) {
    if (drawn.size > 1000) drawn.delete(drawn.keys().next().value);
    drawn.set(id, pixels(source));
  }
  return drawn.get(id);
}

const canvas = make('canvas'), context = canvas.getContext('2d', { willReadFrequently: true });

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
      for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x++, at += 4) list.push([x, y, (bits(at, 4) / 7.5 - 1) * scale[channel] * (y ? 2 : 1)]);
    }
    return list;
  });
  const w = Math.max(1, Math.round(width > height ? 32 : 32 * width / height)), h = Math.max(1, Math.round(width > height ? 32 * height / width : 32));
  const cosines = (n) => Array.from({ length: n }, (_, i) => Array.from({ length: 8 }, (_, f) => Math.cos(Math.PI / n * (i + 0.5) * f)));
  const across = cosines(w), down = cosines(h), image = new ImageData(w, h);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i += 4) {
      const [l, p, q, a] = waves.map((list, channel) => {
        let v = dc[channel];
        for (const [fx, fy, f] of list) v += f * across[x][fx] * down[y][fy];
        return v;
      });
      const b = l - 2 / 3 * p, r = (3 * l - b + q) / 2;
      image.data.set([r, r - q, b, a].map((v) => 255 * v), i); // which clamps
    }
  }
  canvas.width = w;
  canvas.height = h;
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
