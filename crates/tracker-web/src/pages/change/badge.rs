//! A badge that says in how many channels a change is, or whether one has it: a small SVG for pages elsewhere.

use super::{answer, bytes, title};
use crate::app::App;
use crate::ask::{Ask, Names};
use crate::error::Error;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use tracker_landing::answer::Standing;

/// Width of a character at 11 px in common sans-serif faces, and of the space at each side of a text, in pixels.
const CHARACTER: usize = 7;
const SPACE: usize = 6;

/// The badge. Its colours have a contrast of 4.5 or more against their text, on any page.
#[derive(Debug, Template)]
#[template(
    ext = "svg",
    escape = "html",
    source = r##"<svg xmlns="http://www.w3.org/2000/svg" width="{{ width }}" height="20" viewBox="0 0 {{ width }} 20" role="img" aria-label="{{ left }}: {{ right }}"><title>{{ left }}: {{ right }}</title><rect width="{{ width }}" height="20" rx="4" fill="#3d4640"/><path d="M{{ split }} 0h{{ rest }}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-{{ rest }}z" fill="{{ colour }}"/><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="6" y="14">{{ left }}</text><text x="{{ text }}" y="14">{{ right }}</text></g></svg>"##
)]
struct Badge {
    left: String,
    right: String,
    colour: &'static str,
    width: usize,
    split: usize,
    rest: usize,
    text: usize,
}

impl Badge {
    fn new(left: String, right: String, done: bool) -> Badge {
        let of = |text: &str| text.chars().count() * CHARACTER + 2 * SPACE;
        let (split, right_width) = (of(&left), of(&right));
        Badge {
            colour: if done { "#17633f" } else { "#80570a" },
            width: split + right_width,
            rest: right_width - 4,
            text: split + SPACE,
            split,
            left,
            right,
        }
    }
}

/// Answers `/changes/NAME/badge.svg`, with `?channel=` for one channel.
pub(crate) async fn badge(
    ask: Ask,
    Names(name): Names<String>,
    State(app): State<App>,
) -> Result<Response, Error> {
    let answer = answer(&app, &name, ask.now)?;
    let channel = form_urlencoded::parse(ask.query.as_bytes())
        .find(|(name, _)| name == "channel")
        .map(|(_, value)| value.into_owned());
    let badge = match channel {
        Some(name) => {
            let found = answer
                .channels
                .iter()
                .find(|landing| landing.channel == name);
            let Some(landing) = found else {
                return Err(Error::NotFound {
                    kind: "channel",
                    name,
                    near: Vec::new(),
                });
            };
            let word = match landing.standing {
                Standing::Landed => "landed",
                Standing::Reverted => "reverted",
                Standing::Lost => "lost again",
                Standing::Waiting => "waiting",
            };
            Badge::new(name, word.to_owned(), landing.standing == Standing::Landed)
        }
        None => {
            let landed = answer
                .channels
                .iter()
                .filter(|c| c.standing == Standing::Landed)
                .count();
            let all = answer.channels.len();
            Badge::new(
                title(&answer),
                format!(
                    "{landed}/{all} {}",
                    if all == 1 { "channel" } else { "channels" }
                ),
                landed == all,
            )
        }
    };
    Ok(bytes(
        "image/svg+xml",
        badge.render().map_err(Error::internal)?,
    ))
}
