//! Causes: what each means, why it is likely, and what to do.

use serde::Serialize;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident: $component:literal, $likely:literal, $remedy:literal;)*) => {
        /// Why a register differs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Cause {
            $(#[doc = $component] $name,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Cause] = &[$(Cause::$name),*];

            /// The part of the machine that changed.
            pub fn component(self) -> &'static str {
                match self { $(Cause::$name => $component,)* }
            }

            /// Why that is likely.
            pub fn likely(self) -> &'static str {
                match self { $(Cause::$name => $likely,)* }
            }

            /// What to do.
            pub fn remedy(self) -> &'static str {
                match self { $(Cause::$name => $remedy,)* }
            }
        }
    };
}

causes! {
    BankMissing: "the log's banks",
        "the log and the expectation have no digest algorithm in common: the TPM's active banks were changed in the firmware's settings",
        "turn the SHA-256 bank on, or foresee the registers for the bank that is on";
    LogIncomplete: "the log itself",
        "something extended the register without an entry in the log, or entries were lost",
        "boot again and read the log anew; if it stays, compare firmware versions and look for programs that write to the TPM";
    LogAltered: "the log itself",
        "the digest that was extended is not that of the data beside it: the data were changed afterwards, or firmware logs less than it measures",
        "trust the digests only; read the log anew from the machine";
    DescriptionChanged: "an event's description",
        "the same was measured, but the log describes it otherwise",
        "nothing: the register is not affected";
    LogEndsEarly: "the end of firmware's work",
        "the log stops before the separator: it was read or cut too early",
        "read the log from the running system";
    FirmwareError: "firmware",
        "firmware could not measure and reports an error in place of its separator",
        "clear the TPM or update firmware, then boot again";
    SeparatorChanged: "firmware",
        "another firmware ends its measurements in another way, as coreboot does with long separators",
        "take a new log of this machine as the base of predictions";
    StartupLocality: "how the TPM was started",
        "the processor started the TPM itself (Boot Guard, TXT) where it did not before, or the other way round",
        "look into the firmware's settings for Boot Guard or TXT; take a new log as the base";
    FirmwareVersion: "firmware's version",
        "firmware was updated or put back to an older version",
        "if the update was wanted, take a new log as the base and seal secrets anew";
    FirmwareCode: "firmware's code",
        "firmware was updated, or its flash was changed",
        "if no update was made, read the flash and compare it with the maker's; else take a new log as the base";
    Microcode: "the processor's microcode",
        "an update of firmware or of the image brought other microcode",
        "take the new value, after a look at what was updated";
    NonHost: "another processor's firmware",
        "a management controller or device was updated",
        "take a new log as the base, when the update was wanted";
    FirmwareSettings: "firmware's settings",
        "somebody changed a setting, or an update put them back to those of the factory",
        "compare the settings with your own list; put them back, or take a new log as the base";
    HardwareTables: "the tables that describe the hardware",
        "memory, a card or firmware was changed: SMBIOS and ACPI tables follow",
        "nothing is wrong when hardware was changed; keep PCR 1 out of policies on machines whose hardware changes";
    BootOrder: "the order of boot options",
        "an installer, an update of firmware or a person changed the order",
        "put the order back (efibootmgr), or keep PCR 1 out of policies";
    BootOptionAdded: "a boot option",
        "a system was installed or a device was plugged in, and firmware made an option",
        "remove the option (efibootmgr), or take the new value";
    BootOptionRemoved: "a boot option",
        "a device was unplugged or a system removed",
        "plug it in again, or take the new value";
    BootOptionChanged: "a boot option",
        "an installer wrote the option anew: another path, another name or other arguments",
        "write it as it was, or take the new value";
    DriverAdded: "a driver or option ROM",
        "a card with an option ROM was plugged in",
        "unplug it, or take a new log as the base";
    DriverRemoved: "a driver or option ROM",
        "a card was taken out, or its option ROM was turned off",
        "put it back, or take a new log as the base";
    DriverChanged: "a driver or option ROM",
        "a card's firmware was updated, or another card is in the slot",
        "take a new log as the base, when the update was wanted";
    DriverSettings: "settings of a driver or option ROM",
        "a device was configured anew",
        "take a new log as the base, when the change was wanted";
    VendorEvent: "an event of the machine's maker",
        "how the machine was turned on or woken, or what its maker measures there",
        "keep PCR 6 out of policies";
    SecureBootOff: "Secure Boot",
        "somebody turned Secure Boot off in firmware's settings, or removed the platform key",
        "turn it on again; do not give out secrets to this boot";
    SecureBootOn: "Secure Boot",
        "Secure Boot was turned on after the expectation was made",
        "foresee the registers anew with the machine's variables as they are";
    PlatformKeyRemoved: "the platform key (PK)",
        "somebody put the machine into setup mode: anyone can enrol keys now",
        "enrol your platform key again, and look at who was at the machine";
    PlatformKeyChanged: "the platform key (PK)",
        "the machine's owner was changed, or keys were enrolled",
        "compare the key with your own; enrol your own again if it is not";
    KekChanged: "the keys that may sign updates (KEK)",
        "an update or an enrolment added or removed a key, as the move to the certificates of 2023 does",
        "compare the entries with your own list; announce the update to the prediction (--planned KEK=FILE)";
    DbAdded: "the list of what may start (db)",
        "an update added an entry, as the move to the certificates of 2023 does",
        "announce such updates to the prediction beforehand (--planned-db); check who added the entry";
    DbRemoved: "the list of what may start (db)",
        "an entry was removed, or the list was put back to that of the factory",
        "enrol the entry again, or foresee the registers anew";
    DbxAdded: "the list of what is revoked (dbx)",
        "an update revoked programs (fwupd and Windows install such updates)",
        "announce such updates to the prediction beforehand (--planned-dbx)";
    DbxRemoved: "the list of what is revoked (dbx)",
        "the list was put back, so that revoked programs start again: an attack, or a reset to the factory's keys",
        "install the current dbx again before trusting the machine";
    SecureBootOther: "another variable of Secure Boot",
        "dbt, dbr or a mode of firmware was changed",
        "compare it with the machine's settings";
    EarlyAuthority: "the signer of a driver or option ROM",
        "firmware checked a signed driver before it was ready to boot: a card with a signed option ROM is in the machine",
        "use a log of this machine as the base: files do not tell what firmware checks itself";
    AuthorityChanged: "who signed what was started",
        "a program is signed by another key than before, or another entry of the list allows it",
        "check the program's signature; foresee the registers anew with the new file";
    AuthorityAdded: "who signed what was started",
        "one more program was started, by another signer",
        "look in PCR 4 at which program it was";
    AuthorityMissing: "who signed what was started",
        "a program was not started, or signatures are not checked any more",
        "look in PCR 4 at which program is missing, and whether Secure Boot is on";
    DebugMode: "firmware's debug mode",
        "firmware runs with debugging on: whoever has the port controls the machine",
        "turn it off; do not give out secrets to this boot";
    DmaProtection: "protection of memory against devices",
        "protection against DMA is off in firmware's settings",
        "turn it on (IOMMU, kernel DMA protection)";
    ShimValidation: "shim's checks",
        "somebody told shim not to check signatures (mokutil --disable-validation), or to check again",
        "run mokutil --enable-validation, unless it was you";
    SbatLevel: "the level below which programs are revoked (SbatLevel)",
        "a new shim or an update raised the level",
        "foresee the registers anew with the machine's variables as they are";
    MokListChanged: "the machine owner's keys (MokList)",
        "a key was enrolled or removed with mokutil, or shim with another key inside was installed",
        "list the keys (mokutil --list-enrolled) and compare; foresee the registers anew";
    MokListXChanged: "the machine owner's revocations (MokListX)",
        "a revocation was enrolled, or shim with another list inside was installed",
        "foresee the registers anew with the machine's variables and its shim";
    MokTrust: "shim's policy variables",
        "a setting of mokutil was changed, or another version of shim is installed",
        "compare the settings; foresee the registers anew";
    BootOptionFailed: "a boot option that fails",
        "firmware tried an option that did not start before the one that did: a missing file, a refused one, an unplugged device",
        "remove the dead option or repair it (efibootmgr), or tell the prediction (--failed, --returning)";
    BootOptionWorks: "a boot option that failed before",
        "an option that the expectation counts as failing was removed or starts now",
        "foresee the registers anew with the variables as they are";
    LoaderChanged: "the boot loader",
        "the loader was updated, or replaced",
        "verify the file's signature (rootstock-boot pe verify); foresee the registers with the new file";
    OtherProgram: "which program was started",
        "another entry or another option was chosen: in a menu, by a changed order, or as a fallback",
        "choose the usual entry; or let the policy cover both";
    ImageChanged: "the unified kernel image",
        "another generation was started, or the image was rebuilt",
        "let the policy cover this image; PCR 11 tells which part of it is another";
    FirmwareApplication: "a program of firmware before the boot",
        "the maker's firmware starts an application of its own (recovery, diagnostics)",
        "use a log of this machine as the base";
    ProgramAdded: "one more program",
        "something was started between firmware and the system: a tool, a second loader, or a shell",
        "find out which file has this digest; do not give out secrets before";
    ProgramMissing: "one program fewer",
        "a step of the boot was left out: a loader was skipped, or firmware starts the image itself",
        "foresee the registers for the way in which the machine starts now";
    PartitionTable: "the partition table",
        "partitions were added, resized or moved, or the system was copied to another disk",
        "nothing is wrong when you did it; keep PCR 5 out of policies of disks that change";
    LoaderConfiguration: "the loader's configuration",
        "loader.conf was changed",
        "put it back, or take the new value";
    LaterMoment: "the moment of reading",
        "the system has left firmware (ExitBootServices) since the moment that was expected",
        "foresee the registers for the running system (--exited)";
    EarlierMoment: "the moment of reading",
        "the log was read before the system left firmware",
        "read the log from the running system, or foresee without --exited";
    GrubCommands: "what GRUB was told",
        "GRUB's configuration or command line was changed",
        "compare grub.cfg; keep PCR 8 out of policies where it changes with each kernel";
    LoadedFiles: "files that a loader read",
        "GRUB's modules, configuration, kernel or initrd were updated",
        "let the policy cover the new files";
    KernelOptions: "the kernel's options",
        "the kernel was started with other options: an edited entry or another generation",
        "compare /proc/cmdline with the entry; let the policy cover it when it was wanted";
    LoadedInitrd: "the initrd that the kernel received",
        "the initrd was rebuilt, or a file was appended: microcode, credentials, random seed",
        "let the policy cover the new initrd";
    RunningSystem: "measurements of the running system",
        "IMA measures programs as they run",
        "keep PCR 10 out of policies of the boot";
    Kernel: "the kernel inside the image",
        "the kernel was updated, or rolled back",
        "let the policy cover this image before restarting into it";
    Initrd: "the initrd inside the image",
        "the initrd was rebuilt: another module, program or configuration went in",
        "let the policy cover this image before restarting into it";
    CommandLine: "the command line inside the image",
        "options of the kernel were changed in the system's configuration",
        "compare the two .cmdline sections; let the policy cover this image";
    OsRelease: "the description of the system inside the image",
        "another version or generation of the system was started",
        "let the policy cover this image";
    DeviceTree: "the device tree or hardware list inside the image",
        "the device tree was updated, or another one was chosen for other hardware",
        "let the policy cover this image";
    PolicyKey: "the key that signs PCR policies (.pcrpkey)",
        "the image was made with another policy key: secrets sealed under the old one stay closed",
        "seal the secrets under the new key too, before restarting";
    Profile: "the profile of the image",
        "another profile of a multi-profile image was chosen",
        "choose the usual one, or let the policy cover both";
    OtherSection: "another section of the image",
        "splash, SBAT data, kernel release or firmware inside the image were changed",
        "let the policy cover this image";
    SectionsMeasured: "which sections the stub measures",
        "the image was built with another version of the stub, or has other sections",
        "foresee the registers with the stub's own version (--stub-version)";
    PhaseLater: "the phase of the boot",
        "the system is further than the moment that was expected",
        "compare with the expectation for this phase (--phase)";
    PhaseEarlier: "the phase of the boot",
        "the system has not come to the phase that was expected",
        "wait until it has, or compare with the expectation for the earlier phase";
    PassedOptions: "options passed to the image",
        "the loader passes options to the image: an edited entry, an addon, or a loader that always does",
        "look at /proc/cmdline; foresee the registers with the loader that is installed";
    Credentials: "credentials beside the image",
        "a credential was added, changed or removed in \\loader\\credentials or beside the image",
        "list them (bootctl); take away what you do not know";
    SystemExtensions: "extensions beside the image",
        "a system or configuration extension was added, changed or removed",
        "list them; take away what you do not know";
    MachineIdentity: "the machine's identity",
        "another file system, volume key or machine name: the disk was replaced or formatted",
        "if the disk was not changed, somebody presents another one: do not give out secrets";
    OrderChanged: "the order of measurements",
        "the same was measured in another order: firmware was updated, or devices answer in another order",
        "take a new log as the base";
    Unknown: "an event that is not understood",
        "an unknown program or firmware measured it",
        "show the event (rootstock-boot log show) and look for who measures into this register";
}
