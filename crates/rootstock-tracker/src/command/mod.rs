//! The commands, one module each.

mod admin;
mod bench;
mod channel;
mod channel_follow;
mod closure;
mod config;
mod database;
mod demo;
mod embargo;
mod evaluate;
mod feed;
mod follow;
mod jobs;
mod landing;
mod matching;
mod people;
mod reference;
mod serve;
mod show;
mod triage;
mod who;
mod worker;

use crate::arguments::{Admin, Bench, Channel, Command, Config, Feed, Jobs, Landing};
use crate::output::Outcome;
use anyhow::Context;
use tracker_store::Store;

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(demo) => demo::run(demo).await,
        Command::Serve(serve) => serve::run(*serve).await,
        Command::Worker(arguments) => worker::run(*arguments).await,
        Command::Jobs(Jobs::List(list)) => jobs::list(list).await,
        Command::Jobs(Jobs::Show(show)) => jobs::show(show).await,
        Command::Jobs(Jobs::Retry(retry)) => jobs::retry(retry).await,
        Command::Jobs(Jobs::Run(run)) => jobs::run(run).await,
        Command::Admin(Admin::Bootstrap(bootstrap)) => admin::bootstrap(bootstrap).await,
        Command::Admin(Admin::People(command)) => admin::people(command).await,
        Command::Admin(Admin::Sessions(command)) => admin::sessions(command).await,
        Command::Admin(Admin::Tokens(command)) => admin::tokens(command).await,
        Command::Embargo(command) => embargo::run(command).await,
        Command::Feed(Feed::Import(import)) => feed::import(import).await,
        Command::Feed(Feed::Follow(arguments)) => follow::run(arguments).await,
        Command::Channel(Channel::Import(import)) => channel::import(import).await,
        Command::Channel(Channel::Follow(follow)) => channel_follow::run(follow).await,
        Command::Channel(Channel::List(list)) => channel::list(list).await,
        Command::Channel(Channel::Diff(diff)) => channel::diff(diff).await,
        Command::Match(matching) => matching::run(matching).await,
        Command::Show(show) => show::run(show).await,
        Command::Closure(closure) => closure::run(&closure),
        Command::Triage(command) => triage::run(*command).await,
        Command::Landing(Landing::Index(index)) => landing::index(index),
        Command::Landing(Landing::History(history)) => landing::history(history),
        Command::Landing(Landing::Show(show)) => landing::show(show).await,
        Command::Landing(Landing::Pulls(pulls)) => landing::pulls(pulls).await,
        Command::Landing(Landing::Follow(follow)) => landing::follow(follow).await,
        Command::Landing(Landing::Join(join)) => landing::join(join).await,
        Command::Landing(Landing::Support(support)) => landing::support(support).await,
        Command::Backup(arguments) => database::backup(arguments).await,
        Command::Restore(arguments) => database::restore(arguments).await,
        Command::Copy(arguments) => database::copy(arguments).await,
        Command::Check(arguments) => database::check(arguments).await,
        Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
        Command::Learn(arguments) => evaluate::learn(&arguments),
        Command::InferCpe(arguments) => evaluate::infer_cpe(&arguments),
        Command::Bench(Bench::Pages(pages)) => bench::pages(pages).await,
        Command::Completions { shell } => reference::completions(shell),
        Command::Man { out } => reference::man(out),
        Command::Config(Config::Check(check)) => config::check(check),
        Command::Reference { page } => reference::markdown(page),
    }
}

/// Opens a database to write into; a SQLite file that is not there is created.
async fn open(url: &str) -> anyhow::Result<Store> {
    Store::open(url).await.context("the database does not open")
}

/// Opens a database that is there already, for commands that only read.
async fn open_existing(url: &str) -> anyhow::Result<Store> {
    Store::open_existing(url)
        .await
        .context("the database does not open")
}
