// The demonstration, started on a free port for one test file; and the browser that looks at it.
// Invariant: what was started here is stopped here, whether the tests passed or not.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.ROOTSTOCK_TRACKER ?? join(root, 'target/debug/rootstock-tracker');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // Chromium refuses its sandbox to root; the pages are our own.
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

/** Starts `demo` and resolves to its address once it says that it is ready. */
export async function startSite() {
  if (!existsSync(program)) throw new Error(`${program} is not built: cargo build -p rootstock-tracker`);
  const child = spawn(program, ['demo', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`demo is not ready after 60 s:\n${said}`)), 60_000);
    child.stdout.on('data', (data) => {
      said += data;
      const ready = /ready on (http:\/\/\S+)/.exec(said);
      if (ready) {
        clearTimeout(timer);
        resolve(ready[1]);
      }
    });
    child.stderr.on('data', (data) => { said += data; });
    child.once('exit', (code) => reject(new Error(`demo ended with ${code}:\n${said}`)));
  });
  const stop = () => new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
  return { url, stop };
}

/** Starts Chromium with a fresh profile. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'rootstock-browser-'));
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: flags,
    env: { ...process.env, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  const stop = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { browser, stop };
}

/** Every type of page, and what it is there for. A new page belongs here. */
export const pages = [
  { name: 'overview', path: '/' },
  { name: 'vulnerabilities', path: '/vulnerabilities?limit=12' },
  { name: 'vulnerabilities-filtered', path: '/vulnerabilities?severity=critical&severity=high&state=affected&order=published&limit=12' },
  { name: 'vulnerabilities-empty', path: '/vulnerabilities?q=nothing-has-these-words' },
  { name: 'vulnerability', path: '/vulnerabilities/CVE-2019-14697' },
  { name: 'vulnerability-patched', path: '/vulnerabilities/CVE-2001-1593' },
  { name: 'packages', path: '/packages?limit=12' },
  { name: 'packages-search', path: '/packages?q=openssl' },
  { name: 'package', path: '/packages/nixpkgs/musl' },
  { name: 'channels', path: '/channels' },
  { name: 'channel', path: '/channels/nixos-19.09' },
  { name: 'changes', path: '/changes' },
  { name: 'about', path: '/about' },
  { name: 'error-not-found', path: '/vulnerabilities/CVE-2019-1469', status: 404 },
  { name: 'error-bad-filter', path: '/vulnerabilities?severity=huge', status: 400 },
];
