//! Text from outside on its way to a terminal.
//!
//! Names of files, answers of servers and fields of records may hold escape sequences, characters that turn the direction of writing, and
//! line breaks that would let them pass for lines of ours. [`text`](crate::text) and what prints apply
//! [`printable`] to all that a person reads; a line of messages that holds such text applies [`one_line`].

use std::borrow::Cow;

use crate::secrets::without_passwords;

/// How a line goes on that came from outside: no `error:` or `hint:` of theirs stands at the beginning of a line.
const CONTINUED: &str = "\n  | ";

/// The text without what draws on a terminal or hides: each such character as an escape, `\u{1b}`. Line breaks and tabs stay. No address
/// in it has a password.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| !matches!(c, '\n' | '\t') && hides(c))
}

/// The same in one line: line breaks and tabs are escapes as well.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, hides)
}

/// The same as a part of a message that may have several lines: those after the first are marked.
pub fn continued(text: &str) -> String {
    printable(text.trim_end()).replace('\n', CONTINUED)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    let text = without_passwords(text);
    if !text.contains(&is_escaped) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.into()
}

/// Control characters (C0, C1), separators of lines and paragraphs, and what formats without being seen: marks and embeddings of
/// direction, characters without width, byte order marks, tags.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_draws_hides_or_turns_is_an_escape_and_the_rest_stays() {
        assert_eq!(printable("a\u{1b}[2J\u{9b}2J\r\u{7}b"), "a\\u{1b}[2J\\u{9b}2J\\r\\u{7}b");
        assert_eq!(printable("x\u{202e}y\u{200b}z\u{2028}\u{feff}"), "x\\u{202e}y\\u{200b}z\\u{2028}\\u{feff}");
        assert_eq!(printable("two\nlines\tand é 模型"), "two\nlines\tand é 模型");
        assert_eq!(one_line("nothing\nhint: run"), "nothing\\nhint: run");
        assert_eq!(one_line("at http://a:b@c\u{1b}"), "at http://***@c\\u{1b}");
        assert_eq!(continued("nothing\nhint: run\n"), "nothing\n  | hint: run");
    }

    proptest! {
        #[test]
        fn no_text_moves_a_cursor_or_begins_a_line_of_ours(text in any::<String>()) {
            prop_assert!(!one_line(&text).chars().any(hides));
            prop_assert!(!printable(&text).chars().any(|c| hides(c) && c != '\n' && c != '\t'));
            prop_assert!(continued(&text).split('\n').skip(1).all(|line| line.starts_with("  | ")));
        }
    }
}
