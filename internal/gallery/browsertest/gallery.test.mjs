// The gallery in a real browser, beside the real server: what people do with it, and what they see. make gallery-test.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browse, serve, show } from './gallery.mjs';

const axe = await readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
let browser, folder, bench; // the last is a page to draw and measure in: the gallery's own says what it does on its console
before(async () => {
  browser = await browse();
  bench = await browser.newPage();
  folder = await mkdtemp(join(tmpdir(), 'gallery-test-'));
});
after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

// picture draws a JPEG in the browser: sky over ground, so that what is up is known.
async function picture(width, height, seed = 1) {
  const base64 = await bench.evaluate(async (width, height, seed) => {
    const canvas = new OffscreenCanvas(width, height), c = canvas.getContext('2d');
    c.fillStyle = '#4080ff'; c.fillRect(0, 0, width, height / 2);
    c.fillStyle = '#308030'; c.fillRect(0, height / 2, width, height);
    for (let i = 0; i < 200; i++) { c.fillStyle = `hsl(${i * seed * 37 % 360} 70% 50%)`; c.fillRect(i * 97 * seed % width, height / 2 + i * 61 % (height / 2), 40, 40); }
    const data = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 })).arrayBuffer());
    let text = '';
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return btoa(text);
  }, width, height, seed);
  return Buffer.from(base64, 'base64');
}

// turned puts an EXIF segment with an orientation behind a JPEG's first marker.
const turned = (jpeg, orientation) => Buffer.concat([jpeg.subarray(0, 2),
  Buffer.from([0xff, 0xe1, 0, 34, ...Buffer.from('Exif\0\0'), ...Buffer.from('MM'), 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]),
  jpeg.subarray(2)]);

async function file(name, data) {
  const path = join(folder, name);
  await writeFile(path, data);
  return path;
}

// drop lets files fall on the page, as a hand does.
async function drop(page, files) {
  const session = await page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 300, y: 400, data });
}

