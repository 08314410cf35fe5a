// Every page, in three widths and both colour schemes: reachable, quiet, accessible, never wider than its window.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { startFilledSite } from '../lib/filled.js';
import { address, pages, routes } from '../lib/pages.js';
import { follow, root, startBrowser } from '../lib/site.js';

/** Pictures of all pages for whoever looks at them: only if they are asked for, since they take their time. */
const pictures = process.env.ROOTSTOCK_PICTURES ? join(root, 'e2e/browser/screenshots') : null;
const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };

let site;
let browser;
const contexts = {};
before(async () => {
  if (pictures) mkdirSync(pictures, { recursive: true });
  [site, browser] = await Promise.all([startFilledSite(), startBrowser()]);
  for (const role of ['nobody', 'triager', 'administrator']) {
    contexts[role] = await browser.browser.newContext({ viewport: desktop, colorScheme: 'light' });
    await contexts[role].addCookies(site.cookiesOf(role));
  }
});
after(async () => {
  await browser?.stop();
  assert.equal(await site?.stop(), 0, 'SIGTERM ends the server in peace');
});

/** What axe finds. */
async function audit(page) {
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] });
  const result = await axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const found = result.violations.map(({ id, help, nodes }) =>
    `${id}: ${help}\n    ${nodes.slice(0, 5).map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('\n    ')}`);
  assert.deepEqual(found, [], found.join('\n'));
  assert.ok(result.passes.length > 10, 'axe has looked at the page');
}

/** That nothing has to be scrolled sideways, and every entry of the navigation is in sight. */
async function fits(page) {
  const { wider, hidden } = await page.evaluate(() => ({
    wider: document.documentElement.scrollWidth - window.innerWidth,
    hidden: [...document.querySelectorAll('header nav a')].filter((link) => {
      const box = link.getBoundingClientRect();
      return box.x < 0 || box.right > window.innerWidth;
    }).map((link) => link.textContent),
  }));
  assert.ok(wider <= 0, `the page is ${wider} px wider than its window`);
  assert.deepEqual(hidden, [], 'navigation out of sight');
}

