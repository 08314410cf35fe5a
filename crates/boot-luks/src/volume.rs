//! A volume on a device: read, unlocked, changed.
//!
//! Invariant: at each moment one header is valid and names only key material that is on the disk.

use crate::header::{BINARY, Copy, Header, SIZES};
use crate::keyslot::pbkdf2;
use crate::metadata::{Area, KeyDigest, bytes};
use crate::{Cost, Error, Keyslot, Metadata, Result, SECTOR, Segment, VolumeKey, invalid};
use serde_json::Value;
use std::io::{Read, Seek, SeekFrom, Write};
use zeroize::Zeroizing;

/// Alignment of areas.
const ALIGNMENT: u64 = 4096;
/// Largest area that is overwritten: four times what a key of 64 bytes takes.
const MAX_AREA: usize = 1 << 20;

/// A device whose writes can be forced to the disk.
pub trait Storage: Read + Write + Seek {
    /// Returns when everything that was written is on the disk.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> std::io::Result<()>;
}

impl Storage for std::fs::File {
    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_all()
    }
}

impl Storage for std::io::Cursor<Vec<u8>> {
    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A volume.
#[derive(Debug)]
pub struct Volume<D> {
    device: D,
    header: Header,
    metadata: Metadata,
    /// The copy that was read, which is overwritten last.
    source: Copy,
}

fn failed(what: &'static str, offset: u64) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io {
        what,
        offset,
        source,
    }
}

fn read_at<D: Read + Seek>(device: &mut D, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
    device.seek(SeekFrom::Start(offset))?;
    device.read_exact(bytes)
}

/// Reads the copy that should stand at a place.
fn copy<D: Read + Seek>(
    device: &mut D,
    copy: Copy,
    place: u64,
) -> std::result::Result<(Header, Metadata), &'static str> {
    let mut binary = vec![0; BINARY];
    read_at(device, place, &mut binary).map_err(|_| "it cannot be read")?;
    let size = Header::claimed_size(&binary, copy)?;
    if copy == Copy::Secondary && size != place {
        return Err("it says that it stands elsewhere");
    }
    let mut bytes = vec![0; usize::try_from(size).expect("a size of the list")];
    read_at(device, place, &mut bytes).map_err(|_| "it ends early")?;
    Header::read(&bytes, copy, place)
}

impl<D: Read + Seek> Volume<D> {
    /// Reads the volume: the newer of the headers that are valid.
    ///
    /// # Errors
    /// When neither is.
    pub fn read(mut device: D) -> Result<Volume<D>> {
        let primary = copy(&mut device, Copy::Primary, 0);
        let mut secondary = Err("there is none");
        let known = primary.as_ref().ok().map(|(header, _)| header.size);
        for place in SIZES
            .into_iter()
            .filter(|size| known.is_none_or(|known| known == *size))
        {
            match copy(&mut device, Copy::Secondary, place) {
                Ok(found) => {
                    secondary = Ok(found);
                    break;
                }
                Err("there is none" | "it cannot be read") => {}
                Err(why) => secondary = Err(why),
            }
        }
        let (source, (header, metadata)) = match (primary, secondary) {
            (Ok(first), Ok(second)) if second.0.sequence > first.0.sequence => {
                (Copy::Secondary, second)
            }
            (Ok(first), _) => (Copy::Primary, first),
            (Err(_), Ok(second)) => (Copy::Secondary, second),
            (Err(primary), Err(secondary)) => return Err(Error::NoHeader { primary, secondary }),
        };
        Ok(Volume {
            device,
            header,
            metadata,
            source,
        })
    }

    /// Its metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its UUID.
    pub fn uuid(&self) -> String {
        self.header.uuid()
    }

    /// The part that holds the data: the one encrypted segment that volumes have which are not being re-encrypted.
    ///
    /// # Errors
    /// When there are others.
    pub fn segment(&self) -> Result<&Segment> {
        match self.metadata.segments.values().collect::<Vec<_>>()[..] {
            [segment] if segment.kind == "crypt" => Ok(segment),
            _ => Err(Error::Unusable(
                "it has not one encrypted segment: it is being re-encrypted",
            )),
        }
    }

    /// The space of the keyslots' areas.
    fn keyslots(&self) -> std::ops::Range<u64> {
        let start = 2 * self.header.size;
        start..start.saturating_add(self.metadata.config.keyslots_size.0)
    }

