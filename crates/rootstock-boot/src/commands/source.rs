//! Where variables are read from: `live`, a folder of efivarfs files, or an OVMF flash image.

use crate::files;
use anyhow::Context;
use boot_variables::{Variable, Variables, attributes, read_efivarfs, read_store};
use std::path::Path;

/// Where the running system shows its variables.
pub(crate) const EFIVARFS: &str = "/sys/firmware/efi/efivars";

/// Reads all variables of `source`.
pub(crate) fn variables(source: &str) -> anyhow::Result<Variables> {
    let path = Path::new(if source == "live" { EFIVARFS } else { source });
    if path.is_dir() {
        return folder(path);
    }
    read_store(&files::read(path)?).with_context(|| path.display().to_string())
}

fn folder(path: &Path) -> anyhow::Result<Variables> {
    let mut variables = Variables::default();
    let name = || path.display().to_string();
    for entry in std::fs::read_dir(path).with_context(name)? {
        let entry = entry.with_context(name)?;
        let file = entry.file_name();
        let Some(file) = file.to_str() else { continue };
        // A dump may lie beside other files; only names of the form NAME-GUID are variables.
        if read_efivarfs(file, &[0; 4]).is_ok() {
            let content = files::read(&entry.path())?;
            variables.insert(read_efivarfs(file, &content).context(file.to_owned())?);
        }
    }
    Ok(variables)
}

/// Writes one variable the way efivarfs wants it: attributes and data in a single write.
pub(crate) fn write_live(folder: &Path, variable: &Variable) -> anyhow::Result<()> {
    use std::io::Write;
    let path = folder.join(format!("{}-{}", variable.name, variable.vendor));
    let name = || format!("writing {}", path.display());
    if let Ok(file) = std::fs::File::open(&path) {
        // The kernel marks existing variables immutable against accidents.
        let flags = rustix::fs::ioctl_getflags(&file);
        if let Ok(flags) = flags
            && flags.contains(rustix::fs::IFlags::IMMUTABLE)
        {
            rustix::fs::ioctl_setflags(&file, flags - rustix::fs::IFlags::IMMUTABLE)
                .with_context(name)?;
        }
    }
    let mut content = (variable.attributes & !attributes::APPEND)
        .to_le_bytes()
        .to_vec();
    content.extend(&variable.data);
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .with_context(name)?;
    file.write_all(&content).with_context(name)
}
