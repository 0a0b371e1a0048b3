import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { preview, show, whenReady } from './picture.mjs';

const record = JSON.parse(await readFile(new URL('testdata/record.json', import.meta.url)));

function page(...types) {
  const sources = types.map((type) => ({ type }));
  return { style: {}, sources, parentElement: { querySelectorAll: () => sources } };
}

test('an img is given every width, and its place before it is loaded', () => {
  const img = page();
  show(img, record, 'https://d111.cloudfront.net', 'blob:local');
  assert.equal(img.srcset, [
    'https://d111.cloudfront.net/small-holiday/cat.jpg?v=8b262215ecf46d5c897cbc727116c4e6 368w',
    'https://d111.cloudfront.net/medium-holiday/cat.jpg?v=69450331c0065e458942d02409b42189 720w',
    'https://d111.cloudfront.net/large-holiday/cat.jpg?v=2b5cbe157461b77143ca73ce130b9db6 1440w'].join(', '));
  assert.equal(img.src, 'https://d111.cloudfront.net/large-holiday/cat.jpg?v=2b5cbe157461b77143ca73ce130b9db6');
  assert.deepEqual([img.width, img.height, img.style.backgroundColor], [1440, 1080, record.source.color]);
});

test('keys with spaces, plus signs and Korean become addresses', () => {
  const img = page();
  show(img, { source: {}, renditions: [{ key: 'small-여행/a b+c?.jpg', width: 1, height: 1, etag: 'e', contentType: 'image/jpeg' }] }, '');
  assert.equal(img.src, '/small-%EC%97%AC%ED%96%89/a%20b%2Bc%3F.jpg?v=e');
});

test('of several formats each source has its own, and the img what every browser shows', () => {
  const img = page('image/avif', 'image/webp');
  const renditions = record.renditions.flatMap((r) => [r, { ...r, key: `${r.key}.avif`, contentType: 'image/avif' }]);
  show(img, { ...record, renditions }, '');
  assert.match(img.sources[0].srcset, /^\/small-holiday\/cat\.jpg\.avif\?v=\w+ 368w, .* 1440w$/);
  assert.equal(img.sources[1].srcset, '');
  assert.doesNotMatch(img.srcset, /avif/);
});

test('widths that are the same, of a small source, stand there once', () => {
  const img = page();
  show(img, { ...record, renditions: record.renditions.map((r) => ({ ...r, width: 320 })) }, '');
  assert.equal(img.srcset.split(',').length, 1);
});

test('what is cut is none of the widths', () => {
  const img = page();
  show(img, { ...record, renditions: [...record.renditions, { ...record.renditions[0], key: 'avatar', width: 200, height: 200 }] }, '');
  assert.equal(img.srcset.split(',').length, 3);
  assert.doesNotMatch(img.srcset, /avatar/);
});

test('what does not load is replaced once by the fallback', () => {
  const img = page();
  show(img, record, '', 'blob:local');
  img.onerror();
  assert.deepEqual([img.src, img.srcset, img.onerror], ['blob:local', '', null]);
});

test("the user's file is shown, and let go of when it has loaded", () => {
  const heard = {};
  const img = { addEventListener: (name, f, options) => { heard[name] = f; assert.ok(options.once); } };
  preview(img, new Blob(['x']));
  assert.match(img.src, /^blob:/);
  heard.load();
});

test('the first message ends the waiting', () => {
  const opened = [];
  globalThis.EventSource = class { constructor(address) { this.address = address; opened.push(this); } close() { this.closed = true; } };
  let told;
  whenReady('/pictures/7/events', (picture) => { told = picture; });
  opened[0].onmessage({ data: JSON.stringify(record) });
  assert.deepEqual([opened[0].address, opened[0].closed, told.status], ['/pictures/7/events', true, 'resized']);
});
