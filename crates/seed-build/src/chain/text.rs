//! Texts with references: `{NAME}` stands for an item's path, `{out}` for the output's; a `*` in the last component after a
//! reference makes a pattern that stands for all files that fit, in order.
//!
//! Invariant: a text that exists refers to items that exist.

/// A text of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Plain(String),
    /// The path of an item, by number.
    Item(usize),
    Out,
}

impl Text {
    /// Reads a text; `find` knows the items that may be referred to.
    pub(crate) fn parse(text: &str, find: impl Fn(&str) -> Option<usize>) -> Result<Text, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            if !rest[..open].is_empty() {
                parts.push(Part::Plain(rest[..open].to_owned()));
            }
            let close = rest[open..]
                .find('}')
                .filter(|_| rest[open..].starts_with('{'));
            let close = open + close.ok_or_else(|| format!("'{text}': a brace is not closed"))?;
            parts.push(match &rest[open + 1..close] {
                "out" => Part::Out,
                name => Part::Item(
                    find(name).ok_or_else(|| format!("nothing before it is called '{name}'"))?,
                ),
            });
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        if text.contains('\0') {
            return Err("a text has a NUL byte".to_owned());
        }
        let text = Text { parts };
        if text
            .parts
            .iter()
            .any(|part| matches!(part, Part::Plain(plain) if plain.contains('*')))
            && text.pattern().is_none()
        {
            return Err(
                "a '*' is allowed only in the last component of '{NAME}/FOLDER/PATTERN'".to_owned(),
            );
        }
        Ok(text)
    }

    /// Items referred to.
    pub(crate) fn needs(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().filter_map(|part| match part {
            Part::Item(item) => Some(*item),
            _ => None,
        })
    }

    /// The item, the folder in it and the pattern, if this is one.
    pub(crate) fn pattern(&self) -> Option<(usize, &str, &str)> {
        match self.parts.as_slice() {
            [Part::Item(item), Part::Plain(rest)] if rest.contains('*') => {
                let (folder, pattern) = rest
                    .strip_prefix('/')?
                    .rsplit_once('/')
                    .unwrap_or(("", &rest[1..]));
                (!folder.contains('*')).then_some((*item, folder, pattern))
            }
            _ => None,
        }
    }

    /// The text with paths in place of references.
    pub(crate) fn resolve(&self, item: impl Fn(usize) -> String, out: &str) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Plain(text) => text.clone(),
            Part::Item(number) => item(*number),
            Part::Out => out.to_owned(),
        });
        parts.collect()
    }
}

/// Does a file name fit a pattern, in which `*` stands for any characters?
pub(crate) fn fits(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let head = parts.next().unwrap_or_default();
    let Some(tail) = parts.next_back() else {
        return name == pattern;
    };
    let middle = name
        .strip_prefix(head)
        .and_then(|rest| rest.strip_suffix(tail));
    // The first place for each part leaves the most for those after it, so none has to be tried again.
    let left = middle.and_then(|middle| {
        parts.try_fold(middle, |rest, part| {
            rest.find(part).map(|at| &rest[at + part.len()..])
        })
    });
    left.is_some()
}
