// The gallery of a server of its own, in Chromium: what the tests and the screenshot begin with.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const binary = process.env.S3RESIZER ?? new URL('../../../bin/s3resizer', import.meta.url).pathname;

// serve starts `s3resizer dev` and returns the page's address, what it prints, and how to end it.
export async function serve({ addr = '127.0.0.1:0', data } = {}) {
  const child = spawn(binary, ['dev', '--addr', addr, ...(data ? ['--data', data] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const lines = [];
  const url = await new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const found = line.match(/http:\S+\/-\//);
      if (found) resolve(found[0]);
    });
    ended.then((code) => reject(new Error(`s3resizer dev ended with ${code}: ${lines.join('\n')}`)));
  });
  return { url, lines, pid: child.pid, end: async (signal = 'SIGINT') => { child.kill(signal); await ended; } };
}

// browse starts Chromium; root, as in containers, can't have its sandbox.
export const browse = (options = {}) => puppeteer.launch({
  executablePath: execFileSync('which', [process.env.CHROMIUM ?? 'chromium'], { encoding: 'utf8' }).trim(),
  args: ['--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  ...options,
});

// show opens a page in the browser, and collects what goes wrong in it.
export async function show(browser, url, { width = 1180, height = 900, scale = 1, scheme = 'light' } = {}) {
  const page = await browser.newPage();
  const errors = [];
  page.on('console', (m) => ['error', 'warn'].includes(m.type()) && errors.push(`${m.text()} ${m.location().url ?? ''}`));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.setViewport({ width, height, deviceScaleFactor: scale });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(url);
  return { page, errors };
}

// bench draws pictures, and looks at some, in a page of its own: the gallery's says what it does on its console.
export async function bench(browser) {
  const page = await browser.newPage();
  return {
    page,
    // picture draws sky over ground, so that what is up is known.
    async picture(width, height, seed = 1, type = 'image/jpeg') {
      return Buffer.from(await page.evaluate(async (width, height, seed, type) => {
        const canvas = new OffscreenCanvas(width, height), c = canvas.getContext('2d');
        c.fillStyle = '#4080ff'; c.fillRect(0, 0, width, height / 2);
        c.fillStyle = '#308030'; c.fillRect(0, height / 2, width, height);
        for (let i = 0; i < 200; i++) { c.fillStyle = `hsl(${i * seed * 37 % 360} 70% 50%)`; c.fillRect(i * 97 * seed % width, height / 2 + i * 61 % (height / 2), 40, 40); }
        const data = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 0.9 })).arrayBuffer());
        let text = '';
        for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
        return btoa(text);
      }, width, height, seed, type), 'base64');
    },
  };
}

// pick is as if so many files had been picked: data, in turn, under the names.
export const pick = (page, names, data, type = 'image/jpeg') => page.evaluate((names, data, type) => {
  const files = data.map((d) => Uint8Array.from(atob(d), (c) => c.charCodeAt(0))), chosen = new DataTransfer();
  names.forEach((name, i) => chosen.items.add(new File([files[i % files.length]], name, { type })));
  document.getElementById('files').files = chosen.files;
  document.getElementById('files').dispatchEvent(new Event('change'));
}, names, data.map((d) => d.toString('base64')), type);

// put is what any S3 client does.
export const put = (page, key, data) => page.evaluate(async (key, data) => {
  const { url } = await (await fetch('uploads', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key }) })).json();
  const answer = await fetch(url, { method: 'PUT', body: Uint8Array.from(atob(data), (c) => c.charCodeAt(0)) });
  if (!answer.ok) throw new Error(await answer.text());
}, key, data.toString('base64'));

// pictures waits until the page's totals say how many were resized.
export const pictures = (page, n) => page.waitForFunction((n) => document.querySelector('.totals dd')?.textContent.split(' ')[0] === n, { timeout: 120_000, polling: 100 }, String(n));

// settled waits until every picture in the document has come.
export const settled = (page) => page.waitForFunction(() => [...document.querySelectorAll('#deck img, dialog[open] img[src]')].every((i) => i.complete && i.naturalWidth > 0));
