// What a page shows of a picture while it is uploaded, while it is resized, and then.

/** Shows the file that the user has chosen, before any of it is uploaded. */
export function preview(img, file) {
  const url = URL.createObjectURL(file);
  img.addEventListener('load', () => URL.revokeObjectURL(url), { once: true });
  img.src = url;
}

/**
 * Shows a resized picture of the report in an img, and in the source elements before it in its picture element, one for
 * each format. The browser takes the width that fits. base is where the renditions are: CloudFront's address, say.
 */
export function show(img, picture, base, fallback) {
  const { width, height } = picture.source;
  const uncut = picture.renditions.filter((r) => Math.abs(r.width * height - r.height * width) <= Math.max(width, height));
  const renditions = uncut.length > 0 ? uncut : picture.renditions;
  const of = (type) => renditions.filter((r) => r.contentType === type);
  const url = (r) => `${base}/${r.key.split('/').map(encodeURIComponent).join('/')}?v=${r.etag}`; // another upload is another address
  const srcset = (all) => [...new Map(all.map((r) => [r.width, `${url(r)} ${r.width}w`])).values()].join(', ');
  const plain = [of('image/jpeg'), of('image/png'), renditions].find((all) => all.length > 0);
  const largest = plain.at(-1);
  for (const source of img.parentElement.querySelectorAll('source')) {
    source.srcset = srcset(of(source.type));
  }
  img.onerror = () => { img.onerror = null; img.srcset = ''; img.src = fallback; }; // not there yet, or no longer
  img.style.backgroundColor = picture.source.color; // until the first bytes are there
  Object.assign(img, { width: largest.width, height: largest.height, srcset: srcset(plain), src: url(largest) });
}

/** Calls back once, when the service tells by server-sent events that a picture is resized, or why it was not. */
export function whenReady(address, done) {
  const events = new EventSource(address); // connects again by itself
  events.onmessage = (message) => { events.close(); done(JSON.parse(message.data)); };
}