    /// Opens it with a passphrase; `keyslots` are those to try, all where it is empty.
    ///
    /// # Errors
    /// [`Error::Wrong`] when none opens; else what is wrong with a keyslot that was to be tried.
    pub fn unlock(&mut self, passphrase: &[u8], keyslots: &[u32]) -> Result<(u32, VolumeKey)> {
        let slots: Vec<(u32, Keyslot)> = self
            .metadata
            .keyslots
            .iter()
            .filter(|(number, _)| keyslots.is_empty() || keyslots.contains(number))
            .map(|(number, slot)| (*number, slot.clone()))
            .collect();
        let mut unusable = None;
        for (number, slot) in slots {
            match self.try_slot(number, &slot, passphrase) {
                Ok(Some(key)) => return Ok((number, key)),
                Ok(None) => {}
                // One keyslot of a kind that is not known must not keep the others from being tried.
                Err(error) => unusable = unusable.or(Some(error)),
            }
        }
        Err(unusable.unwrap_or(Error::Wrong { what: "passphrase" }))
    }

    fn try_slot(
        &mut self,
        number: u32,
        slot: &Keyslot,
        passphrase: &[u8],
    ) -> Result<Option<VolumeKey>> {
        slot.check(number, &self.keyslots())?;
        let length = slot.material().next_multiple_of(SECTOR);
        let mut area = Zeroizing::new(vec![0; length]);
        let offset = slot.area().offset();
        read_at(&mut self.device, offset, &mut area).map_err(failed("keyslot", offset))?;
        let key = slot.open(passphrase, area)?;
        Ok(self.verifies(number, &key)?.then_some(key))
    }

    /// The digest that a keyslot's key is compared with.
    fn digest(&self, keyslot: u32) -> Result<(u32, &KeyDigest)> {
        let name = keyslot.to_string();
        self.metadata
            .digests
            .iter()
            .find(|(_, digest)| digest.is_pbkdf2() && digest.keyslots.contains(&name))
            .map(|(number, digest)| (*number, digest))
            .ok_or_else(|| invalid(format!("keyslots.{keyslot}"), "it has no digest by PBKDF2"))
    }

    fn verifies(&self, keyslot: u32, key: &[u8]) -> Result<bool> {
        let (number, digest) = self.digest(keyslot)?;
        let expected = bytes(&digest.digest, format!("digests.{number}.digest"))?;
        let salt = bytes(&digest.salt, format!("digests.{number}.salt"))?;
        if !(16..=64).contains(&expected.len()) {
            return Err(invalid(
                format!("digests.{number}.digest"),
                "its length is none of a hash's",
            ));
        }
        let found = pbkdf2(&digest.hash, key, &salt, digest.iterations, expected.len())?;
        Ok(*found == expected)
    }
}

impl<D: Storage> Volume<D> {
    /// Adds a keyslot that a passphrase opens. The key is one that [`Volume::unlock`] gave for the keyslot `beside`.
    ///
    /// # Errors
    /// When there is no room, or the key is another volume's.
    pub fn add_keyslot(
        &mut self,
        beside: u32,
        key: &VolumeKey,
        passphrase: &[u8],
        cost: Cost,
    ) -> Result<u32> {
        if !self.verifies(beside, key)? {
            return Err(Error::Wrong { what: "key" });
        }
        let number = Metadata::free(&self.metadata.keyslots);
        let number = number.ok_or(Error::Unusable("all 32 keyslots are taken"))?;
        let area = self.free_area(key.len())?;
        let slot = Keyslot::new(area, cost.kdf(), key.len());
        slot.check(number, &self.keyslots())?;
        let material = slot.close(passphrase, key)?;
        self.write_area(slot.area().offset(), &material)?;
        let (digest, _) = self.digest(beside)?;
        let mut metadata = self.metadata.clone();
        metadata.keyslots.insert(number, slot);
        if let Some(digest) = metadata.digests.get_mut(&digest) {
            digest.keyslots.push(number.to_string());
        }
        self.write(metadata)?;
        Ok(number)
    }