const states = (page) => page.$$eval('#deck .card', (cards) => Object.fromEntries(cards.map((c) => [c.dataset.key, c.querySelector('.class')?.textContent ?? c.dataset.state])));
const loaded = (page) => page.waitForFunction(() => [...document.querySelectorAll('#deck img')].every((i) => i.complete && i.naturalWidth > 0));
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join('\n')}`);
}

test('three pictures are dropped', { timeout: 90_000 }, async (t) => {
  const server = await serve();
  const { page, errors } = await show(browser, server.url);
  await browser.defaultBrowserContext().overridePermissions(new URL(server.url).origin, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  try {
    await t.test('the empty page tells what to do', async () => {
      await page.waitForSelector('#empty:not([hidden])');
      assert.match(await page.$eval('#empty', (e) => e.innerText), /Drop pictures here[^]*aws --endpoint-url http:\/\/127/);
      assert.deepEqual(await violations(page), []);
    });
    const flat = await picture(2000, 1500);
    const files = [
      await file('beach & sea.jpg', flat), await file('portrait.jpg', turned(await picture(1600, 1200, 3), 6)),
      await file('broken.jpg', flat.subarray(0, flat.length / 3)),
    ];
    await t.test('two cards are complete and one is rejected within 5 s', async () => {
      await drop(page, files);
      await page.waitForFunction(() => document.querySelectorAll('#deck .card[data-state=done]').length === 3, { timeout: 5000 });
      assert.deepEqual(await states(page), { 'beach & sea.jpg': 'done', 'portrait.jpg': 'done', 'broken.jpg': 'rejected: corrupt' });
      await loaded(page);
      await page.waitForFunction(() => !document.querySelector('#waiting .card'));
      const frames = await page.$$eval('#deck .card', (cards) => Object.fromEntries(cards.map((c) => [c.dataset.key, [...c.querySelectorAll('.family img')].map((i) => [i.naturalWidth, i.naturalHeight])])));
      assert.deepEqual(frames['beach & sea.jpg'], [[1440, 1080], [1440, 1080], [720, 540], [368, 276]]);
      assert.deepEqual(frames['portrait.jpg'], [[1200, 1600], [1200, 1600], [720, 960], [368, 491]], 'upright: 1600 × 1200 turned by EXIF');
    });
    await t.test('frames have their true relative sizes', async () => {
      const widths = await page.$$eval('.card[data-key^=beach] .frame', (frames) => frames.map((f) => f.getBoundingClientRect().width));
      for (const [i, pixels] of [2000, 1440, 720, 368].entries()) assert.ok(Math.abs(widths[i] / widths[0] - pixels / 2000) < 0.01, `frame ${i}: ${widths}`);
    });
    await t.test('the timeline shows every step where it was, and the reference', async () => {
      const lanes = await page.$$eval('.card[data-key^=beach] .time tr', (rows) => rows.map((r) => [r.querySelector('th')?.textContent ?? 'axis', ...[...r.querySelectorAll('i')].map((i) => i.className)]));
      assert.deepEqual(lanes, [['download', 'download'], ['decode', 'decode'], ['large', 'encode', 'upload'], ['medium', 'encode', 'upload'], ['small', 'encode', 'upload'],
        ['reference', 'download', 'encode', 'upload', 'encode', 'upload', 'encode', 'upload'], ['axis']]);
      const [decode, large] = await page.$$eval('.card[data-key^=beach] .time tr', (rows) => [rows[1], rows[2]].map((r) => [...r.querySelectorAll('i')].map((i) => i.getBoundingClientRect()).map((b) => [b.left, b.right])));
      assert.ok(large[0][0] >= decode[0][1] - 1.5 && large[1][0] >= large[0][1] - 1.5, `decoded, then encoded, then uploaded: ${decode}; ${large}`);
    });
    await t.test('the markup is right', async () => {
      await page.click('.card[data-key^=portrait] [data-act="copy Picture markup"]');
      const markup = await copied(page);
      const image = await bench.evaluate((markup) => {
        const i = new DOMParser().parseFromString(markup, 'text/html').querySelector('picture > img');
        return { srcset: i.getAttribute('srcset'), src: i.getAttribute('src'), width: i.getAttribute('width'), height: i.getAttribute('height'), sizes: i.sizes, loading: i.loading, style: i.getAttribute('style') ?? '' };
      }, markup);
      assert.equal(image.srcset, '/small-portrait.jpg 368w, /medium-portrait.jpg 720w, /large-portrait.jpg 1200w');
      assert.deepEqual([image.src, image.width, image.height, image.sizes, image.loading], ['/medium-portrait.jpg', '1200', '1600', '(max-width: 1200px) 100vw, 1200px', 'lazy']);
    });
    await t.test('its placeholder is the picture in a few pixels', async () => {
      await page.click('.card[data-key^=beach] [data-act="copy Picture markup"]');
      const [, color, hash] = /style="background: (#[0-9a-f]{6}) url\((data:image\/png;base64,[^)]+)\) center\/cover"/.exec(await copied(page));
      const { size, top, bottom } = await bench.evaluate(async (src) => {
        const image = Object.assign(new Image(), { src });
        await image.decode();
        const { naturalWidth: w, naturalHeight: h } = image, c = new OffscreenCanvas(w, h).getContext('2d');
        c.drawImage(image, 0, 0);
        return { size: [w, h], top: [...c.getImageData(w / 2, 3, 1, 1).data], bottom: [...c.getImageData(w / 2, h - 3, 1, 1).data] };
      }, hash);
      assert.deepEqual(size, [32, 24]);
      for (const [i, want] of [0x40, 0x80, 0xff, 255].entries()) assert.ok(Math.abs(top[i] - want) < 32, `the sky, #4080ff, is ${top}`);
      assert.ok(bottom[2] < 0xb0, `the ground is ${bottom}`);
      assert.match(color, /^#[0-9a-f]{6}$/);
    });
    await t.test('the report and the CLI line can be copied', async () => {
      await page.click('.card[data-key^=beach] [data-act="copy Report"]');
      const report = JSON.parse(await copied(page));
      assert.deepEqual([report.status, report.source.width, report.renditions.map((r) => r.width)], ['resized', 2000, [368, 720, 1440]]);
      await page.click('.card[data-key^=beach] [data-act="copy AWS CLI line"]');
      assert.match(await copied(page), /^AWS_ACCESS_KEY_ID=\S+ AWS_SECRET_ACCESS_KEY=\S+ AWS_REGION=\S+ \\\n  aws --endpoint-url http:\/\/127\.0\.0\.1:\d+ s3 cp 'beach & sea\.jpg' 's3:\/\/photos\/beach & sea\.jpg'$/);
    });
    await t.test('the slider moves, over two pictures of one size', async () => {
      await page.click('.card[data-key^=portrait] .open');
      await page.waitForFunction(() => ['before', 'after'].every((id) => document.getElementById(id).naturalWidth > 0));
      const boxes = await page.$$eval('#before, #after', (images) => images.map((i) => { const { x, y, width, height } = i.getBoundingClientRect(); return [x, y, width, height]; }));
      assert.deepEqual(boxes[0], boxes[1]);
      assert.ok(Math.abs(boxes[0][2] / boxes[0][3] - 1200 / 1600) < 0.01, `upright: ${boxes[0]}`);
      const [x, y, width, height] = boxes[0], clip = () => page.$eval('#before', (e) => getComputedStyle(e).clipPath);
      assert.equal(await clip(), 'inset(0px 50% 0px 0px)');
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 4, y + height / 2, { steps: 4 });
      await page.mouse.up();
      assert.ok(Math.abs(Number(/50|[\d.]+(?=%)/.exec(await clip())[0]) - 75) < 4, await clip());
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press('Escape');
    });
    await t.test('the keyboard alone opens, compares, copies and closes', async () => {
      await page.focus('#pick');
      const focused = () => page.evaluate(() => document.activeElement.dataset.act ?? document.activeElement.id);
      for (let i = 0; i < 10 && await focused() !== 'open'; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#view[open]');
      assert.equal(await focused(), 'slider');
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.$eval('#slider', (e) => e.value), '51');
      for (let i = 0; i < 5 && await focused() !== 'copy Picture markup'; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.getElementById('said').textContent === 'Copied: Picture markup');
      await page.keyboard.press('Escape');
      await page.waitForSelector('#view:not([open])');
      assert.equal(await focused(), 'open', 'the focus is where it was');
    });
    await t.test('changed settings render the cards again', async () => {
      await page.click('#open-settings');
      const set = async (name, value) => { await page.$eval(`#settings [name=${name}]`, (e) => { e.value = ''; }); await page.type(`#settings [name=${name}]`, value); };
      await set('sizes', 'a=0');
      await page.click('#settings [type=submit]');
      await page.waitForFunction(() => /RESIZE_SIZES.*between 1 and/.test(document.getElementById('settings-error').textContent));
      assert.deepEqual(await violations(page), []);
      errors.splice(0, errors.length, ...errors.filter((e) => !e.includes('422'))); // the browser says so, too
      await set('sizes', 'icon=64,page=1000');
      await set('formats', 'source,webp');
      await page.click('#settings [type=submit]');
      await page.waitForFunction(() => [...document.querySelectorAll('.card[data-key^=portrait] .made th')].map((e) => e.textContent).join() === 'page jpeg,page webp,icon jpeg,icon webp');
      await page.waitForFunction(() => document.querySelectorAll('#deck .card[data-state=done]').length === 3);
      await page.click('.card[data-key^=portrait] [data-act="copy Picture markup"]');
      assert.match(await copied(page), /<source type="image\/webp" srcset="\/icon-portrait.jpg.webp 64w, \/page-portrait.jpg.webp 1000w"/);
    });
    await t.test('nothing is seriously wrong for axe, in light and dark', async () => {
      for (const scheme of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        assert.deepEqual(await violations(page), [], scheme);
      }
    });
    await t.test('a phone has no horizontal scroll', async () => {
      await page.setViewport({ width: 360, height: 740, isMobile: true }); // which loads the page anew
      await page.waitForSelector('.card[data-key^=portrait] .open');
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      await page.click('.card[data-key^=portrait] .open');
      assert.equal(await page.$eval('#view .scroll', (e) => e.scrollWidth <= e.clientWidth), true);
      await page.keyboard.press('Escape');
    });
    await t.test('a page that is loaded later shows the same', async () => {
      const later = await show(browser, server.url);
      await later.page.waitForFunction(() => document.querySelectorAll('#deck .card[data-state=done]').length === 3);
      assert.deepEqual(await states(later.page), await states(page));
      assert.deepEqual(later.errors, []);
      await later.page.close();
    });
    await t.test('no error on the console', () => assert.deepEqual(errors, []));
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});

