//! A small derivation graph joined to packages.
//!
//! Invariant: dependents are counted over any number of steps, patches and addresses over one.

use tracker_inventory::{Derivations, InventoryError, Package};

/// app -> lib -> base; tool -> base; lib has two patches and a source; two derivations form a cycle.
const GRAPH: &str = r#"{"i":0,"drv":"h0-app-1.drv","name":"app-1","outputs":{"out":"o0-app-1"},"in":[1]}
{"i":1,"drv":"h1-lib-2.drv","name":"lib-2","outputs":{"out":"o1-lib-2","dev":"o1-lib-2-dev"},"in":[2,4,5,6,7]}
{"i":2,"drv":"h2-base-3.drv","name":"base-3","outputs":{"out":"o2-base-3"},"in":[]}
{"i":3,"drv":"h3-tool-4.drv","name":"tool-4","outputs":{"out":"o3-tool-4"},"in":[2,8]}
{"i":4,"drv":"h4-01_CVE-2001-0001.diff.drv","name":"01_CVE-2001-0001.diff","outputs":{"out":"o4"},"in":[],"fod":1,"url":"https://patches.example/1"}
{"i":5,"drv":"h5-CVE-2001-0002.drv","name":null,"outputs":{"out":null},"in":[],"fod":1,"url":"https://patches.example/2"}
{"i":6,"drv":"h6-lib-2.tar.gz.drv","name":"lib-2.tar.gz","outputs":{"out":"o6"},"in":[],"fod":1,"url":"mirror://gnu/lib/lib-2.tar.gz"}
{"i":7,"drv":"h7-builder.sh.drv","name":"builder.sh","outputs":{"out":"o7"},"in":[]}
{"i":8,"drv":"h8-loop.drv","name":"loop","outputs":{"out":"o8"},"in":[9]}
{"i":9,"drv":"h9-pool.drv","name":"pool","outputs":{"out":"o9"},"in":[8]}
"#;

fn package(name: &str, derivation: Option<&str>, output: Option<&str>) -> Package {
    Package {
        attribute: name.into(),
        pname: name.into(),
        derivation: derivation.map(Into::into),
        output: output.map(Into::into),
        ..Package::default()
    }
}

#[test]
fn packages_learn_from_the_graph() {
    let graph = Derivations::read(GRAPH.as_bytes()).unwrap();
    assert_eq!(graph.len(), 10);
    let mut packages = [
        package("app", Some("h0-app-1.drv"), None),
        package("lib", None, Some("o1-lib-2")),
        package("base", Some("elsewhere"), Some("o2-base-3")),
        package("tool", Some("h3-tool-4.drv"), None),
        package("absent", Some("h99-absent.drv"), None),
        package("alias", Some("h0-app-1.drv"), None),
    ];
    assert_eq!(graph.join(&mut packages), 5);
    let dependents: Vec<_> = packages.iter().map(|p| p.dependents).collect();
    assert_eq!(
        dependents,
        [Some(0), Some(1), Some(3), Some(0), None, Some(0)]
    );
    assert_eq!(
        packages[1].patches,
        ["01_CVE-2001-0001.diff", "CVE-2001-0002"]
    );
    assert_eq!(packages[1].source_urls, ["mirror://gnu/lib/lib-2.tar.gz"]);
    assert!(packages[0].patches.is_empty());
}

#[test]
fn what_is_no_graph_is_refused_with_its_line() {
    for (text, place) in [
        ("{\"i\":0,\"drv\":\"a\",\"in\":[7]}\n", "line 1"),
        (
            "{\"i\":0,\"drv\":\"a\"}\n{\"i\":5,\"drv\":\"b\"}\n",
            "line 2",
        ),
        ("{\"i\":0,\"drv\":\"a\"}\n{\"i\":1", "line 2"),
        ("[]\n", "line 1"),
    ] {
        let error = Derivations::read(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(place), "{error}");
    }
    assert!(Derivations::read(&b""[..]).unwrap().is_empty());
    assert!(matches!(
        Derivations::read(&b"\xff\xfe"[..]),
        Err(InventoryError::Json { line: 1, .. })
    ));
}
