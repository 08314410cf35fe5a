//! Logs on standard error: text for people, JSON lines for collectors.

use crate::arguments::{LogFormat, Logs};
use tracing_subscriber::EnvFilter;

/// Starts logging; `warn` unless asked for more.
pub(crate) fn start(logs: &Logs) {
    let filter = EnvFilter::builder().parse_lossy(&logs.log);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    match logs.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}
