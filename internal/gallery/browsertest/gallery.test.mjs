// The gallery in a real browser, beside the real server: what people do with it, and what they see. make gallery-test.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bench, browse, pictures, put, serve, settled, show } from './gallery.mjs';

const axe = await readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
let browser, folder, draw;
before(async () => {
  browser = await browse();
  draw = await bench(browser);
  folder = await mkdtemp(join(tmpdir(), 'gallery-test-'));
});
after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

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

const states = (page) => page.$$eval('#deck > li', (all) => Object.fromEntries(all.map((e) => [e.dataset.key, e.querySelector('.badge')?.textContent ?? e.dataset.state])));
const order = (page) => page.$$eval('#deck > li', (all) => all.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((e) => e.dataset.key));
const item = (key) => `#deck > li[data-key^="${key}"]`;
const resized = (page, key) => page.waitForSelector(`${item(key)}[data-state=resized]`);
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());
const focused = (page) => page.evaluate(() => document.activeElement.closest('li')?.dataset.key ?? document.activeElement.dataset.act ?? document.activeElement.id);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const readable = (page, url) => browser.defaultBrowserContext().overridePermissions(new URL(url).origin, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);

async function openDetail(page, key) {
  await page.click(`${item(key)} .open`);
  await page.waitForSelector('#view[open]');
}

async function close(page) {
  await page.keyboard.press('Escape');
  await page.waitForSelector('#view:not([open])');
}

