// Every type of page, in both colour schemes and three widths: reachable, quiet, accessible, never wider than its window.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { pages, startBrowser, startSite } from '../lib/site.js';

const screenshots = fileURLToPath(new URL('../screenshots/', import.meta.url));
const windows = [
  { name: 'desktop', width: 1280, height: 900, audited: true },
  { name: 'phone', width: 390, height: 844, audited: true },
  { name: 'small-phone', width: 360, height: 740, audited: false },
];

let site;
let browser;
before(async () => {
  mkdirSync(screenshots, { recursive: true });
  site = await startSite();
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  await site?.stop();
});

for (const scheme of ['light', 'dark']) {
  for (const { name: size, width, height, audited } of windows) {
    describe(`${size}, ${scheme}`, () => {
      let context;
      before(async () => {
        context = await browser.browser.newContext({ viewport: { width, height }, colorScheme: scheme });
      });
      after(() => context.close());

      for (const { name, path, status = 200 } of pages) {
        test(name, async () => {
          const page = await context.newPage();
          const complaints = [];
          const strangers = [];
          page.on('console', (message) => {
            // The browser itself reports the status of an error page.
            const expected = status >= 400 && message.text().includes(`status of ${status}`);
            if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
          });
          page.on('pageerror', (error) => complaints.push(String(error)));
          page.on('request', (request) => {
            if (!request.url().startsWith(site.url)) strangers.push(request.url());
          });
          const response = await page.goto(site.url + path);
          assert.equal(response.status(), status);
          assert.equal(await page.locator('h1').count(), 1, 'one heading of the first level');

          const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(wider <= 0, `the page is ${wider} px wider than its window`);
          if (audited) {
            // The schemes differ in nothing but colours, so the dark one is only asked about contrast.
            const axe = new AxeBuilder({ page });
            const asked = scheme === 'light'
              ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
              : axe.withRules(['color-contrast']);
            const result = await asked.analyze();
            const found = result.violations.map(({ id, help, nodes }) =>
              `${id}: ${help}\n    ${nodes.slice(0, 5).map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('\n    ')}`);
            assert.deepEqual(found, [], found.join('\n'));
            assert.ok(result.passes.length > (scheme === 'light' ? 10 : 0), 'axe has looked at the page');
          }
          await page.screenshot({ path: `${screenshots}${name}-${size}-${scheme}.png`, fullPage: true });
          assert.deepEqual(complaints, []);
          assert.deepEqual(strangers, [], 'nothing is loaded from elsewhere');
          await page.close();
        });
      }
    });
  }
}
