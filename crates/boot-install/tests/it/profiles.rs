//! Profiles beside the system's own: their generations are in the menu behind it, with the same limit, and never the default.

use crate::workshop::{Machinery, alone, entries, install, partition, tree};
use boot_pe::Image;

#[test]
fn generations_of_another_profile_come_behind_and_share_what_they_can() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    machine.of_profile("rescue", 1);
    machine.of_profile("rescue", 7);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let installation = install(&machine, &targets, None);
    assert_eq!((installation.entries, installation.made), (3, 3));
    assert!(installation.default.starts_with("rootstock-1-"));
    let files = tree(folder.path());
    let shared = files
        .keys()
        .filter(|name| name.starts_with("EFI/rootstock/"));
    assert_eq!(shared.count(), 2, "the same kernel and initrd");
    // The loader's pattern takes the entry that is first in the menu: the system's.
    let survey = boot_esp::survey(&esp, &boot_install::judge).unwrap();
    let next = boot_install::would_start(&survey, Some("rootstock-*")).unwrap();
    assert_eq!(next.stem, installation.default);
    for name in entries(folder.path()) {
        let image = Image::parse(&files[&format!("EFI/Linux/{name}")]).unwrap();
        let text = image.section(".osrel").unwrap().data();
        let text = String::from_utf8_lossy(text).into_owned();
        let behind = text.contains("ID=\"nixos-profile\"\n");
        assert_eq!(behind, name.starts_with("rootstock-rescue@"), "{text}");
    }
    // The newest of each is kept, and what starts next besides.
    machine.simple(2, 9000);
    install(&machine, &targets, Some(1));
    let numbers: Vec<String> = entries(folder.path())
        .iter()
        .map(|name| name.split('-').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(numbers, ["1", "2", "rescue@7"]);
    // A profile that is not named any more goes, but for nothing of the system's.
    machine.profiles.clear();
    install(&machine, &targets, None);
    assert!(
        entries(folder.path())
            .iter()
            .all(|name| !name.contains('@'))
    );
    assert_eq!(entries(folder.path()).len(), 2);
}
