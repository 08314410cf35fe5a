//! NV indices: the floor of security epochs.
//!
//! Invariants: an index is only used when its public area is the one that we define, so a foreign index at the same handle is
//! never written or removed; the floor only rises.

use crate::frame::{Command, Writer};
use crate::session::Authorisation;
use crate::{Code, Error, Handle, OWNER, Result, Tpm, Transport};
use boot_policy::{Name, NvPublic};

/// Most steps that a floor is raised by at once: each is a write to memory that wears out.
const MAX_RAISE: u64 = 256;

impl<T: Transport> Tpm<T> {
    /// The public area of an index; none when there is no such index.
    ///
    /// # Errors
    /// When the TPM refuses for another reason, or the area is not one with SHA-256 names.
    pub fn index(&mut self, index: u32) -> Result<Option<NvPublic>> {
        let answer = self.run(
            Command::NV_READ_PUBLIC,
            &[Handle::plain(index)],
            Authorisation::None,
            Writer::new(),
        );
        let answer = match answer {
            Err(error)
                if error
                    .failure()
                    .is_some_and(|failure| failure.code() == Code::Handle) =>
            {
                return Ok(None);
            }
            answer => answer?,
        };
        let mut reader = answer.reader();
        let area = NvPublic::from_bytes(reader.sized()?)?;
        let name = Name::from_bytes(reader.sized()?)?;
        reader.end()?;
        if area.name() != name {
            return Err(reader.wrong("the name is not that of the public area"));
        }
        Ok(Some(area))
    }

    /// What the floor is; none when it was not defined, or never raised.
    ///
    /// # Errors
    /// When something else is at the index, or the TPM refuses.
    pub fn floor(&mut self, index: u32) -> Result<Option<u64>> {
        let Some(area) = self.index(index)? else {
            return Ok(None);
        };
        let ours = NvPublic::of_floor(index);
        if area == ours {
            return Ok(None);
        }
        if area != ours.written() {
            return Err(Error::Unusable {
                what: format!("NV index {index:#010x}"),
                why: "it is somebody else's; name another index",
            });
        }
        let handle = Handle::named(index, &area.name());
        let parameters = Writer::new().u16(8).u16(0);
        let handles = [handle.clone(), handle];
        let answer = self.run(
            Command::NV_READ,
            &handles,
            Authorisation::Password(&[]),
            parameters,
        )?;
        let mut reader = answer.reader();
        let held = reader.sized()?.try_into();
        let held = held.map_err(|_| reader.wrong("a counter has not eight bytes"))?;
        Ok(Some(u64::from_be_bytes(held)))
    }

    /// Defines the floor where it is not yet, and counts it once, since a counter that was never counted has no value. A TPM
    /// starts a counter above every counter that it ever held, so removing and defining it anew never lowers it.
    ///
    /// # Errors
    /// When something else is at the index, or the TPM refuses.
    pub fn define_floor(&mut self, index: u32, owner: &[u8]) -> Result<u64> {
        if let Some(held) = self.floor(index)? {
            return Ok(held);
        }
        if self.index(index)?.is_none() {
            let area = NvPublic::of_floor(index).to_bytes();
            let parameters = Writer::new().sized(&[]).sized(&area);
            let handles = [Handle::plain(OWNER)];
            self.run(
                Command::NV_DEFINE,
                &handles,
                Authorisation::Password(owner),
                parameters,
            )?;
        }
        self.count(index, owner)?;
        self.floor(index)?.ok_or(Error::Answer {
            command: "NV_Read",
            why: "the counter that was just counted has no value",
        })
    }

    fn count(&mut self, index: u32, owner: &[u8]) -> Result<()> {
        let handles = [Handle::plain(OWNER), Handle::plain(index)];
        self.run(
            Command::NV_INCREMENT,
            &handles,
            Authorisation::Password(owner),
            Writer::new(),
        )
        .map(drop)
    }

    /// Raises the floor to an epoch; a floor that is there already, or higher, stays. Cut off at any point it is raised by
    /// less, and the next call goes on.
    ///
    /// # Errors
    /// When the floor is not defined, the way is longer than 256 steps, or the TPM refuses.
    pub fn raise_floor(&mut self, index: u32, epoch: u64, owner: &[u8]) -> Result<u64> {
        let mut held = self.may_raise(index, epoch)?;
        while held < epoch {
            self.count(index, owner)?;
            held += 1;
        }
        Ok(held)
    }

    /// What the floor is, where it could be raised to an epoch.
    ///
    /// # Errors
    /// As for [`Tpm::raise_floor`].
    pub fn may_raise(&mut self, index: u32, epoch: u64) -> Result<u64> {
        let unusable = |why| Error::Unusable {
            what: format!("floor {index:#010x}"),
            why,
        };
        let held = self
            .floor(index)?
            .ok_or_else(|| unusable("it is not defined"))?;
        if epoch.saturating_sub(held) > MAX_RAISE {
            return Err(unusable("it would be raised by more than 256 steps"));
        }
        Ok(held)
    }

    /// Removes the floor, if it is ours; one that is not there is removed already.
    ///
    /// # Errors
    /// When something else is at the index, or the TPM refuses.
    pub fn remove_floor(&mut self, index: u32, owner: &[u8]) -> Result<()> {
        self.floor(index)?;
        if self.index(index)?.is_none() {
            return Ok(());
        }
        let handles = [Handle::plain(OWNER), Handle::plain(index)];
        self.run(
            Command::NV_UNDEFINE,
            &handles,
            Authorisation::Password(owner),
            Writer::new(),
        )
        .map(drop)
    }
}
