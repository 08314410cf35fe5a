// The tracker, started on a free port, and the browser that looks at it.
// Invariant: what was started here is stopped here, whether the tests passed or not.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const program = process.env.ROOTSTOCK_TRACKER ?? join(root, 'target/debug/rootstock-tracker');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // Chromium refuses its sandbox to root; the pages are our own.
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

/** A folder that is gone when `stop` is called. */
export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `rootstock-${name}-`));
  return { path, stop: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs the program to its end in a folder. */
export function run(cwd, command, args, options = {}) {
  return execFileSync(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'], ...options });
}

/** Starts the program in a folder, and resolves once it says where its pages are. */
export async function start(cwd, args) {
  if (!existsSync(program)) throw new Error(`${program} is not built: cargo build -p rootstock-tracker`);
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${args[0]} is not ready after 120 s:\n${said}`)), 120_000);
    const listen = (data) => {
      said += data;
      const ready = /(?:ready|serving) on (http:\/\/\S+)/.exec(said);
      if (ready) {
        clearTimeout(timer);
        resolve(ready[1]);
      }
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}:\n${said}`)));
  });
  const stop = () => new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
  /** The link that signs the demonstration's triager in, once: it is said after the address. */
  const signIn = async () => {
    for (let tries = 0; tries < 100; tries += 1) {
      const link = /sign in as a triager: (\S+)/.exec(said);
      if (link) return link[1];
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    throw new Error(`there is no link:\n${said}`);
  };
  return { url, stop, signIn };
}

/** Starts `demo`. */
export const startSite = () => start(tmpdir(), ['demo', '--listen', '127.0.0.1:0']);

/** Starts Chromium with a fresh profile. */
export async function startBrowser() {
  const profile = folder('browser');
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: flags,
    env: { ...process.env, XDG_CONFIG_HOME: profile.path, XDG_CACHE_HOME: profile.path },
  });
  const stop = async () => {
    await browser.close();
    profile.stop();
  };
  return { browser, stop };
}

/** Does what leads to another page, and waits until that is there: a click alone returns before. */
export const follow = async (page, act) => {
  await Promise.all([page.waitForEvent('load'), act()]);
};