// flawless has axe look at the page in both schemes: at all that it knows of, not only at what is serious.
async function flawless(page) {
  await page.evaluate(axe);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    const { violations } = await page.evaluate(() => axe.run());
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join('\n')}`), [], scheme);
  }
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
}

test('three pictures are dropped', { timeout: 90_000 }, async (t) => {
  const server = await serve();
  const { page, errors } = await show(browser, server.url);
  await readable(page, server.url);
  try {
    await t.test('the empty page tells what to do', async () => {
      await page.waitForSelector('#empty:not([hidden])');
      assert.match(await page.$eval('#empty', (e) => e.innerText), /Drop pictures here[^]*aws --endpoint-url http:\/\/127/);
      await flawless(page);
    });
    const flat = await draw.picture(2000, 1500);
    const files = [
      await file('beach & sea.jpg', flat), await file('portrait.jpg', turned(await draw.picture(1600, 1200, 3), 6)),
      await file('broken.jpg', flat.subarray(0, flat.length / 3)),
    ];
    await t.test('two are resized and one is rejected within 5 s', async () => {
      await drop(page, files);
      await page.waitForFunction(() => document.querySelector('.totals dd')?.textContent === '2 + 1 not resized', { timeout: 5000 });
      await page.waitForFunction(() => [...document.querySelectorAll('#deck > li')].every((e) => ['resized', 'rejected'].includes(e.dataset.state)));
      assert.deepEqual(await states(page), { 'beach & sea.jpg': 'resized', 'portrait.jpg': 'resized', 'broken.jpg': 'rejected: corrupt' });
      await settled(page);
    });
    await t.test('frames have their true relative sizes', async () => {
      const widths = await page.$$eval(`${item('beach')} .frame`, (frames) => frames.map((f) => f.getBoundingClientRect().width));
      for (const [i, pixels] of [2000, 1440, 720, 368].entries()) assert.ok(Math.abs(widths[i] / widths[0] - pixels / 2000) < 0.01, `frame ${i}: ${widths}`);
    });
    await t.test('every rendition can be looked at, upright', async () => {
      await openDetail(page, 'portrait');
      const sizes = [];
      for (const radio of await page.$$('[name=rendition]')) {
        await radio.click();
        await settled(page);
        sizes.push(await page.$eval('#after', (i) => [i.naturalWidth, i.naturalHeight]));
      }
      assert.deepEqual(sizes, [[1200, 1600], [720, 960], [368, 491]], '1600 × 1200, turned by EXIF');
      await close(page);
    });
    await t.test('the timeline shows every step where it was, and the reference', async () => {
      await openDetail(page, 'beach');
      const lanes = await page.$$eval('.time tr', (rows) => rows.map((r) => [r.querySelector('th')?.textContent ?? 'axis', ...[...r.querySelectorAll('i')].map((i) => i.className)]));
      assert.deepEqual(lanes, [['download', 'download'], ['decode', 'decode'], ['large', 'encode', 'upload'], ['medium', 'encode', 'upload'], ['small', 'encode', 'upload'],
        ['reference', 'download', 'encode', 'upload', 'encode', 'upload', 'encode', 'upload'], ['axis']]);
      const [decode, large] = await page.$$eval('.time tr', (rows) => [rows[1], rows[2]].map((r) => [...r.querySelectorAll('i')].map((i) => i.getBoundingClientRect()).map((b) => [b.left, b.right])));
      assert.ok(large[0][0] >= decode[0][1] - 1.5 && large[1][0] >= large[0][1] - 1.5, `decoded, then encoded, then uploaded: ${decode}; ${large}`);
    });
    await t.test('its placeholder is the picture in a few pixels', async () => {
      await page.click('[data-act="copy Picture markup"]');
      const [, color, hash] = /style="background: (#[0-9a-f]{6}) url\((data:image\/png;base64,[^)]+)\) center\/cover"/.exec(await copied(page));
      const { size, top, bottom } = await draw.page.evaluate(async (src) => {
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
    await t.test('the report and the CLI line can be copied, and the button says that they were', async () => {
      await page.click('[data-act="copy Report"]');
      await page.waitForFunction(() => document.querySelector('[data-act="copy Report"]').textContent === 'Copied ✓');
      const report = JSON.parse(await copied(page));
      assert.deepEqual([report.status, report.source.width, report.renditions.map((r) => r.width)], ['resized', 2000, [368, 720, 1440]]);
      await page.click('[data-act="copy AWS CLI line"]');
      assert.match(await copied(page), /^AWS_ACCESS_KEY_ID=\S+ AWS_SECRET_ACCESS_KEY=\S+ AWS_REGION=\S+ \\\n {2}aws --endpoint-url http:\/\/127\.0\.0\.1:\d+ s3 cp 'beach & sea\.jpg' 's3:\/\/photos\/beach & sea\.jpg'$/);
      await page.waitForFunction(() => document.querySelector('[data-act="copy Report"]').textContent === 'Copy');
    });
    await t.test('a rendition’s address can be copied, and is that of the rendition', async () => {
      await page.click('[data-act="copy medium"]');
      const image = await page.evaluate(async (src) => { const i = Object.assign(new Image(), { src }); await i.decode(); return [i.naturalWidth, i.naturalHeight]; }, await copied(page));
      assert.deepEqual(image, [720, 540]);
    });
    await t.test('a rendition can be opened and saved', async () => {
      const opened = new Promise((resolve) => browser.once('targetcreated', resolve));
      await page.click('[data-act="open small"]');
      const tab = await (await opened).page();
      await tab.waitForFunction(() => document.images[0]?.naturalWidth === 368);
      await tab.close();
      const session = await browser.target().createCDPSession(), end = new Promise((resolve) => session.on('Browser.downloadProgress', (e) => e.state !== 'inProgress' && resolve(e.state)));
      await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true });
      await page.click('[data-act="save small"]');
      assert.equal(await end, 'completed');
      assert.deepEqual([...(await readFile(join(folder, 'small-beach & sea.jpg'))).subarray(0, 3)], [0xff, 0xd8, 0xff], 'a JPEG, under its own name');
      await close(page);
    });
    await t.test('the markup is right', async () => {
      await openDetail(page, 'portrait');
      await page.click('[data-act="copy Picture markup"]');
      const image = await draw.page.evaluate((markup) => {
        const i = new DOMParser().parseFromString(markup, 'text/html').querySelector('picture > img');
        return { srcset: i.getAttribute('srcset'), src: i.getAttribute('src'), width: i.getAttribute('width'), height: i.getAttribute('height'), sizes: i.sizes, loading: i.loading };
      }, await copied(page));
      assert.equal(image.srcset, '/small-portrait.jpg 368w, /medium-portrait.jpg 720w, /large-portrait.jpg 1200w');
      assert.deepEqual([image.src, image.width, image.height, image.sizes, image.loading], ['/medium-portrait.jpg', '1200', '1600', '(max-width: 1200px) 100vw, 1200px', 'lazy']);
    });
    await t.test('the slider moves, over two pictures of one size', async () => {
      await settled(page);
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
      await close(page);
    });
    await t.test('the keyboard alone finds, opens, compares, copies and closes', async () => {
      await page.focus('#pick');
      const keys = await order(page), path = [];
      for (let i = 0; i < 7; i++) { await page.keyboard.press('Tab'); path.push(await focused(page)); }
      assert.deepEqual(path, ['search', 'status', 'format', 'sort', '', '', 'portrait.jpg'], 'in the order of the page; one of two radios, a link, and the picture that was open');
      await page.keyboard.press('End');
      assert.equal(await focused(page), keys[2]);
      await page.keyboard.press('ArrowUp');
      assert.equal(await focused(page), keys[1]);
      await page.keyboard.press('Home');
      for (let i = keys.indexOf('beach & sea.jpg'); i > 0; i--) await page.keyboard.press('ArrowDown');
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'what has the focus is seen');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#view[open]');
      assert.equal(await focused(page), 'slider');
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.$eval('#slider', (e) => e.value), '51');
      for (let i = 0; i < 20 && await focused(page) !== 'copy Picture markup'; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.getElementById('said').textContent === 'Copied: Picture markup');
      await close(page);
      assert.equal(await focused(page), 'beach & sea.jpg', 'the focus is where it was');
    });
    await t.test('axe has nothing to say, in light and dark', async () => {
      await flawless(page);
      for (const key of ['beach', 'broken']) {
        await openDetail(page, key);
        await flawless(page);
        await close(page);
      }
      await page.click('#open-settings');
      await flawless(page);
      await page.keyboard.press('Escape');
      await page.click('[name=view][value=grid]');
      await settled(page);
      await flawless(page);
      await page.click('[name=view][value=list]');
    });
    await t.test('changed settings render the pictures again', async () => {
      await page.click('#open-settings');
      const set = async (name, value) => { await page.$eval(`#settings [name=${name}]`, (e) => { e.value = ''; }); await page.type(`#settings [name=${name}]`, value); };
      await set('sizes', 'a=0');
      await page.click('#settings [type=submit]');
      await page.waitForFunction(() => /RESIZE_SIZES.*between 1 and/.test(document.getElementById('settings-error').textContent));
      await flawless(page);
      errors.splice(0, errors.length, ...errors.filter((e) => !e.includes('422'))); // the browser says so, too
      const before = await order(page);
      await set('sizes', 'icon=64,page=1000');
      await set('formats', 'source,webp');
      await page.click('#settings [type=submit]');
      await page.waitForFunction(async () => { const { cards } = await import('./store.js'); return [...cards.values()].every((c) => c.state === 'done' && (c.made.length === 4 || c.status === 'rejected')); });
      assert.deepEqual(await order(page), before, 'each stays where it was');
      await openDetail(page, 'portrait');
      assert.deepEqual(await page.$$eval('.made th', (all) => all.map((e) => e.textContent)), ['page jpeg', 'page webp', 'icon jpeg', 'icon webp']);
      await page.click('[data-act="copy Picture markup"]');
      assert.match(await copied(page), /<source type="image\/webp" srcset="\/icon-portrait.jpg.webp 64w, \/page-portrait.jpg.webp 1000w"/);
      await close(page);
    });
    await t.test('320 pixels are enough', async () => {
      await page.setViewport({ width: 320, height: 640, isMobile: true }); // which loads the page anew
      for (const view of ['list', 'grid']) {
        await page.waitForSelector(`${item('portrait')} .open`);
        await page.click(`[name=view][value=${view}]`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, view);
      }
      await openDetail(page, 'portrait');
      assert.equal(await page.$eval('#view .scroll', (e) => e.scrollWidth <= e.clientWidth), true);
      await flawless(page);
      await close(page);
    });
    await t.test('a page that is loaded later shows the same', async () => {
      const later = await show(browser, server.url);
      await later.page.waitForFunction(() => document.querySelectorAll('#deck > li').length === 3);
      assert.deepEqual(await states(later.page), await states(page));
      assert.deepEqual(later.errors, []);
      await later.page.close();
    });
    await t.test('no error on the console', () => assert.deepEqual(errors, []));
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});

