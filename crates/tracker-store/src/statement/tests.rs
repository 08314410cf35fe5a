//! Every statement is accepted by both databases, and few need two texts.

use super::{Dialect, Statement};
use crate::{
    Store, check, copy, derive, embargo, follow, inventory, job, landing, open, operate, people,
    pull, read, record, triage, writer,
};
use tracker_testkit::{Database, Kind};

/// Statements that may have a text for each database. Raise it only with a reason beside the pair.
const PAIRS: usize = 17;

fn all() -> Vec<Statement> {
    let declared = [
        open::ALL,
        writer::ALL,
        embargo::statements::ALL,
        follow::ALL,
        job::statements::ALL,
        landing::ALL,
        people::statements::ALL,
        pull::ALL,
        copy::ALL,
        copy::words::ALL,
        check::ALL,
        operate::ALL,
        record::statements::ALL,
        inventory::statements::ALL,
        derive::statements::ALL,
        read::statements::ALL,
        &read::statements::BUILT,
        read::list::ALL,
        triage::statements::ALL,
    ];
    let ways = read::list::WAYS.iter().flat_map(|way| way.all());
    declared
        .into_iter()
        .flatten()
        .chain(ways)
        .copied()
        .collect()
}

async fn prepare_all(kind: Kind, dialect: Dialect) {
    let database = Database::new(kind).await;
    let store = Store::open(database.url()).await.unwrap();
    let mut session = store.write().await.unwrap();
    for statement in all() {
        for parameters in [24_usize, 360] {
            // As many parameters as make whole rows, and a list after the fixed ones.
            let text = statement.text(dialect);
            let rows = text
                .split("{rows:")
                .nth(1)
                .and_then(|rest| rest.split('}').next());
            let number = rows.map_or(1, |number| number.parse().unwrap());
            let sql = statement.expand(dialect, parameters / number * number);
            let prepared = session.prepare(sql.clone()).await;
            prepared.unwrap_or_else(|error| panic!("{}: {error:?}\n{sql}", statement.name));
        }
    }
}

#[tokio::test]
async fn sqlite_accepts_every_statement() {
    prepare_all(Kind::Sqlite, Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_accepts_every_statement() {
    prepare_all(Kind::Postgres, Dialect::Postgres).await;
}

#[test]
fn pairs_are_few() {
    let all = all();
    let pairs: Vec<_> = all.iter().filter(|statement| statement.is_pair()).collect();
    assert_eq!(pairs.len(), PAIRS, "{pairs:#?}");
    assert!(
        pairs.len() * 10 < all.len(),
        "above a tenth of {}",
        all.len()
    );
}

#[test]
fn holes_are_filled_by_the_number_of_parameters() {
    let rows = Statement::portable("INSERT INTO t VALUES {rows:2} RETURNING 1");
    assert_eq!(
        rows.expand(Dialect::Postgres, 4),
        "INSERT INTO t VALUES ($1,$2),($3,$4) RETURNING 1"
    );
    assert_eq!(
        rows.expand(Dialect::Sqlite, 4),
        "INSERT INTO t VALUES (?,?),(?,?) RETURNING 1"
    );
    let list = Statement::portable("SELECT 1 WHERE a = $1 AND b IN ({list:1})");
    assert_eq!(
        list.expand(Dialect::Postgres, 3),
        "SELECT 1 WHERE a = $1 AND b IN ($2,$3)"
    );
    assert_eq!(
        list.expand(Dialect::Sqlite, 3),
        "SELECT 1 WHERE a = ? AND b IN (?,?)"
    );
}

#[test]
fn the_fixed_parameters_of_a_list_stand_before_it_in_order() {
    for statement in all() {
        if let Some((before, after)) = statement.sqlite.split_once("{list:") {
            let numbers: Vec<&str> = before
                .split('$')
                .skip(1)
                .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap())
                .collect();
            let fixed: usize = after.split('}').next().unwrap().parse().unwrap();
            let wanted: Vec<String> = (1..=fixed).map(|number| number.to_string()).collect();
            assert_eq!(numbers, wanted, "{}", statement.name);
            assert!(!after.contains('$'), "{}", statement.name);
        }
    }
}

/// Nothing but the statements of embargoes knows the tables of embargoes, and each of those that gives anything back to
/// a reader asks for the person who asks.
#[test]
fn embargoed_items_are_within_reach_of_their_own_statements_only() {
    let own: Vec<&str> = embargo::statements::ALL
        .iter()
        .map(|statement| statement.sqlite)
        .collect();
    for statement in all() {
        for text in [statement.sqlite, statement.postgres] {
            assert!(
                own.contains(&text) || !text.contains("embargo"),
                "{} reads embargoes",
                statement.name
            );
        }
    }
    for statement in embargo::statements::READ {
        assert!(
            statement.sqlite.contains("embargo_person.person = $1"),
            "{} does not ask who reads",
            statement.name
        );
    }
}
