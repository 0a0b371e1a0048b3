// Makes vectors.json: the ThumbHashes that the reference implementation, the npm package thumbhash 0.1.1 by the format's
// author, makes of pictures that are computed alike here and in placeholder_test.go.
//
//	npm install --no-save thumbhash@0.1.1 && node make.mjs > vectors.json
import { rgbaToThumbHash } from 'thumbhash'

// A linear congruential generator: one byte after the other.
function noise(seed) {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24
}

const pixels = {
  noise: (next) => [next(), next(), next(), 255],
  grey: (next) => { const v = next(); return [v, v, v, 255] },
  gradient: (_, x, y, w, h) => [Math.floor(255 * x / w), Math.floor(255 * y / h), Math.floor(255 * (w - x) / w), 255],
  translucent: (next, x, y, w, h) => [next(), Math.floor(255 * x / w), 40, Math.floor(255 * y / h)],
  hole: (_, x, y, w, h) => [200, 30, 90, (2 * x - w) ** 2 + (2 * y - h) ** 2 < w * h / 2 ? 0 : 255],
  white: () => [255, 255, 255, 255],
  black: () => [0, 0, 0, 255],
  invisible: () => [10, 20, 30, 0],
}
const vectors = []
for (const kind of Object.keys(pixels)) {
  for (const [w, h] of [[1, 1], [48, 48], [48, 36], [27, 48], [48, 3], [1, 48]]) {
    const next = noise(w * 100 + h), rgba = []
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) rgba.push(...pixels[kind](next, x, y, w, h))
    vectors.push({ kind, w, h, hash: Buffer.from(rgbaToThumbHash(w, h, rgba)).toString('base64') })
  }
}
console.log('[\n' + vectors.map((v) => JSON.stringify(v)).join(',\n') + '\n]')
