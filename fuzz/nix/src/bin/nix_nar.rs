//! Any bytes as a NAR: no panic, bounded memory, and what is accepted is written back unchanged.
#![no_main]

use nix_archive::{Error, Event, Reader, Writer, list};

fn copy(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::new(bytes);
    let mut writer = Writer::new(Vec::new())?;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::File { executable, size, .. } => {
                let whole = writer.file(executable, size, &mut reader)?;
                assert!(whole, "the reader gives all that it announced, or an error");
            }
            Event::Link { target } => writer.link(&target)?,
            Event::Directory => writer.directory()?,
            Event::Entry { name } => writer.entry(&name)?,
            Event::Leave => writer.leave()?,
        }
    }
    reader.expect_end()?;
    writer.finish()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let listed = list(&mut Reader::new(data));
    if let Ok(copied) = copy(data) {
        assert_eq!(copied, data);
        listed.expect("what is read can be listed").to_json();
    }
});
