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
    /// The row with an ID.
    pub fn find(&self, id: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Puts IDs in the order of the rows.
    pub fn sort(&self, ids: &mut [&'static str]) {
        ids.sort_by_key(|id| self.rows.iter().position(|row| row.id == *id));
    }
}
