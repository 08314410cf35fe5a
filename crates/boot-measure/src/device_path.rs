//! Device paths (UEFI 10.3): as far as boot options and image events need them.

use boot_variables::Guid;

/// Most nodes of one path.
const MAX_NODES: usize = 64;

/// A path that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevicePath {
    /// The file, parts separated by `\`.
    pub file: Option<String>,
    /// Unique GUID of the GPT partition.
    pub partition: Option<Guid>,
    /// A file of a firmware volume, by name.
    pub firmware_file: Option<Guid>,
    /// A place on the network.
    pub uri: Option<String>,
    /// Kinds of its nodes: type and sub-type.
    pub nodes: Vec<(u8, u8)>,
}

/// Why bytes are no device path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("device path at byte {offset}: {why}")]
pub struct PathError {
    /// Where, from the start of the path.
    pub offset: usize,
    /// The rule.
    pub why: &'static str,
}

impl DevicePath {
    /// Reads a path up to its end node, or to the end of the bytes where firmware leaves that out.
    pub fn read(bytes: &[u8]) -> Result<DevicePath, PathError> {
        let mut path = DevicePath::default();
        let mut offset = 0;
        while offset < bytes.len() {
            let wrong = |why| PathError { offset, why };
            let header: [u8; 4] = bytes
                .get(offset..offset + 4)
                .and_then(|four| four.try_into().ok())
                .ok_or_else(|| wrong("a node's header needs four bytes"))?;
            let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
            if length < 4 {
                return Err(wrong("a node is shorter than its header"));
            }
            let node = bytes
                .get(offset + 4..offset + length)
                .ok_or_else(|| wrong("a node is longer than the path"))?;
            if header[0] & 0x7f == 0x7f {
                break;
            }
            if path.nodes.len() == MAX_NODES {
                return Err(wrong("more nodes than are read"));
            }
            path.nodes.push((header[0], header[1]));
            path.node(header[0], header[1], node);
            offset += length;
        }
        Ok(path)
    }

    fn node(&mut self, kind: u8, sub: u8, data: &[u8]) {
        match (kind, sub) {
            // Media, hard drive: number, start, size, signature, partition format, signature type (2: GUID).
            (4, 1) if data.len() >= 38 && data[37] == 2 => {
                let signature: [u8; 16] = data[20..36].try_into().expect("sixteen bytes");
                self.partition = Some(Guid(signature));
            }
            // Media, file path: may be split over several nodes.
            (4, 4) => {
                let (pairs, _) = data.as_chunks::<2>();
                let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
                let part = String::from_utf16_lossy(&units);
                let part = part.trim_end_matches('\0');
                let file = self.file.get_or_insert_default();
                if !file.is_empty() && !file.ends_with('\\') && !part.starts_with('\\') {
                    file.push('\\');
                }
                file.push_str(part);
            }
            // Media, file of a firmware volume.
            (4, 6) if data.len() == 16 => {
                self.firmware_file = Some(Guid(data.try_into().expect("sixteen bytes")));
            }
            // Messaging, URI.
            (3, 24) => self.uri = Some(String::from_utf8_lossy(data).into_owned()),
            _ => {}
        }
    }

    /// What a person calls it.
    pub fn describe(&self) -> String {
        if let Some(file) = &self.file {
            return file.clone();
        }
        if let Some(uri) = &self.uri {
            return uri.clone();
        }
        if let Some(file) = &self.firmware_file {
            return format!("firmware file {file}");
        }
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|(kind, sub)| format!("{kind}.{sub}"))
            .collect();
        if nodes.is_empty() {
            return String::new();
        }
        format!("device {}", nodes.join("/"))
    }

    /// The bytes of a path of these nodes, with its end node.
    pub fn of_file(file: &str) -> Vec<u8> {
        let name: Vec<u8> = file
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut bytes = vec![4, 4];
        bytes.extend((name.len() as u16 + 4).to_le_bytes());
        bytes.extend(name);
        bytes.extend([0x7f, 0xff, 4, 0]);
        bytes
    }
}
