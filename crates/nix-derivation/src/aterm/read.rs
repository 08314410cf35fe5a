//! Reading `.drv` files. Invariant: what the writer would not print is refused, with its offset.

use super::DYNAMIC_FORM;
use crate::limits::{MAX_DERIVATION, MAX_DYNAMIC, MAX_ITEMS, MAX_STRING};
use crate::{Derivation, Error, InputNode, Inputs, Outline, Output};
use bstr::{BString, ByteSlice};
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

impl Derivation {
    /// Reads a `.drv` file's bytes; `name` is the file's name without digest and `.drv`.
    ///
    /// # Errors
    /// The variants of [`Error`] that have an offset.
    pub fn parse(name: &Name, bytes: &[u8], store: &StoreDir) -> Result<Derivation, Error> {
        Reader::whole(bytes, store, |reader| reader.derivation(name))
    }
}

impl Outline {
    /// Reads a `.drv` file's bytes as [`Derivation::parse`] does, with the same errors, and keeps less of them.
    ///
    /// # Errors
    /// The variants of [`Error`] that have an offset.
    pub fn parse(name: &Name, bytes: &[u8], store: &StoreDir) -> Result<Outline, Error> {
        Reader::whole(bytes, store, |reader| reader.outline(name))
    }
}

/// The store directory that a `.drv` file was written for: that of the first store path in it.
pub fn store_dir(bytes: &[u8]) -> Option<StoreDir> {
    let strings = bytes
        .split(|byte| *byte == b'"')
        .filter(|part| part.starts_with(b"/"));
    strings
        .filter_map(|text| text.to_str().ok())
        .find_map(|text| {
            let slashes = text.match_indices('/').skip(1).map(|(at, _)| at);
            let mut ends = slashes.chain([text.len()]);
            ends.find_map(|end| StoreDir::split(&text[..end]).ok().map(|(dir, _)| dir))
        })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    store: &'a StoreDir,
    /// Is it the versioned form?
    dynamic: bool,
    /// Was an output of an output read, which only that form may have?
    nested: bool,
}

impl<'a> Reader<'a> {
    /// Reads a whole file by `item`, which begins after the form's name.
    fn whole<T>(
        bytes: &'a [u8],
        store: &'a StoreDir,
        item: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if bytes.len() > MAX_DERIVATION {
            return Err(Error::TooLarge {
                offset: MAX_DERIVATION,
                what: "the derivation",
                limit: MAX_DERIVATION,
            });
        }
        let mut reader = Reader {
            bytes,
            at: 0,
            store,
            dynamic: false,
            nested: false,
        };
        if reader.take(b"DrvWithVersion(") {
            let (offset, form) = reader.string()?;
            if *form != *DYNAMIC_FORM.as_bytes() {
                let shown = &form[..form.len().min(40)];
                let version = shown.to_str_lossy().into_owned();
                return Err(Error::UnknownForm { offset, version });
            }
            reader.comma()?;
            reader.dynamic = true;
        } else {
            reader.expect(b"Derive(", "'Derive(' or 'DrvWithVersion('")?;
        }
        let read = item(&mut reader)?;
        reader.expect(b")", "')'")?;
        if reader.at != bytes.len() {
            return Err(reader.syntax("the end of the file"));
        }
        if reader.dynamic != reader.nested {
            let what = "a versioned form without outputs of outputs";
            return Err(Error::NotCanonical { offset: 0, what });
        }
        Ok(read)
    }

