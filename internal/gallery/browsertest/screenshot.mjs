// make screenshot: the gallery with the generated pictures, as docs/gallery.jpg shows it.
//   node screenshot.mjs OUT [dark]
import { open } from './gallery.mjs';

const [out, scheme = 'light'] = process.argv.slice(2);
const { page, close } = await open({ width: 1180, height: 1240, scale: 1.5, scheme });
try {
  await page.waitForSelector('#samples', { visible: true });
  await page.click('#samples');
  await page.waitForFunction(() => document.querySelector('.totals dd').textContent === '10' && !document.querySelector('#waiting .card'), { timeout: 60_000 });
  await page.waitForNetworkIdle();
  await page.screenshot({ path: out, type: 'jpeg', quality: 82 });
} finally {
  await close();
}
