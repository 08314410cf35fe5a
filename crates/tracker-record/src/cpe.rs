//! CPE 2.3 names in formatted-string form (NIST IR 7695, section 6.2), read into plain text fields.
//!
//! Invariant: `ANY` and `NA` are values of their own, never the texts `*` and `-`.

use std::borrow::Cow;

/// The most bytes a name may have; the longest in NVD has under 300.
pub const MAX_CPE_BYTES: usize = 2048;

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field<'a> {
    /// `*`: any value.
    Any,
    /// `-`: not applicable.
    NotApplicable,
    /// A value, unescaped, in the source's case.
    Text(Cow<'a, str>),
}

impl Field<'_> {
    /// The value, if the field has one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            Field::Any | Field::NotApplicable => None,
        }
    }

    fn read(raw: &str) -> Field<'_> {
        match raw {
            "*" | "" => Field::Any,
            "-" => Field::NotApplicable,
            _ => Field::Text(unescape(raw)),
        }
    }
}

/// What kind of thing a name is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// `a`
    Application,
    /// `o`
    OperatingSystem,
    /// `h`
    Hardware,
    /// `*` or `-`
    Unspecified,
}

/// A name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cpe<'a> {
    /// Application, operating system or hardware.
    pub part: Part,
    /// Vendor.
    pub vendor: Field<'a>,
    /// Product.
    pub product: Field<'a>,
    /// Version.
    pub version: Field<'a>,
    /// Update (`rc1`, `patch2`).
    pub update: Field<'a>,
    /// Edition, a legacy of CPE 2.2.
    pub edition: Field<'a>,
    /// Language tag.
    pub language: Field<'a>,
    /// Edition of the software (`enterprise`).
    pub sw_edition: Field<'a>,
    /// What the software runs in (`python`, `wordpress`, `node.js`).
    pub target_sw: Field<'a>,
    /// The processor it runs on.
    pub target_hw: Field<'a>,
    /// Anything else.
    pub other: Field<'a>,
}

impl<'a> Cpe<'a> {
    /// Reads `cpe:2.3:PART:VENDOR:PRODUCT:VERSION:UPDATE:EDITION:LANGUAGE:SW_EDITION:TARGET_SW:TARGET_HW:OTHER`.
    ///
    /// `None` for anything else: another prefix, another count of fields, an unknown part, over [`MAX_CPE_BYTES`].
    pub fn parse(text: &'a str) -> Option<Cpe<'a>> {
        if text.len() > MAX_CPE_BYTES || !text.is_char_boundary(8) {
            return None;
        }
        let (prefix, rest) = text.split_at_checked(8)?;
        if !prefix.eq_ignore_ascii_case("cpe:2.3:") {
            return None;
        }
        let mut fields = Fields { rest: Some(rest) };
        let part = match fields.next()? {
            "a" => Part::Application,
            "o" => Part::OperatingSystem,
            "h" => Part::Hardware,
            "*" | "-" => Part::Unspecified,
            _ => return None,
        };
        let mut field = || fields.next().map(Field::read);
        let cpe = Cpe {
            part,
            vendor: field()?,
            product: field()?,
            version: field()?,
            update: field()?,
            edition: field()?,
            language: field()?,
            sw_edition: field()?,
            target_sw: field()?,
            target_hw: field()?,
            other: field()?,
        };
        fields.rest.is_none().then_some(cpe)
    }

    /// Version and update as one text, `1.0:rc1`; the version alone where the update says nothing.
    ///
    /// `None` if the name has no version of its own.
    pub fn version_text(&self) -> Option<String> {
        let version = self.version.text()?;
        Some(match self.update.text() {
            Some(update) => format!("{version}:{update}"),
            None => version.to_owned(),
        })
    }
}

/// The name with version and update set to `*`: what product it is, whatever the version.
///
/// `None` for what [`Cpe::parse`] refuses.
pub fn without_version(text: &str) -> Option<String> {
    Cpe::parse(text)?;
    let mut fields: Vec<&str> = Fields { rest: Some(text) }.collect();
    // `cpe`, `2.3`, part, vendor, product, version, update.
    fields[5] = "*";
    fields[6] = "*";
    Some(fields.join(":"))
}

/// Splits at colons that no backslash escapes.
struct Fields<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let mut escaped = false;
        for (position, byte) in rest.bytes().enumerate() {
            match byte {
                b':' if !escaped => {
                    self.rest = Some(&rest[position + 1..]);
                    return Some(&rest[..position]);
                }
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.rest = None;
        Some(rest)
    }
}

fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;