test('what is in the bucket changes', { timeout: 60_000 }, async (t) => {
  const server = await serve();
  const { page, errors } = await show(browser, server.url, { width: 700 });
  const long = `albums/${'a very long name of an album '.repeat(8)}/picture 1234.jpg`;
  try {
    await page.waitForSelector('#empty:not([hidden])');
    for (const [i, key] of ['a.jpg', 'b.jpg', long].entries()) {
      await put(page, key, await draw.picture(640, 480, i + 1));
      await resized(page, key);
    }
    await t.test('a long key loses its middle, and is whole in the title', async () => {
      const name = await page.$eval(`${item('albums')} .key`, (e) => ({ title: e.title, ends: e.querySelector('.end').textContent, shown: e.querySelector('.end').getBoundingClientRect().right <= e.closest('li').getBoundingClientRect().right, cut: e.querySelector('.start').scrollWidth > e.querySelector('.start').clientWidth }));
      assert.deepEqual(name, { title: long, ends: [...long].slice(-14).join(''), shown: true, cut: true });
    });
    await t.test('the marker of a folder is no picture', async () => {
      await put(page, 'albums/', Buffer.alloc(0));
      await put(page, 'c.jpg', await draw.picture(640, 480, 9));
      await resized(page, 'c.jpg');
      assert.deepEqual(await order(page), ['c.jpg', long, 'b.jpg', 'a.jpg']);
      assert.equal(await page.$eval('.totals dd', (e) => e.textContent), '4');
    });
    await t.test('an overwritten picture goes on top, and is the new one', async () => {
      const seen = await page.$eval(`${item('a.jpg')} img`, (e) => e.src);
      await put(page, 'a.jpg', await draw.picture(800, 600, 5));
      await page.waitForFunction((seen, item) => { const e = document.querySelector(item); return e.ariaPosInSet === '1' && e.dataset.state === 'resized' && e.querySelector('img').src !== seen; }, {}, seen, item('a.jpg'));
      assert.deepEqual(await order(page), ['a.jpg', 'c.jpg', long, 'b.jpg']);
    });
    await t.test('a deletion is asked for, can be called off, and takes the picture off the page', async () => {
      await openDetail(page, 'c.jpg');
      await page.click('[data-act="Delete …"]');
      await page.waitForSelector('#remove[open]');
      assert.match(await page.$eval('#remove', (e) => e.innerText), /s3:\/\/photos\/c\.jpg[^]*cannot be undone\. Its renditions stay, because RESIZE_DELETE is off/);
      assert.equal(await focused(page), 'remove-cancel', 'a slip of the finger deletes nothing');
      await flawless(page);
      await page.keyboard.press('Escape');
      await page.waitForSelector('#remove:not([open])');
      assert.ok(await page.$('#view[open]'), 'Escape closes one thing at a time');
      await page.click('[data-act="Delete …"]');
      await page.click('#remove [type=submit]');
      await page.waitForSelector('#view:not([open])');
      await page.waitForFunction((item) => !document.querySelector(item), {}, item('c.jpg'));
      assert.deepEqual(await order(page), ['a.jpg', long, 'b.jpg']);
      assert.equal(await focused(page), long, 'the focus is on what is in its place');
    });
    await t.test('the Delete key does as well, and the focus goes to what is in its place', async () => {
      await page.focus(`${item('a.jpg')} .open`);
      await page.keyboard.press('Delete');
      await page.waitForSelector('#remove[open]');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForFunction((item) => !document.querySelector(item), {}, item('a.jpg'));
      await page.waitForFunction((key) => document.activeElement.closest('li')?.dataset.key === key, {}, long);
    });
    await t.test('arrow keys go through the grid in two directions', async () => {
      for (let i = 0; i < 7; i++) await put(page, `grid-${i}.jpg`, await draw.picture(64, 48, i + 1));
      await pictures(page, 9);
      await page.click('[name=view][value=grid]');
      await page.waitForFunction(() => document.querySelectorAll('#deck > li[data-state=resized]').length === 9);
      const keys = await order(page), columns = await page.$$eval('#deck > li', (all) => new Set(all.map((e) => e.getBoundingClientRect().left)).size);
      assert.equal(columns, 3);
      await page.focus(`${item(keys[0])} .open`);
      for (const [key, to] of [['ArrowRight', 1], ['ArrowDown', 4], ['ArrowDown', 7], ['ArrowLeft', 6], ['ArrowUp', 3], ['End', 8], ['Home', 0], ['ArrowLeft', 0]]) {
        await page.keyboard.press(key);
        assert.equal(await focused(page), keys[to], key);
      }
    });
    await t.test('no error on the console', () => assert.deepEqual(errors, []));
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});

// Sizes may be boxes that a picture is cut to, or padded.
test('a rendition is drawn in its own shape', { timeout: 30_000 }, async () => {
  const server = await serve();
  const { page } = await show(browser, server.url);
  try {
    await page.waitForSelector('#empty:not([hidden])');
    await page.evaluate((sizes) => fetch('settings', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ sizes, formats: '', quality: '' }) }), 'square=400x400:cover,tall=300x600:contain,small=368');
    await put(page, 'a.jpg', await draw.picture(1600, 1200));
    await resized(page, 'a.jpg');
    const shapes = await page.$$eval('#deck .frame', (all) => all.map((e) => { const { width, height } = e.getBoundingClientRect(); return Number((width / height).toFixed(1)); }));
    assert.deepEqual(shapes, [1.3, 0.5, 1, 1.3], 'the original, tall, square, small');
    await openDetail(page, 'a.jpg');
    const beside = async () => page.$eval('#compare', (e) => e.classList.contains('beside'));
    await page.click('[name=rendition][value^=square]');
    assert.equal(await beside(), true, 'what is cut does not lie under the slider');
    const [before, after] = await page.$$eval('#before, #after', (all) => all.map((e) => e.getBoundingClientRect()).sort((a, b) => a.left - b.left).map((b) => [b.width / b.height, b.right, b.left]));
    assert.ok(Math.abs(before[0] - 4 / 3) < 0.02 && Math.abs(after[0] - 1) < 0.02 && before[1] <= after[2], `${before}; ${after}`);
    await page.click('[name=rendition][value^=small]');
    assert.equal(await beside(), false);
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
    for (let i = 0; i < 16; i++) files.push(await file(`restart-${i}.jpg`, await draw.picture(1600, 1200, i + 1)));
    await drop(page, files);
    const done = () => server.lines.filter((line) => line.includes(' resized ')).length;
    while (done() === 0) await wait(5);
    assert.ok(done() < 16, 'all are done before the restart: this shows nothing');
    await server.end('SIGKILL'); // in the middle: uploads break off, and events that were accepted go with the process
    await page.waitForFunction(() => document.querySelector('#where').classList.contains('lost'));
    await wait(500);
    server = await serve(at);
    await page.waitForFunction(() => document.querySelector('.totals dd')?.textContent === '16' && document.querySelectorAll('#deck > li').length > 0, { timeout: 45_000 });
    await page.waitForFunction(async () => (await import('./store.js')).uploads.size === 0);
    assert.ok(Object.values(await states(page)).every((s) => s === 'resized'), JSON.stringify(await states(page)));
  } finally {
    await Promise.allSettled([page.close(), server.end()]);
  }
});
