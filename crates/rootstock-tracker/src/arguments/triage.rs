//! `triage …`.

mod review;

pub(crate) use review::{Answer, History, Maintainer, RuleRenew, TriageLog, ViewUndo};

use super::family::Family;
use super::{Database, Json, examples};
use clap::{Args, Subcommand};
use jiff::Timestamp;

/// `triage`.
#[derive(Debug, Subcommand)]
pub(crate) enum Triage {
    /// List matches, the most urgent first.
    ///
    /// A query is tests that must all hold: `severity>=high kev:yes channel:nixos-26.05 maintainer:@me age<7d
    /// -pname:linux`. `triage fields` explains each field.
    #[command(after_help = examples("triage list --database sqlite:tracker.db\n  rootstock-tracker triage list 'kev:yes state:proposed' --limit 20 --json --database sqlite:tracker.db"))]
    List(TriageList),
    /// Show one match: where it stands, why, and what people did about it.
    #[command(after_help = examples("triage show CVE-2019-14697 musl --database sqlite:tracker.db"))]
    Show(TriageShow),
    /// Say that matches are right.
    #[command(after_help = examples("triage confirm CVE-2019-14697 musl --reason 'checked upstream' --database sqlite:tracker.db"))]
    Confirm(Decision),
    /// Say that matches are wrong or do not matter.
    #[command(after_help = examples("triage dismiss CVE-2019-14697 musl --why wrong-package --database sqlite:tracker.db\n  rootstock-tracker triage dismiss CVE-2019-14697 --all-but musl --why wrong-package --database sqlite:tracker.db"))]
    Dismiss(Dismiss),
    /// Take back what was said of matches: they are proposed again.
    Reopen(Decision),
    /// Decide the state of findings, or with `--withdraw` let evidence count again.
    #[command(after_help = examples("triage state CVE-2019-14697 musl will-not-fix --channel nixos-19.09 --database sqlite:tracker.db\n  rootstock-tracker triage state CVE-2019-14697 musl not-affected:inline-mitigations-already-exist --database sqlite:tracker.db\n  rootstock-tracker triage state CVE-2019-14697 musl --withdraw --database sqlite:tracker.db"))]
    State(State),
    /// Say how a match should be decided, for somebody else to agree.
    #[command(after_help = examples("triage suggest CVE-2019-14697 musl --dismiss wrong-package --as alice --database sqlite:tracker.db"))]
    Suggest(Suggest),
    /// Agree to what was last suggested about a match, so that it holds.
    ///
    /// Where two people have to agree, this is the second one's word.
    #[command(after_help = examples("triage agree CVE-2019-14697 musl --as bob --database sqlite:tracker.db"))]
    Agree(Answer),
    /// Decline what was last suggested about a match, or refuse what waits for a second person.
    #[command(after_help = examples("triage decline CVE-2019-14697 musl --reason 'it is affected' --as bob --database sqlite:tracker.db"))]
    Decline(Answer),
    /// Take back what one last suggested about a match oneself.
    #[command(after_help = examples("triage withdraw CVE-2019-14697 musl --as alice --database sqlite:tracker.db"))]
    Withdraw(Decision),
    /// Tell from which severity on two people have to agree, or ask for it.
    ///
    /// Without a severity it tells; `off` asks for nobody. What was decided before stays.
    #[command(after_help = examples("triage second-person high --reason 'as agreed' --database sqlite:tracker.db"))]
    SecondPerson(SecondPerson),
    /// Say something about a match.
    #[command(after_help = examples("triage comment CVE-2019-14697 musl 'Asked upstream.' --database sqlite:tracker.db"))]
    Comment(Comment),
    /// Hand matches to somebody, or without a name to nobody.
    #[command(after_help = examples("triage assign CVE-2019-14697 musl --to alice --database sqlite:tracker.db"))]
    Assign(Assign),
    /// Put matches out of sight until a time, or without one back.
    #[command(after_help = examples("triage snooze CVE-2019-14697 musl --until 2026-12-01T00:00:00Z --database sqlite:tracker.db"))]
    Snooze(Snooze),
    /// Add a family that matching did not find.
    #[command(after_help = examples("triage add CVE-2019-14697 musl --database sqlite:tracker.db"))]
    Add(Decision),
    /// Take back an event, or with `--act` all of an act.
    #[command(after_help = examples("triage undo 4711 --database sqlite:tracker.db\n  rootstock-tracker triage undo --act 4711 --dry-run --database sqlite:tracker.db"))]
    Undo(UndoArgs),
    /// Decide about everything that a query finds: one act, which one undo takes back.
    #[command(after_help = examples("triage bulk 'pname:linux severity<=low' --dismiss not-a-vulnerability --dry-run --database sqlite:tracker.db"))]
    Bulk(Bulk),
    /// Tell what people did, the latest first; of a vulnerability, everything that happened to it.
    #[command(after_help = examples("triage log CVE-2019-14697 --json --database sqlite:tracker.db\n  rootstock-tracker triage log --actor alice --kind dismissed --limit 20 --database sqlite:tracker.db"))]
    Log(TriageLog),
    /// Tell everything that happened to a match, the latest first.
    #[command(after_help = examples("triage history CVE-2019-14697 musl --json --database sqlite:tracker.db"))]
    History(History),
    /// Tell what somebody maintains, and what is open about it.
    #[command(after_help = examples("triage maintainer alice --database sqlite:tracker.db\n  rootstock-tracker triage maintainer alice is:suggested --json --database sqlite:tracker.db"))]
    Maintainer(Maintainer),
    /// Families of packages, decided about as one: who belongs to them.
    #[command(subcommand)]
    Family(Family),
    /// Rules that hide what need not be seen.
    #[command(subcommand)]
    Rule(Rule),
    /// Saved queries.
    #[command(subcommand)]
    View(View),
    /// Explain the fields of queries.
    Fields(Json),
    /// Derive what time changed: channels whose support ended, rules whose time is over.
    Settle(Plain),
    /// Make everything that decisions led to anew from the log, or with `--check` tell whether it follows from it.
    ///
    /// Exit code 3 if something does not follow.
    #[command(after_help = examples("triage rebuild --check --database sqlite:tracker.db"))]
    Rebuild(Rebuild),
}

