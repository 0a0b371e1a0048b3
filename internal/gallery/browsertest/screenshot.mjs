// make screenshot: the gallery with the generated pictures, as docs/gallery.jpg shows it.
//   node screenshot.mjs OUT [light|dark [list|grid]]
import { browse, pictures, put, serve, settled, show } from './gallery.mjs';

const [out, scheme = 'light', view = 'list'] = process.argv.slice(2);
const server = await serve(), browser = await browse();
try {
  const { page } = await show(browser, server.url, { width: 1180, height: 1100, scale: 1.25, scheme });
  await page.waitForSelector('#samples', { visible: true });
  await page.click('#samples');
  await pictures(page, 10);
  // All once more, one after the other, so that each timeline is of a picture that has the machine for itself: first
  // mirrored ones, as others, then the same, which go on top.
  const keys = await page.evaluate(async () => [...(await import('./store.js')).cards.values()].sort((a, b) => a.seq - b.seq).map((c) => c.key));
  for (const [to, mirror] of [[(key) => `mirrored/${key.split('/').at(-1)}`, true], [(key) => key, false]]) {
    for (const key of keys) {
      const data = await page.evaluate(async (key, mirror) => {
        let file = await (await fetch(`object/photos/${key.split('/').map(encodeURIComponent).join('/')}`)).blob();
        if (mirror) {
          const image = await createImageBitmap(file), canvas = new OffscreenCanvas(image.width, image.height), c = canvas.getContext('2d');
          c.scale(-1, 1);
          c.drawImage(image, -image.width, 0);
          file = await canvas.convertToBlob({ type: file.type, quality: 0.9 });
        }
        return new Promise((resolve) => { const reader = new FileReader(); reader.onload = () => resolve(reader.result.split(',')[1]); reader.readAsDataURL(file); });
      }, key, mirror);
      await put(page, to(key), Buffer.from(data, 'base64'));
      await page.waitForFunction(async (key) => [...(await import('./store.js')).cards.values()].sort((a, b) => b.seq - a.seq)[0].key === key, {}, to(key));
      await page.waitForFunction(async () => [...(await import('./store.js')).cards.values()].every((c) => c.state === 'done'));
    }
  }
  await page.click(`[name=view][value=${view}]`);
  await page.waitForNetworkIdle();
  await settled(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: out, type: out.endsWith('.png') ? 'png' : 'jpeg', ...(out.endsWith('.png') ? {} : { quality: 80 }) });
} finally {
  await browser.close();
  await server.end();
}
