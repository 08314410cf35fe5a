//! `/packages`: find a package by a part of its name.

use super::{Neighbours, Section, Shell};
use crate::app::App;
use crate::ask::Ask;
use crate::components::count;
use crate::error::Error;
use crate::path;
use crate::query::PackageQuery;
use crate::twin::twin_of;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tracker_store::view::{Order, PackageRow, Page};

const PATH: &str = "/packages";

#[derive(Debug, Template)]
#[template(path = "packages.html")]
struct PackagesPage {
    shell: Shell,
    total: String,
    packages: Vec<PackageLine>,
    previous: Option<String>,
    next: Option<String>,
}

/// A package, as a line.
#[derive(Debug)]
struct PackageLine {
    href: String,
    attribute: String,
    description: Option<String>,
    versions: Vec<VersionPair>,
    affected: u32,
}

#[derive(Debug)]
struct VersionPair {
    channel: String,
    version: String,
}

impl PackageLine {
    fn new(row: &PackageRow) -> PackageLine {
        PackageLine {
            href: path::package(&row.distribution, &row.attribute),
            attribute: row.attribute.clone(),
            description: row.description.clone(),
            versions: row
                .versions
                .iter()
                .map(|version| VersionPair {
                    channel: version.channel.clone(),
                    version: version.version.clone().unwrap_or_else(|| "–".to_owned()),
                })
                .collect(),
            affected: row.affected,
        }
    }
}

/// The twin.
#[derive(Debug, Serialize)]
struct PackagesView<'a> {
    #[serde(flatten)]
    page: &'a Page<PackageRow>,
    links: Neighbours,
}

fn neighbours(list: &PackageQuery, page: &Page<PackageRow>, path: &str) -> Neighbours {
    Neighbours::new(page, &list.paging, |paging| list.address_at(&paging, path))
}

fn total(page: &Page<PackageRow>) -> String {
    match page.total {
        Some(1) => "1 package".to_owned(),
        Some(number) => format!("{} packages", count(number)),
        None => "more than 10,000 packages".to_owned(),
    }
}

/// Answers `/packages`.
pub(crate) async fn packages(ask: Ask, State(app): State<App>) -> Result<Response, Error> {
    let list = PackageQuery::read(&ask.query)?;
    let request = list.paging.request(Order::default());
    let page = app.store.packages(list.text.as_deref(), &request).await?;
    let view = PackagesView {
        page: &page,
        links: neighbours(&list, &page, &twin_of(PATH)),
    };
    ask.answer(&view, || {
        let neighbours = neighbours(&list, &page, PATH);
        PackagesPage {
            shell: Shell::new(Section::Packages, &ask).searching(list.text.as_deref()),
            total: total(&page),
            packages: page.rows.iter().map(PackageLine::new).collect(),
            previous: neighbours.previous,
            next: neighbours.next,
        }
    })
}
