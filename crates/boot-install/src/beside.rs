//! What lies beside an image on its volume and takes part in its boot, as the stub gathers it.

use crate::Result;
use boot_esp::{Error as EspError, EspPath, Outlook};
use boot_measure::addon;
use boot_pe::Image;
use boot_stub_core::companions::{ADDONS, CREDENTIALS, Companions, File, Kind, own_folder};

/// Largest file beside an image; the stub takes no larger one.
const MAX_FILE: u64 = 1 << 30;

/// The companions of the image at `path`, whose `.uname` is `release`, and the names of addons that the stub will leave out,
/// each with the reason. Firmware is taken to accept every addon.
pub(crate) fn gather(
    outlook: &Outlook<'_>,
    path: &EspPath,
    release: Option<&[u8]>,
) -> Result<(Companions, Vec<String>)> {
    let mut found = Companions::default();
    let mut left_out = Vec::new();
    let own = folder(&own_folder(path.as_str()))?;
    for folder in [&folder(ADDONS)?, &own] {
        for (name, file) in files(outlook, folder, Kind::Addon)? {
            let read = Image::parse(&file)
                .map_err(|error| error.to_string())
                .and_then(|image| addon(&name, &image, release).map_err(|error| error.to_string()));
            match read {
                Ok(addon) => found.addons.push(addon),
                Err(why) => left_out.push(format!("{name}: {why}")),
            }
        }
    }
    found.credentials = files(outlook, &own, Kind::Credential)?;
    found.sysexts = files(outlook, &own, Kind::Sysext)?;
    found.confexts = files(outlook, &own, Kind::Confext)?;
    found.global_credentials = files(outlook, &folder(CREDENTIALS)?, Kind::Credential)?;
    Ok((found, left_out))
}

/// A folder of the stub's, as it is written here.
fn folder(path: &str) -> Result<EspPath> {
    Ok(EspPath::new(
        path.replace('\\', "/").trim_start_matches('/'),
    )?)
}

/// The files of one kind in a folder, in the order of names, which is that of their bytes.
fn files(outlook: &Outlook<'_>, folder: &EspPath, kind: Kind) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (path, size) in outlook.files(folder)? {
        if Kind::of(path.name()) != Some(kind) {
            continue;
        }
        if size > MAX_FILE {
            return Err(EspError::TooLarge {
                path,
                limit: MAX_FILE,
            }
            .into());
        }
        files.push((path.name().to_owned(), outlook.read(&path)?));
    }
    files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}
