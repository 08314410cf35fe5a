// The main flows as a person has them: without a script, and with nothing but a keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFilledSite } from '../lib/filled.js';
import { address, pages } from '../lib/pages.js';
import { follow, startBrowser } from '../lib/site.js';

let site;
let browser;
before(async () => {
  [site, browser] = await Promise.all([startFilledSite(), startBrowser()]);
});
after(async () => {
  await browser?.stop();
  await site?.stop();
});

const open = async (options) => {
  const context = await browser.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
};
const ids = (page) => page.locator('.rows .id').allTextContents();

test('every page is whole without a script, and only those of triage have one, in a file', async () => {
  const contexts = {};
  for (const one of pages) {
    const { script, as = 'nobody' } = one;
    contexts[as] ??= await open({ javaScriptEnabled: false });
    const page = contexts[as];
    await page.context().addCookies(site.cookiesOf(as));
    const path = await address(site, one);
    await page.goto(site.url + path);
    const html = await page.content();
    const scripts = html.match(/<script[^]*?<\/script>/gi) ?? [];
    assert.equal(scripts.length, script ? 1 : 0, path);
    if (script) assert.match(scripts[0], /^<script src="\/assets\/queue\.[0-9a-f]{16}\.js" defer=""><\/script>$/, path);
    const handlers = await page.locator('*').evaluateAll((all) => all.flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on')));
    assert.deepEqual(handlers, [], path);
    assert.ok(await page.locator('main h1').isVisible(), path);
  }
  for (const page of Object.values(contexts)) await page.context().close();
});

test('filters narrow the list, chips widen it again', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${site.url}/vulnerabilities`);
  const all = await page.locator('#results').textContent();
  await page.getByRole('checkbox', { name: 'Critical' }).check();
  await page.getByLabel('Channel').selectOption('nixos-19.09');
  await page.getByRole('checkbox', { name: 'Affected', exact: true }).check();
  await follow(page, () => page.getByRole('button', { name: 'Apply' }).click());
  assert.match(page.url(), /severity=critical/);
  assert.match(page.url(), /channel=nixos-19\.09/);
  const shown = await page.locator('.rows .cell-severity').allTextContents();
  assert.ok(shown.length > 0);
  assert.ok(shown.every((text) => text.includes('Critical')), shown.join());
  const narrowed = await page.locator('#results').textContent();
  assert.notEqual(narrowed, all);
  assert.ok(await page.getByRole('checkbox', { name: 'Critical' }).isChecked(), 'the form keeps its state');

  const chips = page.getByRole('list', { name: 'Filters in use' }).getByRole('link');
  assert.equal(await chips.count(), 3);
  await follow(page, () => chips.first().click());
  assert.equal(await chips.count(), 2);
  await follow(page, () => page.getByRole('link', { name: 'Clear' }).click());
  assert.equal(await page.locator('#results').textContent(), all);
  await page.context().close();
});

test('pages of the list follow each other both ways, without a gap or a double', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${site.url}/vulnerabilities?limit=25`);
  const first = await ids(page);
  assert.equal(first.length, 25);
  const seen = [...first];
  while (await page.getByRole('link', { name: 'Next' }).count()) {
    await follow(page, () => page.getByRole('link', { name: 'Next' }).click());
    seen.push(...await ids(page));
  }
  const total = Number.parseInt((await page.locator('#results').textContent()).replace(/\D/g, ''), 10);
  assert.equal(seen.length, total);
  assert.equal(new Set(seen).size, total);
  while (await page.getByRole('link', { name: 'Previous' }).count()) {
    await follow(page, () => page.getByRole('link', { name: 'Previous' }).click());
  }
  assert.deepEqual(await ids(page), first);
  await page.context().close();
});

test('an id in the search field leads to its page', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(site.url);
  await page.getByRole('searchbox').fill('cve-2019-14697');
  await follow(page, () => page.getByRole('searchbox').press('Enter'));
  assert.equal(new URL(page.url()).pathname, '/vulnerabilities/CVE-2019-14697');
  await page.context().close();
});

test('the matrix tells what the issue asks for', async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${site.url}/vulnerabilities/CVE-2019-14697`);
  const columns = await page.locator('.matrix thead th').allTextContents();
  const column = columns.indexOf('nixos-19.09');
  assert.ok(column > 0, columns.join());
  const row = page.locator('.matrix tbody tr').filter({ has: page.getByRole('link', { name: 'musl', exact: true }) });
  const cell = await row.locator('> *').nth(column).textContent();
  assert.match(cell, /Affected/);
  assert.match(cell, /1\.1\.22/);
  assert.match(cell, /1\.1\.23/);
  assert.ok(await page.locator('.reasons li').count() > 0, 'reasons are given');

  await page.goto(`${site.url}/vulnerabilities/CVE-2001-1593`);
  const patched = await page.locator('.matrix').textContent();
  assert.match(patched, /Fixed/);
  assert.match(patched, /09_CVE-2001-1593\.diff/);
  await page.context().close();
});

test('the keyboard alone is enough', async () => {
  const page = await open({});
  await page.goto(site.url);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  await page.waitForFunction(() => document.activeElement.getBoundingClientRect().top >= 0);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');

  // From the top to the search field, with a visible mark on every stop.
  await page.goto(site.url);
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { name: document.activeElement.name, outlined: outlineStyle !== 'none' && outlineWidth !== '0px' };
    });
    assert.ok(stop.outlined, `stop ${step} is marked`);
    if (stop.name === 'q') break;
  }
  await page.keyboard.type('openssl');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/vulnerabilities\?q=openssl/);

  // Into the first result, and a fold of its sources open and shut.
  await page.locator('.rows .id').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/vulnerabilities\/CVE-/);
  const fold = page.locator('details.source').first();
  const before = await fold.getAttribute('open');
  await fold.locator('summary').focus();
  await page.keyboard.press('Enter');
  assert.notEqual(await fold.getAttribute('open'), before);
  await page.context().close();
});

test('an error offers a way out', async () => {
  const page = await open({ javaScriptEnabled: false });
  const response = await page.goto(`${site.url}/packages/nixpkgs/mus`);
  assert.equal(response.status(), 404);
  await follow(page, () => page.getByRole('link', { name: 'musl', exact: true }).click());
  assert.equal(new URL(page.url()).pathname, '/packages/nixpkgs/musl');
  await page.context().close();
});

test('the wide filter needs no unfolding, the narrow one unfolds', async () => {
  for (const [width, open_] of [[1280, true], [390, false]]) {
    const page = await open({ viewport: { width, height: 844 }, javaScriptEnabled: false });
    await page.goto(`${site.url}/vulnerabilities`);
    const box = page.getByRole('checkbox', { name: 'Critical' });
    assert.equal(await box.isVisible(), open_, `${width}`);
    if (!open_) {
      await page.getByText('Filters and order').click();
      assert.ok(await box.isVisible());
    }
    await page.context().close();
  }
});

test('print shows what folds hide and hides what paper cannot use', async () => {
  const page = await open({});
  await page.goto(`${site.url}/vulnerabilities/CVE-2019-14697`);
  await page.emulateMedia({ media: 'print' });
  assert.ok(!(await page.getByRole('searchbox').isVisible()));
  const heights = await page.locator('details.source .source-body').evaluateAll(
    (bodies) => bodies.map((body) => body.getBoundingClientRect().height));
  assert.ok(heights.every((height) => height > 0), heights.join());
  await page.context().close();
});
