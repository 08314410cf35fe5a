//! How people sign in to `serve`.

use crate::arguments;
use anyhow::Context;
use std::sync::Arc;
use tracker_web::{ApiRates, GitHubSettings, People, PeopleSettings, Provider};

/// What the options ask for.
pub(super) fn people(arguments: arguments::People) -> anyhow::Result<People> {
    let arguments::People {
        github_client,
        github_secret,
        ..
    } = arguments;
    let github = github_client
        .zip(github_secret)
        .map(|(client, secret)| GitHubSettings {
            client,
            secret,
            url: arguments.github_url,
            api: arguments.github_api,
            triagers: arguments.triagers,
            administrators: arguments.administrators,
        });
    let settings = PeopleSettings {
        public: arguments.public_url,
        github,
        trusted_proxies: arguments.trusted_proxy,
        api: ApiRates {
            address: arguments.api_rate,
            token: arguments.api_token_rate,
        },
        ..PeopleSettings::default()
    };
    match provider(arguments.oidc, &settings)? {
        Some(provider) => Ok(People::through(settings, provider)),
        None => People::new(settings).context("nobody can sign in"),
    }
}

#[cfg(feature = "oidc")]
fn provider(
    arguments: arguments::Oidc,
    settings: &PeopleSettings,
) -> anyhow::Result<Option<Arc<dyn Provider>>> {
    use tracker_oidc::{Groups, Oidc, OidcSettings, Others, REFETCH};
    let (Some(issuer), Some(client), Some(secret), Some(public)) = (
        arguments.oidc_issuer,
        arguments.oidc_client,
        arguments.oidc_secret,
        &settings.public,
    ) else {
        return Ok(None);
    };
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(arguments.oidc_scope);
    if scopes.len() == 1 {
        scopes.push("profile".to_owned());
    }
    let provider = OidcSettings {
        issuer,
        discovery: arguments.oidc_discovery,
        client,
        secret,
        name: arguments.oidc_name,
        scopes,
        groups: Groups {
            claim: arguments.oidc_groups,
            triagers: arguments.oidc_triagers.into_iter().collect(),
            administrators: arguments.oidc_administrators.into_iter().collect(),
            others: match arguments.oidc_others {
                arguments::Others::Maintainers => Others::Maintainers,
                arguments::Others::Refused => Others::Nobody,
            },
        },
        refetch: REFETCH,
    };
    let provider = Oidc::new(provider, public).context("nobody can sign in")?;
    Ok(Some(Arc::new(provider)))
}

#[cfg(not(feature = "oidc"))]
fn provider(
    arguments: arguments::Oidc,
    _: &PeopleSettings,
) -> anyhow::Result<Option<Arc<dyn Provider>>> {
    anyhow::ensure!(
        arguments.oidc_issuer.is_none(),
        "this program was built without OpenID Connect: build it with `--features oidc`"
    );
    Ok(None)
}
