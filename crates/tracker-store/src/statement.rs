//! Statements: constants, written once where one text serves both databases, as a pair where not.
//!
//! Invariant: every text is a constant of this crate; only counts of placeholders are filled in, never values.

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A statement. Two holes are filled by the number of parameters:
/// `{rows:N}` becomes as many `(…)` of N placeholders as the parameters fill, and
/// `{list:M}` becomes a list of the parameters after the first M.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Statement {
    /// A statement of one text, built from constants.
    pub(crate) const fn portable(text: &'static str) -> Statement {
        Statement {
            name: "page",
            sqlite: text,
            postgres: text,
        }
    }

    /// Whether the databases need different texts.
    #[cfg(test)]
    pub(crate) fn is_pair(&self) -> bool {
        self.sqlite != self.postgres
    }

    pub(crate) const fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    /// The text for a number of parameters.
    pub(crate) fn expand(&self, dialect: Dialect, parameters: usize) -> String {
        let text = self.text(dialect);
        let Some((before, rest)) = text.split_once('{') else {
            return text.to_owned();
        };
        let (hole, after) = rest.split_once('}').expect("a hole is closed");
        let (kind, number) = hole.split_once(':').expect("a hole has a number");
        let number: usize = number.parse().expect("a hole's number is one");
        let mut sql = String::with_capacity(text.len() + parameters * 6);
        // SQLite finds a named parameter by walking all of them, so with many of them all stay nameless there:
        // the fixed ones must stand before the list, in order, each once.
        match dialect {
            Dialect::Sqlite if kind == "list" => {
                for (index, part) in before.split('$').enumerate() {
                    if index == 0 {
                        sql.push_str(part);
                    } else {
                        sql.push('?');
                        sql.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
                    }
                }
            }
            _ => sql.push_str(before),
        }
        let mut next = 0;
        let mut placeholder = |sql: &mut String| {
            next += 1;
            match dialect {
                Dialect::Sqlite => sql.push('?'),
                Dialect::Postgres => {
                    use std::fmt::Write as _;
                    let _ = write!(sql, "${}", next + if kind == "list" { number } else { 0 });
                }
            }
        };
        if kind == "rows" {
            for row in 0..parameters / number {
                sql.push_str(if row == 0 { "(" } else { ",(" });
                for column in 0..number {
                    if column > 0 {
                        sql.push(',');
                    }
                    placeholder(&mut sql);
                }
                sql.push(')');
            }
        } else {
            for index in number..parameters {
                if index > number {
                    sql.push(',');
                }
                placeholder(&mut sql);
            }
        }
        sql.push_str(after);
        sql
    }
}

/// Declares statements as constants and lists them in `ALL`, so that a test can prepare each.
/// `NAME = "text";` is portable, `NAME = sqlite "text" postgres "text";` is a pair.
macro_rules! statements {
    (@one $name:ident $text:literal) => {
        $crate::statement::Statement { name: stringify!($name), sqlite: $text, postgres: $text }
    };
    (@one $name:ident sqlite $sqlite:literal postgres $postgres:literal) => {
        $crate::statement::Statement { name: stringify!($name), sqlite: $sqlite, postgres: $postgres }
    };
    ($($(#[$meta:meta])* $name:ident = $($kind:ident)? $text:literal $($kind2:ident $text2:literal)?;)*) => {
        $($(#[$meta])* pub(crate) const $name: $crate::statement::Statement =
            $crate::statement::statements!(@one $name $($kind)? $text $($kind2 $text2)?);)*
        /// Every statement of this module, for the test that prepares them.
        #[cfg(test)]
        pub(crate) const ALL: &[$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;

#[cfg(test)]
mod tests;
