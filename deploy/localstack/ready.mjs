// What somebody does with the page of docs/ready.md, in Chromium: chooses a picture and sees its renditions, chooses another
// that is broken and is told why.
//   node ready.mjs ADDRESS PICTURE BROKEN RENDITIONS
// RENDITIONS is what the addresses of renditions begin with.
import assert from 'node:assert/strict';
import { browse } from '../../internal/gallery/browsertest/gallery.mjs';

const [address, picture, broken, renditions] = process.argv.slice(2);
const browser = await browse({ acceptInsecureCerts: true });
try {
  const page = await browser.newPage();
  const asked = [], errors = [];
  page.on('request', (r) => r.url().startsWith('http') && r.method() !== 'OPTIONS' && asked.push(`${r.method()} ${r.url()}`));
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  const input = await page.$('input');
  const says = (words) => page.waitForFunction((words) => document.querySelector('output').textContent.includes(words), { timeout: 60_000 }, words);

  asked.length = 0;
  await input.uploadFile(picture);
  await says('resized');
  await page.waitForFunction((base) => {
    const img = document.querySelector('img');
    return img.currentSrc.startsWith(base) && img.complete && img.naturalWidth > 0;
  }, { timeout: 10_000 }, renditions).catch(() => assert.fail(`no rendition is shown: ${asked.join('\n')}\n${errors.join('\n')}`));
  // The page has asked for an address, put the picture there, and listened, each once; what came then are renditions.
  const [url, put, events, ...shown] = asked;
  assert.equal(url, `POST ${address}/uploads`);
  assert.match(put, /^PUT .*X-Amz-Signature=/);
  assert.match(events, new RegExp(`^GET ${address}/pictures\\?key=`));
  assert.ok(shown.length > 0 && shown.every((one) => one.startsWith(`GET ${renditions}`)), asked.join('\n'));

  asked.length = 0;
  await input.uploadFile(broken);
  await says('the jpeg is cut short');
  assert.equal(asked.length, 3, asked.join('\n'));
  assert.deepEqual(errors, []);
  console.log(shown.join('\n'));
} finally {
  await browser.close();
}
