// The security team's day: the queue worked through by keyboard alone, and by a person without a script on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { follow, startBrowser, startSite } from '../lib/site.js';

let site;
let browser;
before(async () => {
  [site, browser] = await Promise.all([startSite(), startBrowser()]);
});
after(async () => {
  await browser?.stop();
  assert.equal(await site?.stop(), 0, 'SIGTERM ends the demonstration in peace');
});

/** Signs the demonstration's triager in, once; every context takes over the cookie. */
let cookies;
async function triager(options = {}) {
  const context = await browser.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (cookies) {
    await context.addCookies(cookies);
  } else {
    const page = await context.newPage();
    await page.goto(await site.signIn());
    await Promise.all([page.waitForURL((url) => !url.pathname.startsWith('/sign-in')), page.getByRole('main').getByRole('button').click()]);
    cookies = await context.cookies();
    await page.close();
  }
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => assert.fail(String(error)));
  return page;
}

/** All that nobody decided or put off: more than what is open in the demonstration. */
const undecided = 'state:proposed+-is:snoozed';

const total = async (page) => Number.parseInt((await page.locator('#results').textContent()).replace(/\D/g, ''), 10);
const current = (page) => page.locator('.item[aria-current]').getAttribute('data-item');
const press = (page, key) => follow(page, () => page.keyboard.press(key));

test('twenty items are worked through by keyboard, each decision moves on and can be undone', async () => {
  const page = await triager();
  await page.goto(`${site.url}/queue?q=${undecided}`);
  const before_ = await total(page);
  assert.ok(before_ >= 20, `${before_} items`);
  await page.keyboard.press('j');
  const decided = [];
  const keys = ['c', 'd', 'e', 'v', 'n', 's', 'c', 'd'];
  while (decided.length < 20) {
    const item = await current(page);
    assert.ok(!decided.includes(item), `${item} comes twice`);
    decided.push(item);
    await press(page, keys[decided.length % keys.length]);
    assert.match(await page.getByRole('status').textContent(), new RegExp(item.split('/')[0]));
    // One is taken back at once, and done again.
    if (decided.length === 5) {
      await press(page, 'u');
      assert.match(await page.getByRole('status').textContent(), /Undone/);
      assert.equal(await total(page), before_ - 4);
      await press(page, 'u');
    }
    assert.equal(await total(page), before_ - decided.length);
  }
  // A selection, then everything that a query finds.
  await page.keyboard.press('j');
  for (let ticked = 0; ticked < 3; ticked += 1) {
    await page.keyboard.press('x');
    await page.keyboard.press('j');
  }
  assert.equal(await page.locator('.item input:checked').count(), 3);
  await page.getByLabel('Decision').selectOption('assign-me');
  await follow(page, () => page.getByRole('button', { name: 'The ticked' }).click());
  assert.match(await page.getByRole('status').textContent(), /and 2 more/);
  await page.goto(`${site.url}/queue?q=assignee:@me`);
  assert.equal(await total(page), 3);
  await page.getByLabel('Decision').selectOption('unassign');
  await follow(page, () => page.getByRole('button', { name: 'All found' }).click());
  assert.match(await page.locator('h1').textContent(), /Decide about 3/);
  await follow(page, () => page.getByRole('button', { name: 'Yes' }).click());
  assert.equal(await total(page), 0);
  await press(page, 'u');
  assert.equal(await total(page), 3);
  // The letters are letters where one types.
  await page.keyboard.press('/');
  await page.keyboard.type('cdx');
  assert.match(await page.locator('#q').inputValue(), /cdx/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'keys');
  await page.context().close();
});