    fn derivation(&mut self, name: &Name) -> Result<Derivation, Error> {
        let outputs = self.map("outputs", |reader| {
            let id = reader.name()?;
            reader.comma()?;
            Ok((id, reader.output()?))
        })?;
        self.comma()?;
        let derivations = self.map("input derivations", |reader| {
            let (offset, path) = reader.string()?;
            let path = reader.path(offset, &path)?;
            reader.comma()?;
            Ok((path, reader.node(0)?))
        })?;
        self.comma()?;
        let sources = self.set("sources", |reader| {
            let (offset, path) = reader.string()?;
            reader.path(offset, &path)
        })?;
        self.comma()?;
        let system = self.owned()?;
        self.comma()?;
        let builder = self.owned()?;
        self.comma()?;
        let mut args = Vec::new();
        self.list("arguments", |reader| {
            args.push(reader.owned()?);
            Ok(())
        })?;
        self.comma()?;
        let env = self.map("variables", |reader| {
            let variable = reader.owned()?;
            reader.comma()?;
            Ok((variable, reader.owned()?))
        })?;
        Ok(Derivation {
            name: name.clone(),
            outputs,
            inputs: Inputs {
                derivations,
                sources,
            },
            system,
            builder,
            args,
            env,
        })
    }

    fn outline(&mut self, name: &Name) -> Result<Outline, Error> {
        let outputs = self.map("outputs", |reader| {
            let id = reader.name()?;
            reader.comma()?;
            Ok((id, reader.output()?))
        })?;
        self.comma()?;
        let mut derivations: Vec<StorePath> = Vec::new();
        self.list("input derivations", |reader| {
            reader.expect(b"(", "'('")?;
            let at = reader.at;
            let (offset, path) = reader.string()?;
            let path = reader.path(offset, &path)?;
            reader.comma()?;
            reader.skip_node()?;
            reader.expect(b")", "')'")?;
            ascending(derivations.last(), &path, at)?;
            derivations.push(path);
            Ok(())
        })?;
        self.comma()?;
        let sources = self.set("sources", |reader| {
            let (offset, path) = reader.string()?;
            reader.path(offset, &path)
        })?;
        self.comma()?;
        self.skip()?;
        self.comma()?;
        let builder = self.owned()?;
        self.comma()?;
        self.list("arguments", Reader::skip)?;
        self.comma()?;
        let mut variables = BTreeMap::new();
        let mut last: Option<Cow<'a, [u8]>> = None;
        self.list("variables", |reader| {
            reader.expect(b"(", "'('")?;
            let at = reader.at;
            let (_, variable) = reader.string()?;
            reader.comma()?;
            let kept = Outline::VARIABLES
                .iter()
                .find(|kept| kept.as_bytes() == &*variable);
            match kept {
                Some(kept) => drop(variables.insert(*kept, reader.owned()?)),
                None => reader.skip()?,
            }
            reader.expect(b")", "')'")?;
            ascending(last.as_ref(), &variable, at)?;
            last = Some(variable);
            Ok(())
        })?;
        Ok(Outline {
            name: name.clone(),
            outputs,
            derivations,
            sources,
            builder,
            variables,
        })
    }

    /// Reads over what [`Reader::node`] reads.
    fn skip_node(&mut self) -> Result<(), Error> {
        if self.dynamic {
            return self.node(0).map(drop);
        }
        let mut last: Option<Cow<'a, [u8]>> = None;
        self.list("outputs of an input", |reader| {
            let at = reader.at;
            let (offset, name) = reader.string()?;
            reader.within(offset, &name, Name::check)?;
            ascending(last.as_ref(), &name, at)?;
            last = Some(name);
            Ok(())
        })
    }

    /// `"PATH","ALGO","HASH"`
    fn output(&mut self) -> Result<Output, Error> {
        let (path_offset, path) = self.string()?;
        self.comma()?;
        let (offset, algorithm) = self.string()?;
        self.comma()?;
        let (hash_offset, hash) = self.string()?;
        if algorithm.is_empty() {
            if !hash.is_empty() {
                return Err(self.syntax_at(hash_offset, "no hash, as there is no algorithm,"));
            }
            if path.is_empty() {
                return Ok(Output::Deferred);
            }
            return Ok(Output::InputAddressed(self.path(path_offset, &path)?));
        }
        let (method, algorithm) = self.within(offset, &algorithm, Method::parse_prefixed)?;
        if !path.is_empty() && !hash.is_empty() && *hash != *b"impure" {
            let hash = self.hash(hash_offset, algorithm, &hash)?;
            let path = self.path(path_offset, &path)?;
            let address = ContentAddress { method, hash };
            return Ok(Output::Fixed { path, address });
        }
        if !path.is_empty() {
            return Err(self.syntax_at(path_offset, "no path, as the content is not fixed,"));
        }
        match &*hash {
            b"" => Ok(Output::Floating { method, algorithm }),
            b"impure" => Ok(Output::Impure { method, algorithm }),
            _ => Err(self.syntax_at(path_offset, "the path of the fixed output")),
        }
    }

