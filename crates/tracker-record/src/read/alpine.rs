//! Alpine's security fixes: the versions of one package, in one repository, that fixed one vulnerability.
//!
//! Shape: `{"alpine_repository": "v3.20/main", "package", "id", "aliases"?, "fixed": ["5.1-r0"]}`. Version `0` means
//! never affected. Invariant: where several versions claim the fix, the lowest ends the range: each states one.

use super::debian::{fixed_since, statement};
use super::{ReadError, any_id, first, shorten, stated};
use crate::json::{At, Warnings};
use crate::record::{Affected, Record, Source};
use nix_version::{Scheme, Status};
use std::cmp::Ordering;
use std::collections::HashSet;

const ORIGIN: &str = "alpine";

/// The scheme of its versions, and what its ecosystems begin with.
const ALPINE: &str = "Alpine";

pub(super) fn read(root: &At<'_, '_>, warnings: &mut Warnings) -> Result<Record, ReadError> {
    const FIELD: &str = "alpine_repository";
    let repository = root.text(FIELD, warnings).and_then(any_id);
    let repository = repository.ok_or(ReadError::MissingId { field: FIELD })?;
    let (package, id) = statement(root, "package", warnings)?;
    let mut record = Record::new(Source::Alpine, format!("{repository}/{package}/{id}"));
    let mut aliases = HashSet::from([id.clone()]);
    record.aliases.push(id);
    for alias in root.texts("aliases", warnings) {
        match any_id(alias) {
            Some(alias) => record.aliases.extend(first(&mut aliases, alias)),
            None => {
                let problem = format!("{:?} is no id: the alias is left out", shorten(alias));
                warnings.push(root, "aliases", problem);
            }
        }
    }
    let versions = root.texts("fixed", warnings);
    let order = |a: &&str, b: &&str| {
        let order = Scheme::of(ALPINE).compare(a, b);
        order.unwrap_or(Ordering::Equal).then_with(|| a.cmp(b))
    };
    let mut affected = match versions.iter().copied().min_by(order) {
        Some("0") => Affected::new(Status::Unaffected),
        Some(version) => fixed_since(ALPINE, version),
        None => Affected::new(Status::Unknown),
    };
    affected.package_name = Some(package);
    let release = repository.split('/').next().unwrap_or_default();
    affected.ecosystem = Some(format!("{ALPINE}:{release}"));
    record.affected.push(stated(ORIGIN, affected));
    Ok(record)
}
