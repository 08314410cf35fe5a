//! The report as one page that needs nothing else: no script, no network. Foreign text is escaped everywhere.

use super::picture::{escape, picture};
use super::{LISTED, bytes, chain, clean, percent};
use crate::{Audit, Evidence, reused};
use std::fmt::{self, Write};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#221a14;--paper:#fbf8f3;--line:#d9cfc1;--soft:#6b6055}\
@media(prefers-color-scheme:dark){:root{--ink:#ece5db;--paper:#1c1815;--line:#463d35;--soft:#a99d90}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}\
.lead{font-size:1.15rem;margin:.5rem 0 1.5rem}.soft{color:var(--soft)}\
svg{width:100%;height:auto}svg text{font:13px system-ui,sans-serif}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}\
details{margin:.5rem 0}summary{cursor:pointer}";

/// The page. `title` names what was audited.
pub fn html(audit: &Audit, title: &str) -> String {
    let mut out = String::new();
    write(audit, title, &mut out).expect("writing to a string succeeds");
    out
}

fn write(audit: &Audit, title: &str, out: &mut String) -> fmt::Result {
    let standing = audit.standing();
    let title = escape(&clean(title));
    let seeds = audit.seed_roots();
    write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>Seeds of {title}</title><style>{STYLE}</style></head><body><header><h1>What {title} still trusts</h1>\
         <p class=\"lead\"><strong>{}</strong> of {} packages stand on at least one of <strong>{}</strong> seeds: \
         programs and blobs that nobody can read.</p></header><main>",
        percent(standing.on_seeds, standing.made),
        standing.made,
        seeds.len()
    )?;
    write!(
        out,
        "<h2>Who stands on what</h2><p class=\"soft\">Each bar is as wide as the number of packages that replacing it would \
         free; a bar lies under the one that must be replaced first. Space without a bar stands on several seeds at once.</p>{}",
        picture(audit)
    )?;
    let unseen = audit
        .roots
        .iter()
        .filter(|root| root.evidence == Evidence::Name)
        .count();
    if unseen > 0 {
        write!(
            out,
            "<p class=\"soft\">{unseen} of {} roots were classified by name only, as their bytes were not at hand.</p>",
            audit.roots.len()
        )?;
    }
    out.push_str("<h2>Replace these first</h2><table><thead><tr><th>Node</th><th class=\"n\">Frees</th><th class=\"n\">Share</th></tr></thead><tbody>");
    for (node, freed) in audit.top_dominators(12) {
        write!(
            out,
            "<tr><td>{}</td><td class=\"n\">{freed}</td><td class=\"n\">{}</td></tr>",
            escape(&clean(audit.name(node))),
            percent(freed, standing.made)
        )?;
    }
    write_seeds(audit, out)?;
    if let Some(longest) = audit.longest_of_all() {
        write!(
            out,
            "<h2>Longest chain to a seed</h2><p>{} steps: {}</p>",
            longest.len() - 1,
            escape(&chain(audit, &longest))
        )?;
    }
    write_remarks(audit, out)?;
    out.push_str("</main></body></html>\n");
    Ok(())
}

fn write_seeds(audit: &Audit, out: &mut String) -> fmt::Result {
    let seeds = audit.seed_roots();
    out.push_str("</tbody></table><h2>Seeds</h2><table><thead><tr><th>Seed</th><th>What it is</th><th>Found by</th><th class=\"n\">Opaque bytes</th><th class=\"n\">Needed by</th><th class=\"n\">Frees alone</th></tr></thead><tbody>");
    for root in seeds.iter().take(LISTED * 5) {
        let name = escape(&clean(audit.name(root.node)));
        let inside: Vec<String> = root
            .content
            .iter()
            .flat_map(|content| &content.examples)
            .take(5)
            .map(|(place, class, size)| {
                format!(
                    "<code>{}</code> {class}, {}",
                    escape(&clean(place)),
                    bytes(*size)
                )
            })
            .collect();
        let detail = if inside.is_empty() {
            escape(&clean(&root.reason))
        } else {
            inside.join("<br>")
        };
        write!(
            out,
            "<tr><td>{name}<br><span class=\"soft\">{detail}</span></td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            root.class,
            root.evidence,
            root.opaque_bytes().map_or("unknown".to_owned(), bytes),
            audit.needed_by(root.node),
            audit.dominators.freed_by(root.node).saturating_sub(1)
        )?;
    }
    out.push_str("</tbody></table>");
    if seeds.len() > LISTED * 5 {
        write!(
            out,
            "<p class=\"soft\">And {} more; the JSON report lists all.</p>",
            seeds.len() - LISTED * 5
        )?;
    }
    Ok(())
}

/// Reused hashes, and what could not be read.
fn write_remarks(audit: &Audit, out: &mut String) -> fmt::Result {
    let reused = reused(&audit.graph);
    if !reused.is_empty() {
        write!(out, "<h2>One hash under several names</h2><ul>")?;
        for reuse in reused.iter().take(LISTED) {
            let names: Vec<String> = reuse
                .names
                .iter()
                .map(|name| escape(&clean(name)))
                .collect();
            write!(
                out,
                "<li><code>{}</code>: {}</li>",
                reuse.address.hash.sri(),
                names.join(", ")
            )?;
        }
        out.push_str("</ul>");
    }
    if !audit.problems.is_empty() {
        write!(
            out,
            "<details><summary>{} things could not be understood</summary><ul>",
            audit.problems.len()
        )?;
        for problem in audit.problems.iter().take(LISTED * 5) {
            write!(
                out,
                "<li><code>{}</code></li>",
                escape(&clean(&problem.to_string()))
            )?;
        }
        out.push_str("</ul></details>");
    }
    Ok(())
}