    fn hash(&self, offset: usize, algorithm: Algorithm, digits: &[u8]) -> Result<Hash, Error> {
        let hash = self.within(offset, digits, |digits| {
            Hash::from_digits(algorithm, digits)
        })?;
        if hash.base16().as_bytes() != digits {
            let what = "a hash that is not in lower-case base16";
            return Err(Error::NotCanonical { offset, what });
        }
        Ok(hash)
    }

    fn node(&mut self, depth: usize) -> Result<InputNode, Error> {
        let dynamic_at = self.at;
        let dynamic = self.dynamic && self.take(b"(");
        let outputs = self.set("outputs of an input", Reader::name)?;
        let mut node = InputNode {
            outputs,
            dynamic: BTreeMap::new(),
        };
        if dynamic {
            if depth == MAX_DYNAMIC {
                return Err(Error::TooLarge {
                    offset: dynamic_at,
                    what: "the chain of outputs of outputs",
                    limit: MAX_DYNAMIC,
                });
            }
            self.comma()?;
            node.dynamic = self.map("outputs of an output", |reader| {
                let id = reader.name()?;
                reader.comma()?;
                Ok((id, reader.node(depth + 1)?))
            })?;
            self.expect(b")", "')'")?;
            if node.dynamic.is_empty() {
                let what = "an empty list of outputs of outputs";
                return Err(Error::NotCanonical {
                    offset: dynamic_at,
                    what,
                });
            }
            self.nested = true;
        }
        Ok(node)
    }

    /// `[("KEY",...),...]` in ascending order of keys.
    fn map<K: Ord, V>(
        &mut self,
        what: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(K, V), Error>,
    ) -> Result<BTreeMap<K, V>, Error> {
        let mut items: Vec<(K, V)> = Vec::new();
        self.list(what, |reader| {
            reader.expect(b"(", "'('")?;
            let offset = reader.at;
            let (key, value) = item(reader)?;
            reader.expect(b")", "')'")?;
            ascending(items.last().map(|(last, _)| last), &key, offset)?;
            items.push((key, value));
            Ok(())
        })?;
        Ok(items.into_iter().collect())
    }

