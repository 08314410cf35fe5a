//! Sign-in with GitHub: the code flow of OAuth 2 (RFC 6749 section 4.1) with state and PKCE (RFC 7636), as GitHub
//! answers it, which is with status 200 and an `error` where the standard has 400.
//!
//! Invariant: a role is given only by a membership that is `active` in a team that the settings name.

use super::asking::{provider_address, provider_answer, provider_client};
use super::provider::{Answer, Known, Provider, ProviderError, ProviderSetupError};
use crate::path::segment;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use tracker_people::{Role, Secret};

/// A team of an organisation: `ORGANISATION/TEAM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    organisation: String,
    team: String,
}

/// Why a text names no team.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected ORGANISATION/TEAM, as in the team's address on GitHub")]
pub struct NoTeam;

impl FromStr for Team {
    type Err = NoTeam;

    fn from_str(text: &str) -> Result<Team, NoTeam> {
        let is_name = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
        };
        match text.split_once('/') {
            Some((organisation, team)) if is_name(organisation) && is_name(team) => Ok(Team {
                organisation: organisation.to_owned(),
                team: team.to_owned(),
            }),
            _ => Err(NoTeam),
        }
    }
}

/// An OAuth application of GitHub, and which teams give which role.
#[derive(Clone)]
pub struct GitHubSettings {
    /// Client id of the application.
    pub client: String,
    /// Its secret.
    pub secret: String,
    /// Where people sign in.
    pub url: String,
    /// Where the API is.
    pub api: String,
    /// Teams whose members are triagers.
    pub triagers: Vec<Team>,
    /// Teams whose members are administrators.
    pub administrators: Vec<Team>,
}

impl fmt::Debug for GitHubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHubSettings({} at {})", self.client, self.url)
    }
}

/// GitHub.
#[derive(Debug)]
pub(crate) struct GitHub {
    settings: GitHubSettings,
    callback: String,
    client: Client,
}

/// What the token endpoint answers, in both of its shapes.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct UserAnswer {
    id: u64,
    login: String,
}

#[derive(Deserialize)]
struct MembershipAnswer {
    state: String,
}

impl GitHub {
    pub(super) fn new(
        mut settings: GitHubSettings,
        callback: String,
    ) -> Result<GitHub, ProviderSetupError> {
        for address in [&mut settings.url, &mut settings.api] {
            *address = provider_address(address)?;
        }
        let client = provider_client()?;
        Ok(GitHub {
            settings,
            callback,
            client,
        })
    }

    fn sign_in_address(&self, secret: &Secret) -> String {
        let challenge = Sha256::digest(secret.verifier());
        let query = form(&[
            ("client_id", &self.settings.client),
            ("redirect_uri", &self.callback),
            ("scope", "read:org"),
            ("state", &secret.state()),
            (
                "code_challenge",
                &Base64UrlUnpadded::encode_string(&challenge),
            ),
            ("code_challenge_method", "S256"),
        ]);
        format!("{}/login/oauth/authorize?{query}", self.settings.url)
    }

    async fn exchange(&self, code: &str, secret: &Secret) -> Result<Known, ProviderError> {
        let body = form(&[
            ("client_id", &self.settings.client),
            ("client_secret", &self.settings.secret),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", &secret.verifier()),
        ]);
        let kind = "application/x-www-form-urlencoded";
        let address = format!("{}/login/oauth/access_token", self.settings.url);
        let request = self
            .client
            .post(address)
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT, "application/json")
            .body(body);
        let (status, body) = provider_answer(request).await?;
        let credential = match read::<TokenAnswer>(status, &body) {
            Ok(TokenAnswer {
                error: Some(error), ..
            }) => return Err(ProviderError::Code(error.chars().take(60).collect())),
            Ok(TokenAnswer {
                access_token: Some(token),
                ..
            }) => token,
            Ok(_) => {
                return Err(ProviderError::Odd(
                    "neither a token nor an error".to_owned(),
                ));
            }
            Err(error) => return Err(error),
        };
        let user = self.user(&credential).await?;
        Ok(Known {
            subject: user.id.to_string(),
            role: self.role_of(&user.login, &credential).await?,
            login: user.login,
            credential: Some(credential),
        })
    }

    async fn user(&self, credential: &str) -> Result<UserAnswer, ProviderError> {
        let (status, body) = self.ask("/user", credential).await?;
        let user: UserAnswer = read(status, &body)?;
        if user.login.is_empty() || user.login.len() > 100 {
            return Err(ProviderError::Odd("a user without a name".to_owned()));
        }
        Ok(user)
    }

    async fn role_of(&self, login: &str, credential: &str) -> Result<Role, ProviderError> {
        for (teams, role) in [
            (&self.settings.administrators, Role::Administrator),
            (&self.settings.triagers, Role::Triager),
        ] {
            for team in teams {
                if self.is_member(team, login, credential).await? {
                    return Ok(role);
                }
            }
        }
        Ok(Role::Anonymous)
    }

    async fn is_member(
        &self,
        team: &Team,
        login: &str,
        credential: &str,
    ) -> Result<bool, ProviderError> {
        let path = format!(
            "/orgs/{}/teams/{}/memberships/{}",
            team.organisation,
            team.team,
            segment(login)
        );
        let (status, body) = self.ask(&path, credential).await?;
        match status {
            // Not a member, or a team that the person may not see, which is the same.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(false),
            _ => Ok(read::<MembershipAnswer>(status, &body)?.state == "active"),
        }
    }

    async fn ask(
        &self,
        path: &str,
        credential: &str,
    ) -> Result<(StatusCode, Vec<u8>), ProviderError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {credential}"))
            .map_err(|_| ProviderError::Odd("a token of odd letters".to_owned()))?;
        bearer.set_sensitive(true);
        let request = self
            .client
            .get(format!("{}{path}", self.settings.api))
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        let (status, body) = provider_answer(request).await?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(ProviderError::Withdrawn);
        }
        Ok((status, body))
    }
}

impl Provider for GitHub {
    fn word(&self) -> &'static str {
        "github"
    }

    fn name(&self) -> &'static str {
        "GitHub"
    }

    fn origin(&self) -> Answer<'_, String> {
        Box::pin(async { Ok(self.settings.url.clone()) })
    }

    fn sign_in<'a>(&'a self, secret: &'a Secret) -> Answer<'a, String> {
        Box::pin(async { Ok(self.sign_in_address(secret)) })
    }

    fn identify<'a>(&'a self, code: &'a str, secret: &'a Secret) -> Answer<'a, Known> {
        Box::pin(self.exchange(code, secret))
    }

    fn role<'a>(&'a self, credential: &'a str) -> Answer<'a, Role> {
        Box::pin(async {
            let user = self.user(credential).await?;
            self.role_of(&user.login, credential).await
        })
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, ProviderError> {
    if !status.is_success() {
        return Err(ProviderError::Odd(format!("status {status}")));
    }
    // The parser's message could quote a token.
    serde_json::from_slice(body).map_err(|error| {
        ProviderError::Odd(format!("JSON of another shape, at byte {}", error.column()))
    })
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}
