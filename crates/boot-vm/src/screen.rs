//! Serial output as a person would read it.

/// The text without terminal escape sequences (ECMA-48 control sequences) and carriage returns.
pub fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => {}
            '\u{1b}' => {
                if letters.next_if_eq(&'[').is_some() {
                    // Parameters end with the first byte of 0x40 to 0x7e.
                    for letter in letters.by_ref() {
                        if ('\u{40}'..='\u{7e}').contains(&letter) {
                            break;
                        }
                    }
                } else {
                    letters.next();
                }
            }
            _ => plain.push(letter),
        }
    }
    plain
}

/// The last `count` lines that hold something.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let plain = without_escapes(text);
    let lines: Vec<&str> = plain.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
