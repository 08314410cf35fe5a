//! What is shown, what is not, and that nothing gets through.

use crate::check::problem;
use crate::{MAX_DEPTH, MAX_INPUT, MAX_OUTPUT, html, line, plain};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

#[test]
fn markdown_is_shown_as_its_author_meant_it() {
    for (markdown, shown) in [
        (
            "A *bad* **bug**.",
            "<p>A <em>bad</em> <strong>bug</strong>.</p>\n",
        ),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        (
            "# Impact\n\nAll of it.",
            "<p><strong>Impact</strong></p>\n<p>All of it.</p>\n",
        ),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>\n"),
        ("```sh\nrm *\n```", "<pre><code>rm *\n</code></pre>\n"),
        (
            "[here](https://x.org/?a=1&b=\"2\")",
            "<p><a href=\"https://x.org/?a=1&amp;b=%222%22\" rel=\"noopener nofollow ugc\">here</a></p>\n",
        ),
        (
            "| a | b |\n|:-:|---|\n| 1<br>2 | 3 |",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n<tr><td>1<br>\n2</td><td>3</td></tr>\n</tbody></table>\n",
        ),
        ("", ""),
    ] {
        assert_eq!(html(markdown), shown, "{markdown}");
    }
}

#[test]
fn names_keep_their_underscores() {
    assert_eq!(
        html("Set __proto__ and _id_, not **that**."),
        "<p>Set __proto__ and _id_, not <strong>that</strong>.</p>\n"
    );
}

#[test]
fn raw_html_is_shown_and_not_obeyed() {
    for (markdown, shown) in [
        (
            "An XSS by <script>alert(1)</script> in x.",
            "<p>An XSS by &lt;script&gt;alert(1)&lt;/script&gt; in x.</p>\n",
        ),
        (
            "<img src=x onerror=alert(1)>",
            "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n",
        ),
        ("<!-- a -->", "<p>&lt;!-- a --&gt;</p>\n"),
    ] {
        assert_eq!(html(markdown), shown, "{markdown}");
    }
}

#[test]
fn links_lead_to_the_web_and_have_a_text() {
    for (markdown, shown) in [
        ("[a](javascript:alert(1))", "<p>a </p>\n"),
        ("[a](JaVaScRiPt&colon;alert(1))", "<p>a </p>\n"),
        ("[a](data:text/html,x)", "<p>a </p>\n"),
        ("[a](/account)", "<p>a </p>\n"),
        ("[a](//evil.example)", "<p>a </p>\n"),
        (
            "[](https://x.org)",
            "<p><a href=\"https://x.org\" rel=\"noopener nofollow ugc\">https://x.org</a></p>\n",
        ),
        (
            "![shot](https://x.org/a.png)",
            "<p><a href=\"https://x.org/a.png\" rel=\"noopener nofollow ugc\">picture: shot</a></p>\n",
        ),
        ("![](data:image/png;base64,AAAA)", "<p>picture:  </p>\n"),
    ] {
        assert_eq!(html(markdown), shown, "{markdown}");
    }
}

#[test]
fn nothing_is_without_end() {
    let deep = html(&format!("{}end", "> ".repeat(5_000)));
    assert_eq!(deep.matches("<blockquote>").count(), MAX_DEPTH);
    assert!(deep.contains("end"));
    let long = html(&"word ".repeat(MAX_INPUT));
    assert!(long.ends_with("<p>…</p>") && long.len() < MAX_INPUT + 100);
    // A long address named many times, and a table of many columns and empty rows.
    let address = format!("https://x.org/{}", "a".repeat(1_000));
    let named = format!("[a]: {address}\n\n{}", "[a] ".repeat(15_000));
    let table = format!(
        "{}\n{}\n{}",
        "|a".repeat(2_000),
        "|-".repeat(2_000),
        "|b\n".repeat(15_000)
    );
    for text in [named, table] {
        let shown = html(&text);
        assert_eq!(problem(&shown), None);
        assert!(shown.len() < 2 * MAX_OUTPUT, "{}", shown.len());
    }
    // A letter of several bytes at the limit.
    assert!(html(&"ä".repeat(MAX_INPUT)).contains('…'));
}

#[test]
fn plain_text_steers_nothing() {
    assert_eq!(
        plain("a\u{1b}[31mb\r\nc\td\u{202e}e\u{0}"),
        "a\u{fffd}[31mb\nc\td\u{fffd}e\u{fffd}"
    );
    assert_eq!(line(" a\n\n b\u{7}\u{9b}c "), "a b\u{fffd}\u{fffd}c");
    assert!(!html("a\u{202e}b\u{1b}c").contains(['\u{202e}', '\u{1b}']));
}

#[test]
fn the_check_finds_what_must_not_be() {
    for wrong in [
        "<script>",
        "<p>",
        "<p></em>",
        "<p onclick=\"x\"></p>",
        "<a href=\"javascript:x\"></a>",
        "<a href=x></a>",
        "<a rel=\"noopener\"></a>",
        "<img>",
        "<p style=\"x\"></p>",
        "<p",
        "</p>",
        "<a href=\"/x\"></a>",
    ] {
        assert!(problem(wrong).is_some(), "{wrong}");
    }
    assert_eq!(problem("<p>a<br>b</p>"), None);
}

/// Pieces that attacks are made of, and any text.
fn pieces() -> impl Strategy<Value = String> {
    let attack = prop::sample::select(vec![
        "<script>",
        "</script>",
        "<img src=x onerror=",
        "javascript:",
        "[a](",
        ")",
        "![",
        "](",
        "<a href=\"",
        "\"",
        "'",
        "`",
        "```\n",
        "\n",
        "\n\n",
        "> ",
        "- ",
        "1. ",
        "| a |\n",
        "|-|\n",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&#106;",
        "&lt;",
        "<svg onload=",
        "<style>",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "# ",
        "    ",
        "\t",
        "[x]: data:,x\n",
        "<https://x.org>",
        "https://x.org",
        "<table><td>",
        "</p>",
        "<math>",
        "\\",
        "\0",
        "\u{202e}",
        "<br>",
    ]);
    let piece =
        prop_oneof![4 => attack.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[ -~]{0,12}"];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_is_written_nothing_of_it_runs(text in pieces()) {
        let shown = html(&text);
        assert_eq!(problem(&shown), None, "{text:?}: {shown}");
        assert!(shown.len() < 2 * MAX_OUTPUT);
    }

    #[test]
    fn no_plain_text_has_a_control_character(text in any::<String>()) {
        assert!(plain(&text).chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
        assert!(!line(&text).contains(char::is_control));
    }
}
