// A site with something on every page: the demonstration's data, a landing index, people of each role, what they did, and
// a vulnerability whose every text is an attack. Made once for all test files, and copied for each.
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { folder, program, run, start } from './site.js';

const database = ['--database', 'sqlite:t.db'];
/** The vulnerability whose texts are attacks. */
export const hostile = 'CVE-2026-66666';
/** What a hostile record and a hostile person write where Markdown is read. */
export const attack = [
  '# Impact', '', 'Real **words**, `code` and <script>window.ran = 1</script>.', '',
  '<img src=x onerror="window.ran = 2"> <svg onload="window.ran = 3"></svg>', '',
  '[run](javascript:window.ran=4) [data](data:text/html,x) ![shot](https://evil.example/x.png)', '',
  '<div style="position:fixed;inset:0;background:red" onmouseover="window.ran = 5">', '</div></div></main></body>', '',
  `a${'very'.repeat(200)}longword`, '', `| ${'a | '.repeat(12)}`, `|${'---|'.repeat(12)}`, `| ${'wide | '.repeat(12)}`, '',
  '```', 'x'.repeat(400), '```', '', '> '.repeat(50) + 'deep', '',
].join('\n');

function landing(cwd) {
  run(cwd, 'git', ['init', '--quiet', '--bare', '--initial-branch=master', 'repository']);
  const begin = 1714564800;
  const commit = (branch, mark, message, from, merge) => `commit refs/heads/${branch}\nmark :${mark}\ncommitter a <a@example.org> ${begin + mark * 3600} +0000\ndata ${Buffer.byteLength(message)}\n${message}\n${from ? `from :${from}\n` : ''}${merge ? `merge :${merge}\n` : ''}\n`;
  const stream = [
    commit('master', 1, 'begin'),
    commit('release-24.05', 2, 'release: begin', 1),
    commit('staging', 3, 'curl: fix CVE-2024-12345', 1),
    commit('master', 4, 'Merge pull request #7 from someone/staging', 1, 3),
    commit('master', 5, 'wget: fix CVE-2024-54321', 4),
  ].join('');
  run(cwd, 'git', ['-C', 'repository', 'fast-import', '--quiet'], { input: stream });
  run(cwd, 'git', ['-C', 'repository', 'update-ref', 'refs/heads/nixos-unstable', 'master~1']);
  run(cwd, 'git', ['-C', 'repository', 'update-ref', 'refs/heads/nixos-24.05-with-a-rather-long-name', 'release-24.05']);
  run(cwd, program, ['landing', 'index', '--repository', 'repository']);
  const pull = { number: 70, title: 'curl: fix another overflow', state: 'open', base: { ref: 'master' }, labels: [{ name: 'security' }], created_at: '2024-05-01T00:00:00Z', updated_at: '2024-05-01T00:00:00Z' };
  writeFileSync(join(cwd, 'pulls.jsonl'), JSON.stringify(pull));
  run(cwd, program, ['landing', 'pulls', 'pulls.jsonl', ...database]);
  run(cwd, program, ['landing', 'support', 'nixos-unstable', '2024-06-01', ...database]);
}

function feeds(cwd) {
  const record = {
    dataType: 'CVE_RECORD', dataVersion: '5.1',
    cveMetadata: { cveId: hostile, assignerOrgId: '00000000-0000-4000-9000-000000000000', state: 'PUBLISHED', datePublished: '2026-05-01T00:00:00.000Z' },
    containers: { cna: {
      providerMetadata: { orgId: '00000000-0000-4000-9000-000000000000' },
      title: '"><script>window.ran = 6</script><img src=x onerror=window.ran=7>',
      descriptions: [{ lang: 'en', value: attack }],
      affected: [{ vendor: '<script>', product: '"onload="', versions: [{ version: '1', status: 'affected' }] }],
      references: [{ url: 'https://example.org/"onmouseover="window.ran=8' }],
    } },
  };
  writeFileSync(join(cwd, `${hostile}.json`), JSON.stringify(record));
  run(cwd, program, ['feed', 'import', `${hostile}.json`, ...database]);
  // One job that went well, one whose feed is nowhere; what fails is no failure of ours, so its code is 3.
  run(cwd, program, ['worker', '--once', '--no-feeds', ...database]);
  assert.throws(() => run(cwd, program, ['worker', '--once', '--feed', 'kev', '--feed-url', 'kev=nowhere:/kev.json', ...database]), { status: 3 });
}

/** A session of whoever a link is for, as a cookie. */
async function session(url, link) {
  const body = `secret=${new URL(link).searchParams.get('secret')}`;
  const answer = await post(url, '/sign-in/link', body, '');
  assert.equal(answer.status, 303, await answer.text());
  return /(rootstock-session=[^;]+)/.exec(answer.headers.getSetCookie().join('\n'))[1];
}

function post(url, path, body, cookie) {
  const headers = { origin: url, cookie, 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(url + path, { method: 'POST', body, headers, redirect: 'manual' });
}

/** What people did: each of the pages of those who decide has something on it. */
async function deeds(url, cookies) {
  const done = async (role, path, fields) => {
    const answer = await post(url, path, new URLSearchParams(fields).toString(), cookies[role]);
    assert.ok([200, 303].includes(answer.status), `${path}: ${answer.status} ${await answer.text()}`);
    return answer.headers.get('location');
  };
  const match = '/vulnerabilities/CVE-2019-14697/nixpkgs/musl';
  await done('triager', match, { do: 'comment', text: attack });
  await done('triager', match, { do: 'confirm', reason: 'read its source' });
  await done('triager', '/queue/views', { do: 'save', view: 'exploited', q: 'kev:yes', shared: '1' });
  await done('triager', '/account/tokens', { name: 'ci', days: '7', scope: 'read' });
  return done('triager', '/embargoes', { id: 'NIXPKGS-2026-0001', summary: 'A bug that is not told of yet', details: attack, families: 'musl' });
}

async function make(cwd) {
  const demo = await start(cwd, ['demo', '--listen', '127.0.0.1:0', ...database]);
  const cookies = {};
  let embargo;
  try {
    const link = run(cwd, program, ['admin', 'bootstrap', '--public-url', demo.url, ...database]).toString().trim();
    cookies.triager = await session(demo.url, await demo.signIn());
    cookies.administrator = await session(demo.url, link);
    embargo = await deeds(demo.url, cookies);
  } finally {
    assert.equal(await demo.stop(), 0);
  }
  landing(cwd);
  feeds(cwd);
  writeFileSync(join(cwd, 'made.json'), JSON.stringify({ cookies, embargo }));
}

/** A copy of the filled site, served until it is stopped. */
export async function startFilledSite() {
  const copy = folder('filled');
  try {
    if (process.env.ROOTSTOCK_FILLED) cpSync(process.env.ROOTSTOCK_FILLED, copy.path, { recursive: true });
    else await make(copy.path);
    const { cookies, embargo } = JSON.parse(run(copy.path, 'cat', ['made.json']).toString());
    const served = await start(copy.path, ['serve', '--listen', '127.0.0.1:0', '--landing', 'landing', ...database]);
    const stop = async () => {
      const code = await served.stop();
      copy.stop();
      return code;
    };
    /** The cookies of a role for a browser. */
    const cookiesOf = (role) => (cookies[role] ? [{ name: 'rootstock-session', value: cookies[role].split('=')[1], url: served.url }] : []);
    return { url: served.url, stop, cookiesOf, embargo };
  } catch (error) {
    copy.stop();
    throw error;
  }
}

// As a program: makes it in the folder that is named.
if (process.argv[1] === fileURLToPath(import.meta.url)) await make(process.argv[2]);
