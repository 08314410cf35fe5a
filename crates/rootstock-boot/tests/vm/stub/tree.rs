//! A device tree is handed over. A PC's kernel takes none, so a program that reads firmware's tables stands in its place.

use super::scene::{OWN, PLACE, Scene};
use crate::bench::Boot;
use crate::workshop::probe;
use boot_vm::Tpm;

/// A flattened device tree (Devicetree Specification 0.4, chapter 5) with one node, which has one property.
fn tree(model: &str) -> Vec<u8> {
    let name = b"model\0\0\0";
    let value = format!("{model}\0");
    // FDT_BEGIN_NODE without a name, FDT_PROP, its length, its name's place.
    let words = [1, 0, 3, value.len() as u32, 0];
    let mut nodes: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
    nodes.extend(value.as_bytes());
    nodes.resize(nodes.len().next_multiple_of(4), 0);
    // FDT_END_NODE, FDT_END.
    nodes.extend([0, 0, 0, 2, 0, 0, 0, 9]);
    let (reserved, start) = (40, 56);
    let names = start + nodes.len() as u32;
    let total = names + name.len() as u32;
    let header = [
        0xd00d_feed,
        total,
        start,
        names,
        reserved,
        17,
        16,
        0,
        name.len() as u32,
        nodes.len() as u32,
    ];
    let mut tree: Vec<u8> = header
        .iter()
        .flat_map(|word: &u32| word.to_be_bytes())
        .collect();
    tree.resize(start as usize, 0);
    tree.extend(nodes);
    tree.extend(name);
    tree
}

#[test]
fn the_kernel_gets_the_images_device_tree_or_that_of_an_addon() {
    let scene = Scene::new();
    let (own, better) = (tree("of the image"), tree("of the addon"));
    scene.put("probe.efi", &probe());
    scene.put("own.dtb", &own);
    scene.put("better.dtb", &better);
    scene.run("uki addon --dtb better.dtb -o addon.efi");
    let addon = scene.owner.sign(scene.read("addon.efi"));
    let image = scene.image("tree", "quiet", "--linux probe.efi --dtb own.dtb");
    let none = scene.path().join("none");
    std::fs::create_dir(&none).expect("a new folder");
    let beside = format!("{OWN}/better.addon.efi");
    let alone: [(&str, &[u8]); 1] = [(PLACE, &image)];
    let both: [(&str, &[u8]); 2] = [(PLACE, &image), (&beside, &addon)];
    for (name, start, expected) in [("alone", &alone[..], &own), ("addon", &both[..], &better)] {
        let disk = format!("tree-{name}");
        scene.disk(&disk, start);
        let state = scene.path().join(format!("{name}.tpm"));
        std::fs::create_dir(&state).expect("a new folder");
        let tpm = Tpm::start(&state).expect("swtpm starts");
        let boot = Boot {
            folder: scene.path(),
            name: &format!("stub-{disk}"),
            variables: &scene.path().join("variables.fd"),
            start,
            images: &none,
            tpm: Some(&tpm),
        };
        let answers = boot.answers();
        assert_eq!(answers.tree, hex::encode(expected), "{name}");
        assert_eq!(answers.registers[&11], scene.foretold_sections("tree.efi"));
        let parameters = scene.foretold_companions(&disk, "");
        assert_eq!(answers.registers[&12], parameters[0], "{name}");
    }
}