/** Looks at a page in each size, in a scheme where it is wide and in the other one where it is narrow. */
async function look(page, name, wide) {
  const looks = [['desktop', desktop, wide], ['phone', phone, wide === 'light' ? 'dark' : 'light']];
  for (const [size, viewport, colorScheme] of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await fits(page);
    await audit(page);
    if (pictures) await page.screenshot({ path: join(pictures, `${name}-${size}-${colorScheme}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
}

test('the list has every page of the table of routes, and no other', () => {
  const table = routes();
  assert.ok(table.length > 25, `${table.length} routes`);
  assert.deepEqual(table.filter((route) => !pages.some((page) => page.route === route)), [], 'routes without a page in lib/pages.js');
  assert.deepEqual(pages.filter((page) => !table.includes(page.route)), []);
});

// Two at once: one page is looked at while another is fetched.
describe('every page', { concurrency: 2 }, () => {
  for (const [index, one] of pages.entries()) {
    const { name, as = 'nobody', status = 200, says } = one;
    // The schemes take turns, since axe takes its time: the next page of a kind has them swapped.
    const wide = index % 2 ? 'dark' : 'light';
    test(name, async () => {
      const page = await contexts[as].newPage();
      const complaints = [];
      const strangers = [];
      page.on('console', (message) => {
        // The browser itself reports the status of an error page.
        const expected = status >= 400 && message.text().includes(`status of ${status}`);
        if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('dialog', (dialog) => complaints.push(dialog.message()));
      page.on('request', (request) => {
        if (!request.url().startsWith(site.url)) strangers.push(request.url());
      });
      const response = await page.goto(site.url + await address(site, one));
      assert.equal(response.status(), status);
      assert.equal(await page.locator('h1').count(), 1, 'one heading of the first level');
      if (says) assert.ok((await page.locator('main').innerText()).includes(says), says);
      await look(page, name, wide);
      assert.deepEqual(complaints, []);
      assert.deepEqual(strangers, [], 'nothing is loaded from elsewhere');
      await page.close();
    });
  }
});

test('what is asked before a large decision, and said after one', async () => {
  const page = await contexts.triager.newPage();
  page.setDefaultTimeout(30_000);
  const heading = () => page.locator('h1').textContent();
  await page.goto(`${site.url}/queue?q=kev:yes`);
  await page.getByLabel('Decision').selectOption('assign-me');
  await follow(page, () => page.getByRole('button', { name: 'All found' }).click());
  assert.match(await heading(), /^Decide about \d+\?$/);
  await look(page, 'queue-sure', 'light');

  await page.goto(`${site.url}/families/nixpkgs/musl`);
  await page.setViewportSize(desktop);
  await page.getByLabel('Family that stays').fill('openssl');
  await follow(page, () => page.getByRole('button', { name: 'Merge into it' }).click());
  assert.match(await heading(), /^Merge musl into openssl\?$/);
  await look(page, 'family-sure', 'dark');

  await page.goto(`${site.url}/vulnerabilities/CVE-2019-14697/nixpkgs/musl`);
  await page.setViewportSize(desktop);
  await page.locator('#text').fill('Asked upstream.');
  await follow(page, () => page.getByRole('button', { name: 'Comment' }).click());
  assert.match(await page.getByRole('status').textContent(), /\S/);
  await look(page, 'match-done', 'light');
  await page.close();
});

test('what strangers write runs nothing and stays in its place', async () => {
  for (const name of ['vulnerability-hostile', 'match', 'log', 'embargo']) {
    const one = pages.find((page) => page.name === name);
    for (const viewport of [desktop, phone]) {
      const page = await contexts[one.as ?? 'nobody'].newPage();
      await page.setViewportSize(viewport);
      await page.goto(site.url + await address(site, one));
      for (const text of await page.locator('.markdown').all()) await text.hover({ force: true });
      // To hover is to scroll.
      await page.evaluate(() => window.scrollTo(0, 0));
      const told = await page.evaluate(() => ({
        ran: window.ran,
        // The frame of the page is as on every other: nothing of theirs has closed or covered it.
        frame: [...document.body.children].map((element) => element.localName),
        foreign: [...document.querySelectorAll('.markdown')].map((element) => {
          const inner = [...element.querySelectorAll('*')];
          const box = element.getBoundingClientRect();
          return {
            inMain: Boolean(element.closest('main')),
            names: inner.map((one) => one.localName).filter((name) => ['script', 'img', 'svg', 'div', 'style', 'iframe'].includes(name)),
            attributes: inner.flatMap((one) => one.getAttributeNames()).filter((name) => !['href', 'rel', 'start'].includes(name)),
            addresses: inner.map((one) => one.href).filter((address) => address && !/^https?:/.test(address)),
            fixed: inner.filter((one) => getComputedStyle(one).position !== 'static').length,
            wider: box.right - document.documentElement.clientWidth,
          };
        }),
        top: document.elementFromPoint(5, 5)?.closest('header') !== null,
      }));
      assert.equal(told.ran, undefined, `${name}: something ran`);
      assert.ok(told.top, `${name}: the head of the page is covered`);
      assert.ok(told.foreign.length > 0, `${name} shows what somebody wrote`);
      for (const text of told.foreign) {
        assert.deepEqual({ ...text, wider: text.wider <= 0 }, { inMain: true, names: [], attributes: [], addresses: [], fixed: 0, wider: true }, name);
      }
      await page.goto(`${site.url}/about`);
      assert.deepEqual(told.frame, await page.evaluate(() => [...document.body.children].map((element) => element.localName)), name);
      await page.close();
    }
  }
});

test('the line from a branch to its channels has no gap where a text wraps', async () => {
  const page = await contexts.nobody.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${site.url}/changes/7`);
  const lines = await page.evaluate(() => [...document.querySelectorAll('.landing li')]
    .filter((item) => /begins|passes/.test(item.className))
    .map((item) => {
      const height = parseFloat(getComputedStyle(item, '::before').height);
      const top = parseFloat(getComputedStyle(item, '::before').top);
      return { item: item.getBoundingClientRect().height, line: height + top };
    }));
  assert.ok(lines.length > 0);
  for (const { item, line } of lines) assert.ok(Math.abs(item - line) < 2, `${line} of ${item}`);
  await page.close();
});
