//! Hash texts and placeholders as nix converts them.

use crate::nix::Nix;
use nix_store_path::computed::placeholder;
use nix_store_path::{Algorithm, Hash};

#[test]
fn hash_texts_convert_as_in_nix() {
    let nix = Nix::new();
    for algorithm in [
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::Sha512,
    ] {
        let hashes =
            ["", "a", "rootstock", "\u{ff}"].map(|seed| Hash::of(algorithm, seed.as_bytes()));
        let texts = hashes.map(|hash| [hash.base16(), hash.base32(), hash.base64(), hash.sri()]);
        let convert = |to: &str| {
            let mut arguments = vec!["hash", to, "--type", algorithm.name()];
            arguments.extend(texts.iter().flatten().map(String::as_str));
            nix.run("nix", &arguments)
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for (form, to) in ["to-base16", "to-base32", "to-base64", "to-sri"]
            .into_iter()
            .enumerate()
        {
            let expected: Vec<_> = texts
                .iter()
                .flat_map(|forms| [&forms[form]; 4])
                .cloned()
                .collect();
            assert_eq!(convert(to), expected);
        }
        for (hash, forms) in hashes.iter().zip(&texts) {
            for text in forms {
                assert_eq!(Hash::parse(text, Some(algorithm)).unwrap(), *hash);
            }
        }
        let short = &texts[0][0][1..];
        let refused = nix.try_run(
            "nix",
            &["hash", "to-sri", "--type", algorithm.name(), short],
        );
        assert!(refused.is_err() && Hash::from_digits(algorithm, short).is_err());
    }
}

#[test]
fn placeholders_are_those_of_nix() {
    let nix = Nix::new();
    for output in ["out", "dev", "lib-x86"] {
        let expression = format!("builtins.placeholder \"{output}\"");
        let theirs = nix.json("nix-instantiate", &["--eval", "--json", "-E", &expression]);
        assert_eq!(theirs, placeholder(output));
    }
}