    fn set<T: Ord>(
        &mut self,
        what: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<BTreeSet<T>, Error> {
        let mut items: Vec<T> = Vec::new();
        self.list(what, |reader| {
            let offset = reader.at;
            let value = item(reader)?;
            ascending(items.last(), &value, offset)?;
            items.push(value);
            Ok(())
        })?;
        Ok(items.into_iter().collect())
    }

    fn list(
        &mut self,
        what: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.expect(b"[", "'['")?;
        for count in 0.. {
            if self.take(b"]") {
                break;
            }
            if count == MAX_ITEMS {
                return Err(Error::TooLarge {
                    offset: self.at,
                    what,
                    limit: MAX_ITEMS,
                });
            }
            if count > 0 {
                self.expect(b",", "',' or ']'")?;
            }
            item(self)?;
        }
        Ok(())
    }

    /// A string's offset and bytes, unescaped; borrowed where nothing is escaped.
    fn string(&mut self) -> Result<(usize, Cow<'a, [u8]>), Error> {
        let mut unescaped: Option<Vec<u8>> = None;
        let (start, tail) = self.walk(|run, character| {
            let text = unescaped.get_or_insert_with(|| Vec::with_capacity(2 * run.len() + 128));
            text.extend_from_slice(run);
            text.push(character);
        })?;
        let text = match unescaped {
            None => Cow::Borrowed(tail),
            Some(mut text) => {
                text.extend_from_slice(tail);
                Cow::Owned(text)
            }
        };
        Ok((start, text))
    }

    /// Reads over a string.
    fn skip(&mut self) -> Result<(), Error> {
        self.walk(|_, _| ()).map(drop)
    }

    /// Walks over a string and hands each escaped character, with the run of bytes before it, to `escaped`; gives
    /// the string's offset and what follows the last of them.
    fn walk(&mut self, mut escaped: impl FnMut(&'a [u8], u8)) -> Result<(usize, &'a [u8]), Error> {
        self.expect(b"\"", "a string")?;
        let bytes = self.bytes;
        let start = self.at;
        let mut copied = start;
        loop {
            let rest = &bytes[self.at..];
            let Some(run) = rest.iter().position(|byte| SPECIAL[usize::from(*byte)]) else {
                return Err(self.syntax_at(bytes.len(), "the end of a string"));
            };
            self.at += run;
            if self.at - start > MAX_STRING {
                return Err(Error::TooLarge {
                    offset: start,
                    what: "a string",
                    limit: MAX_STRING,
                });
            }
            match bytes[self.at] {
                b'"' => break,
                b'\\' => {
                    let character = match bytes.get(self.at + 1) {
                        Some(b'n') => b'\n',
                        Some(b'r') => b'\r',
                        Some(b't') => b'\t',
                        Some(byte @ (b'"' | b'\\')) => *byte,
                        Some(_) => return Err(self.not_canonical("a needless escape")),
                        None => return Err(self.syntax("an escaped character")),
                    };
                    escaped(&bytes[copied..self.at], character);
                    self.at += 2;
                    copied = self.at;
                }
                _ => return Err(self.not_canonical("an unescaped newline, return or tab")),
            }
        }
        let tail = &bytes[copied..self.at];
        self.at += 1;
        Ok((start, tail))
    }

    fn owned(&mut self) -> Result<BString, Error> {
        Ok(self.string()?.1.into_owned().into())
    }

    fn name(&mut self) -> Result<Name, Error> {
        let (offset, text) = self.string()?;
        self.within(offset, &text, Name::new)
    }

    fn path(&self, offset: usize, text: &[u8]) -> Result<StorePath, Error> {
        self.within(offset, text, |text| self.store.parse(text))
    }

    /// Parses a string at an offset as text by a function of the ground floor.
    fn within<T>(
        &self,
        offset: usize,
        text: &[u8],
        parse: impl FnOnce(&str) -> Result<T, nix_store_path::Error>,
    ) -> Result<T, Error> {
        let text = text
            .to_str()
            .map_err(|_| self.syntax_at(offset, "UTF-8 text"))?;
        parse(text).map_err(|source| Error::Store { offset, source })
    }

    fn take(&mut self, token: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &[u8], expected: &'static str) -> Result<(), Error> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.syntax(expected))
        }
    }

    fn comma(&mut self) -> Result<(), Error> {
        self.expect(b",", "','")
    }

    fn syntax(&self, expected: &'static str) -> Error {
        self.syntax_at(self.at, expected)
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings at every call")]
    fn syntax_at(&self, offset: usize, expected: &'static str) -> Error {
        Error::Syntax { offset, expected }
    }

    fn not_canonical(&self, what: &'static str) -> Error {
        Error::NotCanonical {
            offset: self.at,
            what,
        }
    }
}

fn ascending<T: Ord>(last: Option<&T>, next: &T, offset: usize) -> Result<(), Error> {
    if last.is_some_and(|last| last >= next) {
        let what = "an item out of order or twice";
        return Err(Error::NotCanonical { offset, what });
    }
    Ok(())
}

/// The bytes at which a run of ordinary string bytes ends.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[b'\n' as usize] = true;
    table[b'\r' as usize] = true;
    table[b'\t' as usize] = true;
    table
};
