//! The device mapper's control device.
//!
//! Invariant: a mapping that can't be completed is removed.
//!
//! Own requests, because the crates that make them link libdevmapper or generate its headers' bindings at build time, and
//! an initrd's program is linked statically and alone.

use crate::mapping::REQUEST;
use crate::{Error, Mapping, Request, Result};
use rustix::ioctl::{Opcode, Updater, ioctl};
use std::fs::File;
use std::path::Path;

/// `_IOWR(0xfd, number, struct dm_ioctl)`: the size in the code is the header's, whatever follows it.
const fn code(number: u32) -> Opcode {
    (3 << 30 | 312 << 16 | 0xfd << 8 | number) as Opcode
}

const CREATE: Opcode = code(3);
const REMOVE: Opcode = code(4);
/// Without the flag to suspend: resume.
const RESUME: Opcode = code(6);
const LOAD: Opcode = code(9);

/// The control device, open.
#[derive(Debug)]
pub struct Mapper(File);

impl Mapper {
    /// Opens `/dev/mapper/control`, or another.
    ///
    /// # Errors
    /// When it is not there: `dm_mod` is not loaded.
    pub fn open(path: &Path) -> Result<Mapper> {
        let file = File::options().read(true).write(true).open(path);
        file.map(Mapper).map_err(|source| Error::File {
            path: path.to_owned(),
            what: "the device mapper is not there (module dm_mod)",
            source,
        })
    }

    fn send<const CODE: Opcode>(&self, what: &'static str, request: &mut Request) -> Result<()> {
        const { assert!(size_of::<Request>() == REQUEST) };
        #[expect(
            unsafe_code,
            reason = "an ioctl is unsafe by nature; the kernel reads and writes as many bytes of the request as it states in \
                      itself, which is its whole size, and keeps no pointer to it"
        )]
        let answer = unsafe { ioctl(&self.0, Updater::<'_, CODE, Request>::new(request)) };
        answer.map_err(|error| Error::Mapper {
            what,
            source: error.into(),
        })
    }

    /// Makes a mapping: major and minor number of its device.
    ///
    /// # Errors
    /// When the volume can't be mapped, or the kernel refuses; there is no mapping then.
    pub fn map(&self, mapping: &Mapping<'_>, key: &[u8]) -> Result<(u32, u32)> {
        let target = mapping.target(key)?;
        let mut load = Request::new(mapping.name, None)?.with(&target)?;
        let mut create = Request::new(mapping.name, Some(&mapping.uuid()))?;
        self.send::<CREATE>("making the mapping", &mut create)?;
        let loaded = self
            .send::<LOAD>("loading the table (modules dm_crypt, xts)", &mut load)
            .and_then(|()| {
                let mut resume = Request::new(mapping.name, None)?;
                self.send::<RESUME>("starting the mapping", &mut resume)
            });
        if let Err(error) = loaded {
            let mut remove = Request::new(mapping.name, None)?;
            // What went wrong before is what is told.
            let _ = self.send::<REMOVE>("removing the mapping", &mut remove);
            return Err(error);
        }
        Ok(create.device())
    }
}