/// Who decides.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who decides, as the log names them.
    #[arg(
        long = "as",
        env = "ROOTSTOCK_ACTOR",
        value_name = "NAME",
        default_value = "operator"
    )]
    pub(crate) who: String,
}

/// What every act takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) who: Who,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Only tell what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// What a change of something of one's own takes: nobody asks why.
#[derive(Debug, Args)]
pub(crate) struct Own {
    #[command(flatten)]
    pub(crate) who: Who,
    /// Only tell what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// Which match.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Any id of the vulnerability.
    #[arg(value_name = "VULNERABILITY")]
    pub(crate) vulnerability: String,
    /// The package family.
    #[arg(value_name = "FAMILY")]
    pub(crate) family: String,
    /// The distribution.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
}

/// Which part of a long list.
#[derive(Debug, Args)]
pub(crate) struct Page {
    /// Lines at most, 1 to 200.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
    /// Go on behind this token of the page before.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) after: Option<String>,
}

/// When a rule ends, and how much it may hide.
#[derive(Debug, Args)]
pub(crate) struct Hiding {
    /// When it is to be looked at again, at most two years from now.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Timestamp,
    /// Let it hide what is severe: high, critical or exploited.
    #[arg(long)]
    pub(crate) hide_severe: bool,
}

/// `triage list`.
#[derive(Debug, Args)]
pub(crate) struct TriageList {
    /// The query.
    #[arg(default_value = "is:open", value_name = "QUERY")]
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) page: Page,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage show`.
#[derive(Debug, Args)]
pub(crate) struct TriageShow {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// An act about one match.
#[derive(Debug, Args)]
pub(crate) struct Decision {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage dismiss`.
#[derive(Debug, Args)]
pub(crate) struct Dismiss {
    /// Any id of the vulnerability.
    #[arg(value_name = "VULNERABILITY")]
    pub(crate) vulnerability: String,
    /// The package family.
    #[arg(
        value_name = "FAMILY",
        required_unless_present = "all_but",
        conflicts_with = "all_but"
    )]
    pub(crate) family: Option<String>,
    /// Dismiss all matches of the vulnerability but these.
    #[arg(long, value_name = "FAMILY", num_args = 1..)]
    pub(crate) all_but: Vec<String>,
    /// The distribution.
    #[arg(long, default_value = "nixpkgs", value_name = "NAME")]
    pub(crate) distribution: String,
    /// Why: `wrong-package`, `duplicate`, `not-a-vulnerability`, or a justification of VEX.
    #[arg(long, value_name = "WHY")]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage state`.
#[derive(Debug, Args)]
pub(crate) struct State {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The state: `affected`, `under-investigation`, `will-not-fix`, `fixed-by-version`, `fixed-by-patch`, or
    /// `not-affected:` with a justification of VEX.
    #[arg(
        value_name = "STATE",
        required_unless_present = "withdraw",
        conflicts_with = "withdraw"
    )]
    pub(crate) state: Option<String>,
    /// Take back what was decided.
    #[arg(long)]
    pub(crate) withdraw: bool,
    /// On this channel only.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    /// For this attribute only.
    #[arg(long, value_name = "NAME")]
    pub(crate) attribute: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage comment`.
#[derive(Debug, Args)]
pub(crate) struct Comment {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The comment, in Markdown.
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage assign`.
#[derive(Debug, Args)]
pub(crate) struct Assign {
    #[command(flatten)]
    pub(crate) which: Which,
    /// To whom.
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage snooze`.
#[derive(Debug, Args)]
pub(crate) struct Snooze {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage suggest`.
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) what: SuggestWhat,
    /// The state on this channel only.
    #[arg(long, value_name = "CHANNEL", requires = "state")]
    pub(crate) channel: Option<String>,
    /// The state of this attribute only.
    #[arg(long, value_name = "ATTRIBUTE", requires = "state")]
    pub(crate) attribute: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What is suggested.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SuggestWhat {
    /// To confirm it.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// To dismiss it, with the reason.
    #[arg(long, value_name = "WHY")]
    pub(crate) dismiss: Option<String>,
    /// To decide the state of its findings.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<String>,
}

