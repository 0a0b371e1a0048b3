// What the reference makes of one picture: three decodes, as its author wrote it.
//
// sharp is left as it comes: its operation cache on, its thread count its own choice (1 where glibc is the allocator),
// no environment variable set. A handler's author would set none of them.
import sharp from 'sharp';

export const sizes = { small: 368, medium: 720, large: 1440 };

// animated is for the comparison's sake: the handler takes neither of the formats that are.
export function rendition(body, size, animated = false) {
  return sharp(body, { animated }).resize({ width: sizes[size], withoutEnlargement: true }).toBuffer();
}

// inTurn does one size after the other, as the reference does; atOnce is what its author could do about that.
export async function inTurn(work) {
  for (const size of Object.keys(sizes)) await work(size);
}

export function atOnce(work) {
  return Promise.all(Object.keys(sizes).map(work));
}
