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

// open is all three at once.
export async function open(view) {
  const server = await serve();
  const browser = await browse();
  const { page, errors } = await show(browser, server.url, view);
  return { server, browser, page, errors, close: async () => { await browser.close(); await server.end(); } };
}
