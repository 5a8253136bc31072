//! What is asked of a kind of server: a row for each thing, with the section of the document that asks for it.

/// How strongly a document asks (RFC 2119), or that it leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A deviation is a violation.
    Must,
    /// A deviation needs a reason.
    Should,
    /// The document leaves it open; what is expected is what most servers do.
    May,
}

impl Level {
    /// As a document writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

/// One thing that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: &'static str,
    /// How strongly.
    pub level: Level,
    /// The section of the table's document, or of the one that is named.
    pub section: &'static str,
    /// What is sent.
    pub when: &'static str,
    /// What is to come back.
    pub expected: &'static str,
}

impl Row {
    /// A row.
    pub const fn new(
        id: &'static str,
        level: Level,
        section: &'static str,
        when: &'static str,
        expected: &'static str,
    ) -> Self {
        Self { id, level, section, when, expected }
    }
}

/// What one document asks of a kind of server.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// What the server is: `witness`.
    pub subject: &'static str,
    /// The document.
    pub document: &'static str,
    /// Every row, in the order of a report.
    pub rows: &'static [Row],
}

impl Table {
    /// A table. One with two rows of one name does not compile.
    pub const fn new(subject: &'static str, document: &'static str, rows: &'static [Row]) -> Self {
        let mut rest = rows;
        while let [first, others @ ..] = rest {
            let mut after = others;
            while let [other, more @ ..] = after {
                assert!(!is_same(first.id, other.id), "two rows have one name");
                after = more;
            }
            rest = others;
        }
        Self { subject, document, rows }
    }

    /// The row with an ID.
    pub fn find(&self, id: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Puts IDs in the order of the rows.
    pub fn sort(&self, ids: &mut [&'static str]) {
        ids.sort_by_key(|id| self.rows.iter().position(|row| row.id == *id));
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([first, rest @ ..], [second, others @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "two rows have one name")]
    fn no_two_rows_have_one_name() {
        const ROW: Row = Row::new("A1", Level::Must, "Opening", "it is knocked", "opened");
        const ROWS: &[Row] = &[ROW, Row { id: "A1b", ..ROW }, ROW];
        Table::new("door", "a document", ROWS);
    }
}
