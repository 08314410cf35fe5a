// Where changes are and how channels stand, over a real index: accessible, no wider than the window, whole on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { startBrowser, startLandingSite } from '../lib/site.js';

const paths = [
  ['/changes/7', 'Pull request #7'],
  ['/changes/70', 'If it were merged now'],
  ['/changes', 'nixos-unstable'],
  ['/pipeline', 'CVE-2024-54321'],
  ['/pipeline/nixos-unstable', 'Security fixes on their way'],
  ['/events', 'The support of nixos-unstable ends'],
  ['/labels?label=security', 'curl: fix another overflow'],
  ['/jobs', 'is no address that can be fetched'],
];

let site;
let browser;
before(async () => {
  site = await startLandingSite();
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  assert.equal(await site?.stop(), 0, 'SIGTERM ends the server in peace');
});

for (const [width, height] of [[1280, 900], [360, 740]]) {
  for (const [path, text] of paths) {
    test(`${path} at ${width} px`, async () => {
      const context = await browser.browser.newContext({ viewport: { width, height }, colorScheme: 'light' });
      const page = await context.newPage();
      const response = await page.goto(site.url + path);
      assert.equal(response.status(), 200);
      assert.ok((await page.locator('main').innerText()).includes(text), text);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wider <= 0, `the page is ${wider} px wider than its window`);
      // The narrow window is asked only where the layout differs most: an audit takes seconds.
      if (width > 400 || ['/changes/7', '/pipeline', '/jobs'].includes(path)) {
        const found = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`), []);
      }
      // Every entry of the navigation is in sight without scrolling sideways.
      for (const link of await page.locator('header nav a').all()) {
        const box = await link.boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, await link.innerText());
      }
      await context.close();
    });
  }
}

test('the line from a branch to its channels has no gap where a text wraps', async () => {
  const context = await browser.browser.newContext({ viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
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
  await context.close();
});
