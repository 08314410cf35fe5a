//! Measuring: hashing into a register of the TPM with an entry in the firmware's log (TCG EFI Protocol Specification).

use crate::error::{Context, Error};
use alloc::vec::Vec;
use boot_stub_core::companions::{Event, utf16};
use uefi::Status;
use uefi::boot::{self, ScopedProtocol};
use uefi::proto::tcg::v2::{HashLogExtendEventFlags, PcrEventInputs, Tcg};
use uefi::proto::tcg::{EventType, PcrIndex};

/// The machine's TPM 2.0, if it has one.
pub(crate) struct Tpm(Option<ScopedProtocol<Tcg>>);

impl Tpm {
    /// A machine without the protocol, or whose firmware says that no TPM is behind it, has none; any other answer is an
    /// error.
    pub(crate) fn open() -> Result<Tpm, Error> {
        let what = "the TPM does not answer";
        let handle = match boot::get_handle_for_protocol::<Tcg>() {
            Ok(handle) => handle,
            Err(error) if error.status() == Status::NOT_FOUND => return Ok(Tpm(None)),
            Err(error) => return Err(Error::new(error.status(), &what)),
        };
        let mut protocol =
            boot::open_protocol_exclusive::<Tcg>(handle).context(Status::DEVICE_ERROR, &what)?;
        let capability = protocol
            .get_capability()
            .context(Status::DEVICE_ERROR, &what)?;
        Ok(Tpm(capability.tpm_present().then_some(protocol)))
    }

    pub(crate) fn present(&self) -> bool {
        self.0.is_some()
    }

    /// A section: its name with NUL, then its content.
    pub(crate) fn section(&mut self, register: u8, name: &str, data: &[u8]) -> Result<(), Error> {
        let described = utf16(name);
        let mut named: Vec<u8> = name.into();
        named.push(0);
        self.extend(register, Event::Ipl, &named, &described)?;
        self.extend(register, Event::Ipl, data, &described)?;
        Ok(())
    }

    /// Extends a register by the hash of `data` and logs `event_data`. True when there is a TPM.
    pub(crate) fn extend(
        &mut self,
        register: u8,
        event: Event,
        data: &[u8],
        event_data: &[u8],
    ) -> Result<bool, Error> {
        let Some(protocol) = &mut self.0 else {
            return Ok(false);
        };
        let kind = match event {
            Event::Ipl => EventType::IPL,
            Event::Tagged(_) => EventType::EVENT_TAG,
        };
        let what = format_args!("can't measure into PCR {register}");
        let inputs = PcrEventInputs::new_in_box(PcrIndex(register.into()), kind, event_data)
            .context(Status::OUT_OF_RESOURCES, &what)?;
        protocol
            .hash_log_extend_event(HashLogExtendEventFlags::empty(), data, &inputs)
            .context(Status::DEVICE_ERROR, &what)?;
        Ok(true)
    }
}
