// The demonstration, started on a free port for one test file; and the browser that looks at it.
// Invariant: what was started here is stopped here, whether the tests passed or not.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  /** The link that signs the demonstration's triager in, once. */
  const signIn = () => /sign in as a triager: (\S+)/.exec(said)[1];
  return { url, stop, signIn };
}

/** A small repository with its landing index and pull requests, served until it is stopped. */
export async function startLandingSite() {
  const folder = mkdtempSync(join(tmpdir(), 'rootstock-landing-'));
  const run = (command, args, options = {}) => execFileSync(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'], ...options });
  run('git', ['init', '--quiet', '--bare', '--initial-branch=master', 'repository']);
  const begin = 1714564800;
  const commit = (branch, mark, message, from, merge) => `commit refs/heads/${branch}\nmark :${mark}\ncommitter a <a@example.org> ${begin + mark * 3600} +0000\ndata ${Buffer.byteLength(message)}\n${message}\n${from ? `from :${from}\n` : ''}${merge ? `merge :${merge}\n` : ''}\n`;
  const stream = [
    commit('master', 1, 'begin'),
    commit('release-24.05', 2, 'release: begin', 1),
    commit('staging', 3, 'curl: fix CVE-2024-12345', 1),
    commit('master', 4, 'Merge pull request #7 from someone/staging', 1, 3),
    commit('master', 5, 'wget: fix CVE-2024-54321', 4),
  ].join('');
  run('git', ['-C', 'repository', 'fast-import', '--quiet'], { input: stream });
  run('git', ['-C', 'repository', 'update-ref', 'refs/heads/nixos-unstable', 'master~1']);
  run('git', ['-C', 'repository', 'update-ref', 'refs/heads/nixos-24.05-with-a-rather-long-name', 'release-24.05']);
  run(program, ['landing', 'index', '--repository', 'repository']);
  const pull = { number: 70, title: 'curl: fix another overflow', state: 'open', base: { ref: 'master' }, labels: [{ name: 'security' }], created_at: '2024-05-01T00:00:00Z', updated_at: '2024-05-01T00:00:00Z' };
  writeFileSync(join(folder, 'pulls.jsonl'), JSON.stringify(pull));
  const database = ['--database', 'sqlite:t.db'];
  run(program, ['landing', 'pulls', 'pulls.jsonl', ...database]);
  run(program, ['landing', 'support', 'nixos-unstable', '2024-06-01', ...database]);
  // One job that went well, one whose feed is nowhere; what fails is no failure of ours, so its code is 3.
  run(program, ['worker', '--once', '--no-feeds', ...database]);
  assert.throws(() => run(program, ['worker', '--once', '--feed', 'kev', '--feed-url', 'kev=nowhere:/kev.json', ...database]), { status: 3 });
  const child = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--landing', 'landing', ...database], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('serve is not ready after 60 s')), 60_000);
    child.stdout.on('data', (data) => {
      const ready = /on (http:\/\/\S+)/.exec(String(data));
      if (ready) {
        clearTimeout(timer);
        resolve(ready[1]);
      }
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const stop = () => new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
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
  { name: 'queue', path: '/queue?limit=12', script: true },
  { name: 'match', path: '/vulnerabilities/CVE-2019-14697/nixpkgs/musl', script: true },
  { name: 'rules', path: '/rules?q=kev:yes' },
  { name: 'packages', path: '/packages?limit=12' },
  { name: 'packages-search', path: '/packages?q=openssl' },
  { name: 'package', path: '/packages/nixpkgs/musl' },
  { name: 'channels', path: '/channels' },
  { name: 'channel', path: '/channels/nixos-19.09' },
  { name: 'changes', path: '/changes' },
  { name: 'pipeline', path: '/pipeline' },
  { name: 'events', path: '/events' },
  { name: 'labels', path: '/labels' },
  { name: 'jobs', path: '/jobs' },
  { name: 'about', path: '/about' },
  { name: 'error-not-found', path: '/vulnerabilities/CVE-2019-1469', status: 404 },
  { name: 'error-bad-filter', path: '/vulnerabilities?severity=huge', status: 400 },
];
