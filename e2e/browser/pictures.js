// Makes the book's pictures of the main flows anew, from the demonstration's data: `node e2e/browser/pictures.js`.
// Invariant: each is what a person sees who does the same, small enough to be kept beside the text.
import { writeFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { follow, root, startBrowser, startSite } from './lib/site.js';

const into = join(root, 'docs/tracker/pictures');
/** The largest picture, in bytes: what the tidy test allows, less a little. */
const most = 145_000;
const sizes = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };

mkdirSync(into, { recursive: true });
const [site, browser] = await Promise.all([startSite(), startBrowser()]);

/** A picture of what a window shows, as WebP: the quality goes down until it is small enough. */
async function picture(page, name) {
  const session = await page.context().newCDPSession(page);
  const file = join(into, `${name}.webp`);
  for (let quality = 80; ; quality -= 10) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
    const bytes = Buffer.from(data, 'base64');
    if (bytes.length <= most || quality <= 20) {
      writeFileSync(file, bytes);
      break;
    }
  }
  console.log(`${name}: ${Math.round(statSync(file).size / 1000)} kB`);
}

/** A window of a size, for whom these cookies are. */
async function window_(size, cookies = []) {
  const context = await browser.browser.newContext({ viewport: sizes[size], colorScheme: 'light', deviceScaleFactor: size === 'phone' ? 2 : 1 });
  await context.addCookies(cookies);
  const page = await context.newPage();
  const go = (path) => page.goto(site.url + path);
  return { page, go, context };
}

try {
  const { page, go, context } = await window_('desktop');
  await page.goto(await site.signIn());
  await follow(page, () => page.getByRole('main').getByRole('button').click());
  const cookies = await context.cookies();
  const queue = '/queue?q=state:proposed+-is:snoozed';

  await go(queue);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await picture(page, 'queue');
  await follow(page, () => page.keyboard.press('c'));
  await picture(page, 'queue-decided');
  await page.keyboard.press('?');
  await picture(page, 'queue-keys');

  const match = '/vulnerabilities/CVE-2019-14697/nixpkgs/musl';
  await go(match);
  await page.locator('#text').fill('Fixed in **1.1.23**; only `i686` with x87 is concerned.');
  await follow(page, () => page.getByRole('button', { name: 'Comment' }).click());
  await page.locator('#do').selectOption('state:will-not-fix');
  await page.getByLabel('Channel', { exact: true }).selectOption('nixos-19.09');
  await page.getByLabel('Reason', { exact: true }).fill('the channel has ended');
  await follow(page, () => page.getByRole('button', { name: 'Decide' }).click());
  await go(match);
  await picture(page, 'match');
  await page.evaluate(() => document.querySelector('#siblings').scrollIntoView());
  await picture(page, 'match-history');

  await go('/families/nixpkgs/firefox');
  await page.getByLabel('split off firefox-esr').check();
  await page.getByLabel('Name of the new family').fill('firefox-esr');
  await page.locator('#split-reason').fill('its releases have a line of their own');
  await picture(page, 'family');
  await follow(page, () => page.getByRole('button', { name: 'Split off the ticked' }).click());
  await picture(page, 'family-sure');

  await go('/rules?q=severity%3C%3Dlow');
  await picture(page, 'rules');
  await go('/maintainers/edolstra');
  await picture(page, 'maintainer');
  await go('/log');
  await picture(page, 'log');
  await go('/vulnerabilities/CVE-2019-14697');
  await picture(page, 'vulnerability');
  await go('/');
  await picture(page, 'overview');

  const phone = await window_('phone', cookies);
  await phone.go(queue);
  await picture(phone.page, 'queue-phone');
  await phone.go(match);
  await picture(phone.page, 'match-phone');
  await phone.go('/vulnerabilities/CVE-2019-14697');
  await picture(phone.page, 'vulnerability-phone');
} finally {
  await browser.stop();
  await site.stop();
}
