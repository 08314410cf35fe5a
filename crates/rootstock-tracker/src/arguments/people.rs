//! How people sign in to `serve`, and `admin`.

use super::admin::{AdminPeople, AdminProofs};
use super::{Database, Json, examples};
use clap::{Args, Subcommand};
use std::net::IpAddr;
use tracker_web::{PublicAddress, Team};

/// How people sign in, and how often the API may be asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "People")]
pub(crate) struct People {
    /// Where the tracker is reached, such as `https://tracker.example.org`: people are sent back there.
    #[arg(long, env = "ROOTSTOCK_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<PublicAddress>,
    /// Sign people in with GitHub: the client id of an OAuth application whose callback is PUBLIC-URL/sign-in/callback.
    #[arg(long, env = "ROOTSTOCK_GITHUB_CLIENT", value_name = "ID", requires_all = ["github_secret", "public_url"])]
    pub(crate) github_client: Option<String>,
    /// The secret of that application.
    #[arg(
        long,
        env = "ROOTSTOCK_GITHUB_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) github_secret: Option<String>,
    /// Where people sign in; another for GitHub Enterprise.
    #[arg(
        long,
        env = "ROOTSTOCK_GITHUB_URL",
        value_name = "URL",
        default_value = "https://github.com"
    )]
    pub(crate) github_url: String,
    /// Where its API is.
    #[arg(
        long,
        env = "ROOTSTOCK_GITHUB_API",
        value_name = "URL",
        default_value = "https://api.github.com"
    )]
    pub(crate) github_api: String,
    /// A team on GitHub whose members are triagers; may be given several times.
    #[arg(long, value_name = "ORGANISATION/TEAM")]
    pub(crate) triagers: Vec<Team>,
    /// A team on GitHub whose members are administrators; may be given several times.
    #[arg(long, value_name = "ORGANISATION/TEAM")]
    pub(crate) administrators: Vec<Team>,
    /// A proxy whose `X-Forwarded-For` is believed; may be given several times.
    #[arg(long, value_name = "IP")]
    pub(crate) trusted_proxy: Vec<IpAddr>,
    /// Requests of the API in a minute from one address.
    #[arg(long, env = "ROOTSTOCK_API_RATE", value_name = "NUMBER", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) api_rate: u32,
    /// Requests of the API in a minute with one token.
    #[arg(long, env = "ROOTSTOCK_API_TOKEN_RATE", value_name = "NUMBER", default_value_t = 1_200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) api_token_rate: u32,
    // Last, because its heading holds for what stands behind it.
    #[command(flatten)]
    pub(crate) oidc: super::Oidc,
}

/// `admin`.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Print a link that signs in the first administrator.
    ///
    /// It holds once, for an hour. Run it again for another one; a new link takes nothing from an old one. The account
    /// is local: it needs no provider, and a provider's teams have no say about it.
    #[command(after_help = examples("admin bootstrap --public-url https://tracker.example.org --database sqlite:tracker.db"))]
    Bootstrap(AdminBootstrap),
    /// Who there is, and what role they have from where.
    #[command(subcommand)]
    People(AdminPeople),
    /// Somebody's sessions.
    #[command(subcommand)]
    Sessions(AdminProofs),
    /// Somebody's API tokens.
    #[command(subcommand)]
    Tokens(AdminProofs),
}

/// `admin bootstrap`.
#[derive(Debug, Args)]
pub(crate) struct AdminBootstrap {
    /// Name of the local account.
    #[arg(long, value_name = "NAME", default_value = "administrator")]
    pub(crate) account: String,
    /// Where the tracker is reached.
    #[arg(
        long,
        env = "ROOTSTOCK_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) public_url: PublicAddress,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}
