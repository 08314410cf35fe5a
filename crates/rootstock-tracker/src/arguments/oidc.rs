//! Sign-in with an OpenID provider. The options are there without the cargo feature, too, so that one reference is right
//! for every program; a program without it says so.

use clap::{Args, ValueEnum};

/// Sign-in with an OpenID provider.
#[derive(Debug, Args)]
#[command(next_help_heading = "OpenID Connect (cargo feature `oidc`)")]
pub(crate) struct Oidc {
    /// Sign people in with an OpenID provider: its issuer, as its discovery document writes it. The callback to register
    /// there is PUBLIC-URL/sign-in/callback.
    #[arg(long, env = "ROOTSTOCK_OIDC_ISSUER", value_name = "URL", requires_all = ["oidc_client", "oidc_secret", "public_url"], conflicts_with = "github_client")]
    pub(crate) oidc_issuer: Option<String>,
    /// Where its discovery document is, if not at ISSUER/.well-known/openid-configuration.
    #[arg(long, env = "ROOTSTOCK_OIDC_DISCOVERY", value_name = "URL")]
    pub(crate) oidc_discovery: Option<String>,
    /// The client's id there.
    #[arg(long, env = "ROOTSTOCK_OIDC_CLIENT", value_name = "ID")]
    pub(crate) oidc_client: Option<String>,
    /// The client's secret.
    #[arg(
        long,
        env = "ROOTSTOCK_OIDC_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub(crate) oidc_secret: Option<String>,
    /// What the provider is called on the page.
    #[arg(
        long,
        env = "ROOTSTOCK_OIDC_NAME",
        value_name = "NAME",
        default_value = "single sign-on"
    )]
    pub(crate) oidc_name: String,
    /// A scope to ask for beside `openid`, such as `groups`; may be given several times. `profile` if none is given.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) oidc_scope: Vec<String>,
    /// The claim that lists somebody's groups, in the ID token or in userinfo; with dots, a path into it.
    #[arg(
        long,
        env = "ROOTSTOCK_OIDC_GROUPS",
        value_name = "CLAIM",
        default_value = "groups"
    )]
    pub(crate) oidc_groups: String,
    /// A group whose members are triagers; may be given several times.
    #[arg(long, value_name = "GROUP")]
    pub(crate) oidc_triagers: Vec<String>,
    /// A group whose members are administrators; may be given several times.
    #[arg(long, value_name = "GROUP")]
    pub(crate) oidc_administrators: Vec<String>,
    /// Who is in none of those groups.
    #[arg(
        long,
        env = "ROOTSTOCK_OIDC_OTHERS",
        value_name = "WHAT",
        default_value = "maintainers"
    )]
    pub(crate) oidc_others: Others,
}

/// What those are who are in no group named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Others {
    /// They are maintainers.
    Maintainers,
    /// They are refused.
    Refused,
}