/// `triage second-person`.
#[derive(Debug, Args)]
pub(crate) struct SecondPerson {
    /// The least severity (`low`, `medium`, `high`, `critical`), or `off`.
    #[arg(value_name = "SEVERITY", value_parser = ["low", "medium", "high", "critical", "off"])]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// Sequence of the event, as the log and every act tell it.
    #[arg(value_name = "EVENT")]
    pub(crate) event: u64,
    /// Take back everything of the act that began with this event.
    #[arg(long)]
    pub(crate) act: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage bulk`.
#[derive(Debug, Args)]
pub(crate) struct Bulk {
    /// The query.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    /// What to do.
    #[command(flatten)]
    pub(crate) what: BulkWhat,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What a bulk act does.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct BulkWhat {
    /// Confirm them.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Dismiss them, with the reason.
    #[arg(long, value_name = "WHY")]
    pub(crate) dismiss: Option<String>,
    /// Let them be proposed again.
    #[arg(long)]
    pub(crate) reopen: bool,
    /// Decide the state of all their findings.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<String>,
    /// Hand them to somebody.
    #[arg(long, value_name = "NAME")]
    pub(crate) assign: Option<String>,
    /// Put them out of sight until a time.
    #[arg(long, value_name = "TIME")]
    pub(crate) snooze: Option<Timestamp>,
}

/// `triage rule`.
#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Tell the rules; those whose time is over wait to be looked at.
    List(Plain),
    /// Tell what is to be looked at: rules whose time is over, and what is critical or exploited and hidden all the same.
    #[command(after_help = examples("triage rule review --json --database sqlite:tracker.db"))]
    Review(Plain),
    /// Hide what a query finds until a time. With `--dry-run`, list what it would hide.
    ///
    /// What would hide anything severe (high, critical or exploited) needs `--hide-severe`.
    #[command(after_help = examples("triage rule add 'pname:linux severity<=low' --expires 2027-01-01T00:00:00Z --reason 'not built' --dry-run --database sqlite:tracker.db"))]
    Add(RuleAdd),
    /// Make a rule anew and end the old one, as one act. With `--dry-run`, list what it would hide.
    #[command(after_help = examples("triage rule renew 4711 --expires 2028-01-01T00:00:00Z --reason 'still not built' --database sqlite:tracker.db"))]
    Renew(RuleRenew),
    /// End a rule.
    #[command(after_help = examples("triage rule end 4711 --reason 'it is built now' --database sqlite:tracker.db"))]
    End(RuleEnd),
}

/// `triage rule add`.
#[derive(Debug, Args)]
pub(crate) struct RuleAdd {
    /// The query; it may not depend on who asks or when.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) hiding: Hiding,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage rule end`.
#[derive(Debug, Args)]
pub(crate) struct RuleEnd {
    /// Its number.
    #[arg(value_name = "RULE")]
    pub(crate) rule: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `triage view`.
#[derive(Debug, Subcommand)]
pub(crate) enum View {
    /// Tell your views and the shared ones.
    List(ViewList),
    /// Give a query a name.
    #[command(after_help = examples("triage view save urgent 'is:open kev:yes' --shared --database sqlite:tracker.db"))]
    Save(ViewSave),
    /// Drop a view of yours.
    #[command(after_help = examples("triage view drop urgent --database sqlite:tracker.db"))]
    Drop(ViewDrop),
    /// Take back that a view of yours was saved or dropped, or that this was taken back.
    #[command(after_help = examples("triage view undo 4711 --database sqlite:tracker.db"))]
    Undo(ViewUndo),
}

/// `triage view list`.
#[derive(Debug, Args)]
pub(crate) struct ViewList {
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage view save`.
#[derive(Debug, Args)]
pub(crate) struct ViewSave {
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(crate) view: String,
    /// The query.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    /// Let everybody see it.
    #[arg(long)]
    pub(crate) shared: bool,
    #[command(flatten)]
    pub(crate) own: Own,
}

/// `triage view drop`.
#[derive(Debug, Args)]
pub(crate) struct ViewDrop {
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(crate) view: String,
    #[command(flatten)]
    pub(crate) own: Own,
}

/// A command that takes a database only.
#[derive(Debug, Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `triage rebuild`.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// Only tell what does not follow from the log.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) json: Json,
}