test('500 pictures', { timeout: 120_000 }, async (t) => {
  const server = await serve();
  const { page, errors } = await show(browser, server.url, { width: 400, height: 300 }); // Chromium draws in software, which takes longer than these pictures
  try {
    const data = (await picture(96, 72)).toString('base64');
    await page.evaluate((data) => { // as if they had been picked
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), chosen = new DataTransfer();
      for (let i = 0; i < 500; i++) chosen.items.add(new File([bytes], `${i}.jpg`, { type: 'image/jpeg' }));
      document.getElementById('files').files = chosen.files;
      document.getElementById('files').dispatchEvent(new Event('change'));
    }, data);
    await page.waitForFunction(() => document.querySelector('.totals dd')?.textContent === '500', { timeout: 90_000, polling: 200 });
    await page.setViewport({ width: 1180, height: 900 });
    await t.test('few of them are in the document, wherever it is scrolled to', async () => {
      const seen = await page.evaluate(async () => {
        const seen = { elements: 0, cards: 0 }, keys = new Set();
        for (let end = false, steps = 0; !end && steps < 500; steps++) {
          end = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
          for (const c of document.querySelectorAll('.card')) keys.add(c.dataset.key);
          seen.cards = Math.max(seen.cards, document.querySelectorAll('.card').length);
          seen.elements = Math.max(seen.elements, document.querySelectorAll('*').length);
          scrollBy(0, 1500);
          for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
        }
        return { ...seen, keys: keys.size };
      });
      t.diagnostic(`at most ${seen.cards} cards and ${seen.elements} elements`);
      assert.equal(seen.keys, 500, 'every one comes by');
      assert.ok(seen.cards <= 40 && seen.elements <= 4000, `${seen.cards} cards, ${seen.elements} elements`);
    });
    await t.test('it scrolls smoothly, at 15,000 pixels a second', async () => {
      const session = await page.createCDPSession();
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const frames = 100, parts = ['ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];
      const busy = async () => (await session.send('Performance.getMetrics')).metrics.filter((m) => parts.includes(m.name)).reduce((all, m) => all + m.value * 1000, 0);
      const began = await busy();
      const long = await page.evaluate(async (frames) => {
        const long = [];
        new PerformanceObserver((list) => long.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
        for (let i = 0; i < frames; i++) {
          scrollBy(0, -250);
          await new Promise(requestAnimationFrame);
        }
        return long;
      }, frames);
      const perFrame = (await busy() - began) / frames;
      t.diagnostic(`${perFrame.toFixed(1)} ms of CPU time for script, style and layout a frame of 250 pixels; ${long.length} tasks of 50 ms and more on the clock, the longest ${Math.max(0, ...long)} ms`);
      assert.ok(perFrame < 8, `${perFrame} ms a frame, of CPU time: a busy machine is no excuse`);
    });
    await t.test('the server’s memory is bounded', async () => {
      const resident = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;
      t.diagnostic(`${resident.toFixed(0)} MiB resident`);
      assert.ok(resident < 200, `${resident} MiB`);
    });
    await t.test('no error on the console', () => assert.deepEqual(errors, []));
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});

// freePort is one that a server can come back to.
const freePort = () => new Promise((resolve) => {
  const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

test('what is uploaded during a restart is not lost', { timeout: 90_000 }, async () => {
  const at = { addr: `127.0.0.1:${await freePort()}`, data: join(folder, 'data') };
  let server = await serve(at);
  const { page } = await show(browser, server.url);
  try {
    const files = [];
    for (let i = 0; i < 16; i++) files.push(await file(`restart-${i}.jpg`, await picture(1600, 1200, i + 1)));
    await drop(page, files);
    const done = () => server.lines.filter((line) => line.includes(' resized ')).length;
    while (done() === 0) await wait(5);
    assert.ok(done() < 16, 'all are done before the restart: this shows nothing');
    await server.end('SIGKILL'); // in the middle: uploads break off, and events that were accepted go with the process
    await page.waitForFunction(() => document.querySelector('#where').className === 'lost');
    await wait(500);
    server = await serve(at);
    await page.waitForFunction(() => document.querySelector('.totals dd')?.textContent === '16' && !document.querySelector('#waiting .card'), { timeout: 45_000 });
    await page.evaluate(() => scrollTo(0, 0));
    const seen = await page.$$eval('#deck .card', (cards) => cards.map((c) => c.dataset.state));
    assert.ok(seen.length > 0 && seen.every((s) => s === 'done'), seen.join());
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});
