// Shapes of pictures: sizes need not have that of their source, or of one another.

// sameShape allows for sides that were rounded to whole pixels.
export const sameShape = (a, b) => Math.abs(a.width * b.height - a.height * b.width) <= Math.max(a.width, a.height, b.width, b.height);

// suited is the smallest rendition that has a shape, if any has, and is at least so many CSS pixels wide, if any is.
export function suited(made, shape, width) {
  const needed = width * devicePixelRatio, sorted = [...made].sort((a, b) => a.width - b.width);
  const same = shape?.width ? sorted.filter((r) => sameShape(r, shape)) : [], among = same.length ? same : sorted;
  return among.find((r) => r.width >= needed) ?? among.at(-1);
}