    /// Room for a split key among the other areas.
    fn free_area(&self, key_size: usize) -> Result<Area> {
        let space = self.keyslots();
        let material = key_size * crate::metadata::STRIPES;
        let size = (material as u64).next_multiple_of(ALIGNMENT);
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for (number, slot) in &self.metadata.keyslots {
            let end = slot.area.end();
            let end =
                end.ok_or_else(|| invalid(format!("keyslots.{number}.area"), "it is too large"))?;
            taken.push((slot.area.offset(), end));
        }
        taken.sort_unstable();
        let mut start = space.start;
        for (first, end) in taken {
            if first >= start.saturating_add(size) {
                break;
            }
            start = start.max(end.saturating_add(ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        }
        if start.saturating_add(size) > space.end {
            return Err(Error::Unusable("there is no room for another keyslot"));
        }
        Ok(Area::new(start, size))
    }

    fn write_area(&mut self, offset: u64, material: &[u8]) -> Result<()> {
        let written = self
            .device
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.device.write_all(material))
            .and_then(|()| self.device.sync());
        written.map_err(failed("keyslot", offset))
    }

    /// Removes a keyslot: its key material is overwritten first, then it goes from the metadata and from every token. The
    /// last one stays, since without it the data are lost.
    ///
    /// # Errors
    /// When there is no such keyslot, or it is the last.
    pub fn remove_keyslot(&mut self, number: u32) -> Result<()> {
        let slot = self.metadata.keyslots.get(&number);
        let slot = slot.ok_or(Error::Unusable("there is no such keyslot"))?;
        if self.metadata.keyslots.len() == 1 {
            return Err(Error::Unusable(
                "this is the last keyslot; without it the data are lost",
            ));
        }
        slot.check(number, &self.keyslots())?;
        let (offset, size) = (slot.area().offset(), slot.area().size());
        let size = usize::try_from(size).ok().filter(|size| *size <= MAX_AREA);
        let size =
            size.ok_or_else(|| invalid(format!("keyslots.{number}.area"), "it is too large"))?;
        let mut noise = vec![0; size];
        getrandom::fill(&mut noise).expect("the system gives random bytes");
        self.write_area(offset, &noise)?;
        let mut metadata = self.metadata.clone();
        metadata.keyslots.remove(&number);
        let name = number.to_string();
        for digest in metadata.digests.values_mut() {
            digest.keyslots.retain(|keyslot| *keyslot != name);
        }
        for token in metadata.tokens.values_mut() {
            if let Some(Value::Array(keyslots)) = token.get_mut("keyslots") {
                keyslots.retain(|keyslot| keyslot.as_str() != Some(&name));
            }
        }
        self.write(metadata)
    }

    /// Adds a token; it must be an object with a type and a list of keyslots that are there.
    ///
    /// # Errors
    /// When it is not, or there is no room.
    pub fn add_token(&mut self, token: Value) -> Result<u32> {
        let number = Metadata::free(&self.metadata.tokens);
        let number = number.ok_or(Error::Unusable("all 32 tokens are taken"))?;
        self.put_token(number, token)?;
        Ok(number)
    }

    /// Puts a token in place of the one of this number.
    ///
    /// # Errors
    /// As [`Volume::add_token`].
    pub fn put_token(&mut self, number: u32, token: Value) -> Result<()> {
        let place = || format!("tokens.{number}");
        if !token.get("type").is_some_and(Value::is_string) {
            return Err(invalid(place(), "it has no type"));
        }
        let keyslots = token.get("keyslots").and_then(Value::as_array);
        let keyslots = keyslots.ok_or_else(|| invalid(place(), "it has no list of keyslots"))?;
        let there = |name: &Value| {
            let number = name.as_str().and_then(|name| name.parse().ok());
            number.is_some_and(|number| self.metadata.keyslots.contains_key(&number))
        };
        if !keyslots.iter().all(there) {
            return Err(invalid(place(), "it names a keyslot that is not there"));
        }
        let mut metadata = self.metadata.clone();
        metadata.tokens.insert(number, token);
        self.write(metadata)
    }

    /// Removes a token.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn remove_token(&mut self, number: u32) -> Result<()> {
        let mut metadata = self.metadata.clone();
        if metadata.tokens.remove(&number).is_none() {
            return Err(Error::Unusable("there is no such token"));
        }
        self.write(metadata)
    }

    /// Writes both headers, the one that was read last: cut off between them or within one, the other is valid.
    fn write(&mut self, metadata: Metadata) -> Result<()> {
        let mut header = self.header.clone();
        header.sequence += 1;
        let copies = match self.source {
            Copy::Primary => [Copy::Secondary, Copy::Primary],
            Copy::Secondary => [Copy::Primary, Copy::Secondary],
        };
        for copy in copies {
            let full = Error::Unusable("the metadata no longer fit into the header");
            let bytes = header.write(copy, &metadata).ok_or(full)?;
            let place = copy.place(header.size);
            let written = self
                .device
                .seek(SeekFrom::Start(place))
                .and_then(|_| self.device.write_all(&bytes))
                .and_then(|()| self.device.sync());
            written.map_err(failed("header", place))?;
        }
        self.header = header;
        self.metadata = metadata;
        Ok(())
    }
}
