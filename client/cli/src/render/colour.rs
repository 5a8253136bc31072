//! Colour on a terminal: one word of the verdict, where the reader can have it and did not ask for none.

use std::io::IsTerminal as _;

use stele_log_client::judgement::Word;

/// Whether standard output is a terminal that takes colour, and `NO_COLOR` (no-color.org) is not set.
pub(crate) fn is_wanted() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !no_color && !is_dumb && std::io::stdout().is_terminal()
}

/// A word in bold and the colour of its verdict, by ECMA-48.
pub(crate) fn painted(word: Word, text: &str) -> String {
    let colour = match word {
        Word::Verified => 32,
        Word::RecordOnly | Word::Incomplete | Word::Unproven | Word::Unanswered => 33,
        Word::Differs | Word::Unusable | Word::Conflicting | Word::Withdrawn | Word::Unrecorded => 31,
    };
    format!("\u{1b}[1;{colour}m{text}\u{1b}[0m")
}