test('without a script, on a phone: one is decided, commented, undone; a rule is tried, made and ended', async () => {
  const page = await triager({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await page.goto(`${site.url}/queue?q=${undecided}`);
  const open = await total(page);
  await follow(page, () => page.getByRole('button', { name: /^Snooze/ }).first().click());
  assert.equal(await total(page), open - 1);
  await follow(page, () => page.getByRole('button', { name: 'Undo' }).click());
  assert.equal(await total(page), open);
  await follow(page, () => page.locator('.item .id').first().click());
  await page.getByLabel('Decision').selectOption('state:will-not-fix');
  await page.getByLabel('Reason').fill('not reachable');
  await follow(page, () => page.getByRole('button', { name: 'Decide' }).click());
  assert.match(await page.getByRole('status').textContent(), /will not fix/);
  await page.locator('#text').fill('Asked **upstream**.');
  await follow(page, () => page.getByRole('button', { name: 'Comment' }).click());
  assert.match(await page.locator('.history').textContent(), /Asked upstream/);
  await follow(page, () => page.getByRole('button', { name: /^Undo event/ }).first().click());
  assert.match(await page.getByRole('status').textContent(), /Undone/);

  await page.goto(`${site.url}/rules`);
  await page.getByLabel('Query').fill('kev:yes');
  await follow(page, () => page.getByRole('button', { name: 'Try it' }).click());
  assert.match(await page.locator('#would').textContent(), /It would hide \d+/);
  await page.getByLabel('Why').fill('looked at elsewhere');
  await page.getByLabel('it may hide the severe ones').check();
  await follow(page, () => page.getByRole('button', { name: 'Make the rule' }).click());
  assert.match(await page.locator('.rules').textContent(), /looked at elsewhere/);
  await follow(page, () => page.getByRole('button', { name: /^End rule/ }).click());
  assert.match(await page.locator('main').textContent(), /No rule hides anything/);
  await page.context().close();
});

test('without a script, a family is merged into another once it is sure, and put back', async () => {
  const page = await triager({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const { rows } = await (await fetch(`${site.url}/api/v1/queue?q=state:proposed&limit=200`)).json();
  // Two that no vulnerability concerns both of, so that nothing contradicts.
  const of = (family) => new Set(rows.filter((row) => row.family === family).map((row) => row.vulnerability));
  const apart = (one, two) => one !== two && [...of(one)].every((id) => !of(two).has(id));
  const [first] = rows;
  const { family: other } = rows.find((row) => row.distribution === first.distribution && apart(row.family, first.family));
  await page.goto(`${site.url}/queue?q=family:${encodeURIComponent(first.family)}`);
  const matches = await total(page);
  await follow(page, () => page.locator('[data-family]').first().click());
  const members = await page.locator('tbody tr').count();
  await page.getByLabel('Family that stays').fill(other);
  await page.locator('#merge-reason').fill('one program');
  await follow(page, () => page.getByRole('button', { name: 'Merge into it' }).click());
  assert.match(await page.locator('h1').textContent(), new RegExp('^Merge .* into .*\\?$'));
  await follow(page, () => page.getByRole('button', { name: 'Merge them' }).click());
  assert.match(await page.getByRole('status').textContent(), /merged into/);
  assert.ok((await page.locator('tbody tr').count()) > members);
  await follow(page, () => page.getByRole('button', { name: 'Undo', exact: true }).first().click());
  assert.match(await page.getByRole('status').textContent(), /Undone/);
  await page.goto(`${site.url}/queue?q=family:${encodeURIComponent(first.family)}`);
  assert.equal(await total(page), matches);
  await page.context().close();
});

test('views are saved, shared and dropped; a query that is none is told where', async () => {
  const page = await triager();
  await page.goto(`${site.url}/queue?q=kev:yes`);
  await page.getByLabel('Name of the view').fill('exploited');
  await follow(page, () => page.getByRole('button', { name: 'Save' }).click());
  assert.ok(await page.getByRole('link', { name: 'exploited' }).isVisible());
  await follow(page, () => page.getByRole('button', { name: 'Drop the view exploited' }).click());
  assert.equal(await page.getByRole('link', { name: 'exploited' }).count(), 0);
  const response = await page.goto(`${site.url}/queue?q=kev:yes+colour:red`);
  assert.equal(response.status(), 400);
  assert.match(await page.getByRole('alert').textContent(), /Column 9/);
  // What may come next comes from the database.
  await page.locator('#q').fill('channel:nixos-19');
  await page.waitForFunction(() => [...document.querySelectorAll('#completions option')].some(({ value }) => value === 'channel:nixos-19.09'));
  await page.context().close();
});
