//! The tidy rules hold for the tree, and each rule catches what it is there for.

use super::{dependencies, files, pictures};

#[test]
fn the_house_is_tidy() {
    let problems = super::problems().expect("git and cargo answer");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_file_without_header_too_long_or_tied_to_a_machine_is_named() {
    assert_eq!(
        files::check("a.rs", "//! A header.\nfn f() {}\n"),
        Vec::<String>::new()
    );
    assert!(files::check("a.rs", "fn f() {}\n")[0].contains("module header"));
    assert!(
        files::check("a.rs", &format!("//! A header.\n{}", "x\n".repeat(800)))[0]
            .contains("801 lines")
    );
    assert!(files::check("a.rs", "//! A header. \n")[0].contains("a.rs:1: trailing space"));
    let path = ["/wo", "rk/main"].concat();
    assert!(files::check("README.md", &path)[0].contains("belongs to one machine"));
}

#[test]
fn pictures_of_a_page_are_found_with_their_words() {
    let page =
        "a ![The queue](pictures/queue.webp) b ![](x.png) [link](y.md) ![far](https://x.org/z.png)";
    let found = pictures::pictures(page);
    assert_eq!(found, [("The queue", "pictures/queue.webp"), ("", "x.png")]);
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let docs = folder.path().join("docs");
    std::fs::create_dir(&docs).expect("it is empty");
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(docs.join(name), bytes).expect("it is ours");
    write("page.md", b"![](a.png) ![b](missing.png)");
    write("a.png", &vec![0; 150_001]);
    write("unseen.webp", b"x");
    let problems = pictures::problems(folder.path())
        .expect("it can be read")
        .join("\n");
    for problem in [
        "`a.png` is shown without words",
        "no picture `missing.png`",
        "a.png: 150001 bytes",
        "unseen.webp: no page",
    ] {
        assert!(problems.contains(problem), "{problem}: {problems}");
    }
}

#[test]
fn a_pure_crate_with_a_runtime_and_a_product_that_reaches_another_are_named() {
    let mut graph = dependencies::Graph::default();
    for name in ["boot-pe", "tracker-match", "nix-version"] {
        graph.ours.insert(name.to_owned());
    }
    let edge = |graph: &mut dependencies::Graph, from: &str, to: &str| {
        graph
            .edges
            .entry(from.to_owned())
            .or_default()
            .insert(to.to_owned());
    };
    edge(&mut graph, "tracker-match", "nix-version");
    assert!(dependencies::check(&graph).is_empty());
    edge(&mut graph, "tracker-match", "helper");
    edge(&mut graph, "helper", "tokio");
    edge(&mut graph, "boot-pe", "tracker-match");
    let problems = dependencies::check(&graph);
    assert!(
        problems
            .iter()
            .any(|p| p.starts_with("tracker-match: is pure but reaches `tokio`"))
    );
    assert!(
        problems
            .iter()
            .any(|p| p.starts_with("boot-pe: depends on `tracker-match` of another product"))
    );
}
