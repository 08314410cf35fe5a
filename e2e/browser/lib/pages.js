// Every page of the site, and whoever it is for. The table of routes is the program's own: a page that has no line here
// fails the tests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostile } from './filled.js';
import { root } from './site.js';

/**
 * A page: the pattern of its route, an address, who looks at it, the status that is expected if it is not 200, a text that
 * it has to hold, and whether it has the one script.
 */
export const pages = [
  { route: '/', name: 'overview', path: '/' },
  { route: '/vulnerabilities', name: 'vulnerabilities', path: '/vulnerabilities?limit=12' },
  { route: '/vulnerabilities', name: 'vulnerabilities-filtered', path: '/vulnerabilities?severity=critical&severity=high&state=affected&order=published&limit=12' },
  { route: '/vulnerabilities', name: 'vulnerabilities-empty', path: '/vulnerabilities?q=nothing-has-these-words' },
  { route: '/vulnerabilities', name: 'error-bad-filter', path: '/vulnerabilities?severity=huge', status: 400 },
  { route: '/vulnerabilities/{id}', name: 'vulnerability', path: '/vulnerabilities/CVE-2019-14697' },
  { route: '/vulnerabilities/{id}', name: 'vulnerability-patched', path: '/vulnerabilities/CVE-2001-1593' },
  { route: '/vulnerabilities/{id}', name: 'vulnerability-hostile', path: `/vulnerabilities/${hostile}`, says: '<script>window.ran = 1</script>' },
  { route: '/vulnerabilities/{id}', name: 'error-not-found', path: '/vulnerabilities/CVE-2019-1469', status: 404 },
  { route: '/queue', name: 'queue', path: '/queue?limit=12', script: true },
  { route: '/queue', name: 'queue-decides', path: '/queue?q=state:proposed&limit=12', as: 'triager', script: true },
  { route: '/queue', name: 'queue-bad-query', path: '/queue?q=colour:red', as: 'triager', status: 400, script: true },
  { route: '/vulnerabilities/{id}/{distribution}/{family}', name: 'match', path: '/vulnerabilities/CVE-2019-14697/nixpkgs/musl', script: true, says: 'Real words' },
  { route: '/vulnerabilities/{id}/{distribution}/{family}', name: 'match-decides', path: '/vulnerabilities/CVE-2019-14697/nixpkgs/musl', as: 'triager', script: true },
  { route: '/families/{distribution}/{family}', name: 'family', path: '/families/nixpkgs/musl' },
  { route: '/families/{distribution}/{family}', name: 'family-decides', path: '/families/nixpkgs/musl', as: 'triager', says: 'Merge into it' },
  { route: '/rules', name: 'rules', path: '/rules?q=kev:yes' },
  { route: '/rules', name: 'rules-decides', path: '/rules?q=kev:yes', as: 'triager' },
  { route: '/packages', name: 'packages', path: '/packages?limit=12' },
  { route: '/packages', name: 'packages-search', path: '/packages?q=openssl' },
  { route: '/packages/{distribution}/{attribute}', name: 'package', path: '/packages/nixpkgs/musl' },
  { route: '/channels', name: 'channels', path: '/channels' },
  { route: '/channels/{name}', name: 'channel', path: '/channels/nixos-19.09' },
  { route: '/channels/{name}/changes/{from}/{to}', name: 'channel-changes', path: null },
  { route: '/changes', name: 'changes', path: '/changes', says: 'nixos-unstable' },
  { route: '/changes/{change}', name: 'change', path: '/changes/7', says: 'Pull request #7' },
  { route: '/changes/{change}', name: 'change-open', path: '/changes/70', says: 'If it were merged now' },
  { route: '/pipeline', name: 'pipeline', path: '/pipeline', says: 'CVE-2024-54321' },
  { route: '/pipeline/{name}', name: 'pipeline-channel', path: '/pipeline/nixos-unstable', says: 'Security fixes on their way' },
  { route: '/events', name: 'events', path: '/events', says: 'The support of nixos-unstable ends' },
  { route: '/log', name: 'log', path: '/log', says: 'Real words' },
  { route: '/log', name: 'log-of-one', path: '/log?q=CVE-2019-14697' },
  { route: '/maintainers/{maintainer}', name: 'maintainer', path: '/maintainers/edolstra', says: 'openssh' },
  { route: '/mine', name: 'mine', path: '/mine', as: 'triager' },
  { route: '/labels', name: 'labels', path: '/labels?label=security', says: 'curl: fix another overflow' },
  { route: '/jobs', name: 'jobs', path: '/jobs', says: 'is no address that can be fetched' },
  { route: '/about', name: 'about', path: '/about' },
  { route: '/sign-in', name: 'sign-in', path: '/sign-in' },
  { route: '/sign-in/callback', name: 'sign-in-failed', path: '/sign-in/callback', status: 400 },
  { route: '/sign-in/link', name: 'sign-in-link', path: '/sign-in/link?secret=rootstock_link_x' },
  { route: '/account', name: 'account', path: '/account', as: 'triager', says: 'ci' },
  { route: '/embargoes', name: 'embargoes', path: '/embargoes', as: 'triager', says: 'NIXPKGS-2026-0001' },
  { route: '/embargoes/{name}', name: 'embargo', path: null, as: 'triager', says: 'Real words' },
  { route: '/embargoes/{name}', name: 'embargo-not-found', path: '/embargoes/none', as: 'administrator', status: 404 },
  { route: '/admin/people', name: 'people', path: '/admin/people', as: 'administrator', says: 'triager' },
  { route: '/admin/people', name: 'error-not-allowed', path: '/admin/people', as: 'triager', status: 403 },
  { route: '/admin/people/{key}', name: 'person', path: '/admin/people/1', as: 'administrator' },
];

/** The routes that answer with a page, from the table that the program is made of. */
export function routes() {
  const table = readFileSync(join(root, 'crates/tracker-web/src/routes.rs'), 'utf8');
  return [...table.matchAll(/^ {4}(?:Page|Own) "([^"]+)" get /gm)].map(([, pattern]) => pattern);
}

/** The address of a page on a site; of some it is only known there. */
export async function address(site, page) {
  const link = async (path, pattern) => {
    const found = pattern.exec(await (await fetch(site.url + path)).text());
    if (!found) throw new Error(`${path} has no ${pattern}`);
    return found[1].replaceAll('&#38;', '&').replaceAll('&amp;', '&');
  };
  switch (page.name) {
    case 'channel-changes': return link('/channels/nixos-19.09', /href="(\/channels\/nixos-19\.09\/changes\/[^"]+)"/);
    case 'embargo': return site.embargo;
    default: return page.path;
  }
}
