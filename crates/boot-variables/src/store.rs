//! Where variables lie: efivarfs files, and the flash image of OVMF (EDK II's authenticated variable store).

use crate::error::{take, u32_at};
use crate::{EfiTime, Error, Guid, Result, Variable, Variables};

/// Largest store that is read.
pub const MAX_STORE: usize = 64 * 1024 * 1024;
/// Most variables in a store.
const MAX_VARIABLES: usize = 4096;
/// `gEfiAuthenticatedVariableGuid`: the store's signature.
const AUTHENTICATED: Guid = Guid::from_u128(0xaaf32c78_947b_439a_a180_2e144ec37792);
/// Length of the store's own header.
const STORE_HEADER: usize = 28;
/// Length of a variable's header.
const HEADER: usize = 60;
/// First two bytes of a variable.
const START: [u8; 2] = [0xaa, 0x55];
/// State of a live variable, and of one that is being replaced but still counts.
const ADDED: u8 = 0x3f;
const IN_DELETED_TRANSITION: u8 = 0x3e;

/// One file of efivarfs: its name is `NAME-GUID`, its content four bytes of attributes and the data.
pub fn read_efivarfs(file_name: &str, content: &[u8]) -> Result<Variable> {
    let split = file_name
        .len()
        .checked_sub(37)
        .filter(|at| file_name.is_char_boundary(*at));
    let (name, vendor) = match split {
        Some(at) if file_name.as_bytes()[at] == b'-' && at > 0 => {
            (&file_name[..at], file_name[at + 1..].parse()?)
        }
        _ => {
            return Err(Error::Guid {
                text: file_name.to_owned(),
            });
        }
    };
    let attributes = u32_at(content, 0, "attributes")? as u32;
    Ok(Variable {
        name: name.to_owned(),
        vendor,
        attributes,
        time: EfiTime::default(),
        data: content[4..].to_vec(),
    })
}

/// Where the variables of a flash image start and end.
fn bounds(image: &[u8]) -> Result<(usize, usize)> {
    const WHAT: &str = "variable store";
    if image.len() > MAX_STORE {
        return Err(Error::Limit {
            what: "length of the variable store",
            found: image.len(),
            limit: MAX_STORE,
        });
    }
    let wrong = |offset, why| Error::Invalid {
        what: WHAT,
        offset,
        why,
    };
    let volume = take(image, 0, 50, "firmware volume")?;
    if &volume[40..44] != b"_FVH" {
        return Err(wrong(40, "there is no firmware volume header"));
    }
    let start = usize::from(u16::from_le_bytes([volume[48], volume[49]]));
    let header = take(image, start, STORE_HEADER, WHAT)?;
    if header[..16] != AUTHENTICATED.0 {
        return Err(wrong(start, "it is not an authenticated variable store"));
    }
    if header[20] != 0x5a || header[21] != 0xfe {
        return Err(wrong(start + 20, "it is not formatted and healthy"));
    }
    let size = u32_at(image, start + 16, WHAT)?;
    take(image, start, size, WHAT)?;
    if size < STORE_HEADER {
        return Err(wrong(start + 16, "its size is less than its header"));
    }
    Ok((start + STORE_HEADER, start + size))
}

/// The live variables of an OVMF flash image (`OVMF_VARS*.fd`).
pub fn read_store(image: &[u8]) -> Result<Variables> {
    const WHAT: &str = "variable";
    let (mut at, end) = bounds(image)?;
    let store = &image[..end];
    let mut variables = Variables::default();
    let mut count = 0;
    while at + HEADER <= end && store[at..at + 2] == START {
        count += 1;
        if count > MAX_VARIABLES {
            return Err(Error::Limit {
                what: "count of variables",
                found: count,
                limit: MAX_VARIABLES,
            });
        }
        let header = take(store, at, HEADER, WHAT)?;
        let name_size = u32_at(store, at + 36, WHAT)?;
        let data_size = u32_at(store, at + 40, WHAT)?;
        let name = take(store, at + HEADER, name_size, WHAT)?;
        let data = take(store, at + HEADER + name_size, data_size, WHAT)?;
        let state = header[2];
        if state == ADDED || state == IN_DELETED_TRANSITION {
            let (pairs, _) = name.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            let text = String::from_utf16(&units).map_err(|_| Error::Invalid {
                what: WHAT,
                offset: at,
                why: "its name is not UTF-16",
            })?;
            variables.insert(Variable {
                name: text.trim_end_matches('\0').to_owned(),
                vendor: Guid(header[44..60].try_into().expect("sixteen bytes")),
                attributes: u32::from_le_bytes(header[4..8].try_into().expect("four bytes")),
                time: EfiTime::from_bytes(header[16..32].try_into().expect("sixteen bytes")),
                data: data.to_vec(),
            });
        }
        at = (at + HEADER + name_size + data_size).next_multiple_of(4);
    }
    Ok(variables)
}

/// The flash image with exactly these variables, packed; everything outside of the variables stays as it is.
pub fn replace_store(image: &[u8], variables: &Variables) -> Result<Vec<u8>> {
    let (start, end) = bounds(image)?;
    let mut area = Vec::with_capacity(end - start);
    for variable in variables.iter() {
        let name: Vec<u8> = variable
            .name
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        area.extend(START);
        area.extend([ADDED, 0]);
        area.extend(variable.attributes.to_le_bytes());
        area.extend(0_u64.to_le_bytes());
        area.extend(variable.time.to_bytes());
        area.extend(0_u32.to_le_bytes());
        area.extend((name.len() as u32).to_le_bytes());
        area.extend((variable.data.len() as u32).to_le_bytes());
        area.extend(variable.vendor.0);
        area.extend(name);
        area.extend(&variable.data);
        // Places are multiples of four from the start of the image, as is the start of the store.
        while !(start + area.len()).is_multiple_of(4) {
            area.push(0xff);
        }
    }
    if area.len() > end - start {
        return Err(Error::Limit {
            what: "length of all variables",
            found: area.len(),
            limit: end - start,
        });
    }
    let mut bytes = image.to_vec();
    bytes[start..end].fill(0xff);
    bytes[start..start + area.len()].copy_from_slice(&area);
    Ok(bytes)
}
