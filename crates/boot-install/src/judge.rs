//! Whether an entry's bytes are whole: what `boot-esp` asks about what it finds.

use boot_esp::{EspPath, Judgement, Need};
use boot_pe::Image;
use boot_pe::reference::{References, SECTION};
use boot_signature::{Strictness, verify_image};
use jiff::Timestamp;

/// Judges an image: it parses, its signature covers exactly these bytes (whoever signed), and what it refers to can be found.
/// An image without any signature is judged by the checksum in its header.
pub fn judge(bytes: &[u8]) -> Judgement {
    match needs(bytes) {
        Ok(needs) => Judgement::Valid(needs),
        Err(why) => Judgement::Broken(why),
    }
}

fn needs(bytes: &[u8]) -> Result<Vec<Need>, String> {
    let image = Image::parse(bytes).map_err(|error| error.to_string())?;
    if image.certificate_table().is_some() {
        // Validity times don't count for firmware, so the moment does not matter.
        let reports = verify_image(&image, &[], Timestamp::UNIX_EPOCH);
        let reports = reports.map_err(|error| error.to_string())?;
        let good = reports
            .iter()
            .any(|report| report.is_good(Strictness::Firmware));
        if !good {
            let problem = reports.iter().flat_map(|report| &report.problems).next();
            return Err(problem.map_or_else(|| "no signature".to_owned(), ToString::to_string));
        }
    } else {
        let field = image.pe_offset as usize + 24 + 64;
        if image.checksum != boot_pe::checksum(bytes, field) {
            return Err("neither signed nor with the right checksum".to_owned());
        }
    }
    let Some(section) = image.section(SECTION) else {
        return match image.section(".linux") {
            Some(_) => Ok(Vec::new()),
            None => Err("neither a kernel nor a reference to one".to_owned()),
        };
    };
    let references = References::parse(section.data()).map_err(|error| error.to_string())?;
    references
        .iter()
        .map(|reference| {
            let path = reference.path().trim_start_matches('/');
            Ok(Need {
                path: EspPath::new(path).map_err(|error| error.to_string())?,
                size: reference.size.get().into(),
                sha256: reference.sha256,
            })
        })
        .collect()
}
