//! One file that is not as it should be: where it is, what is wrong with it, and what gives it back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most findings that are kept and told one by one; the others are counted.
const MOST: usize = 1000;

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It is there, and is not what it should be.
    Damaged,
    /// It has more than the newest signed tree head here.
    Beyond,
}

/// What gives the file back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// It follows from entries that lead to the signed root: `--repair` puts it back.
    Entries,
    /// A staged object has it: the next start, or `--repair`, puts it back.
    Staged,
    /// Nothing rests on it any more: `--repair` removes it.
    Remove,
    /// It is derived: `--repair` makes it again.
    Derived,
    /// The next start makes it again with the witnesses.
    Start,
    /// Only a copy of the log has it.
    Copy,
    /// Only its publisher or a copy has it, and the log goes on without it.
    Publisher,
    /// Only a person can tell.
    Person,
}

/// One file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where it is, below the data folder.
    pub path: String,
    /// What is wrong with it.
    pub problem: Problem,
    /// What gives it back.
    pub remedy: Remedy,
    /// More of what is wrong.
    pub found: String,
    /// Whether it was put back now.
    #[serde(default)]
    pub repaired: bool,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    list: Vec<Finding>,
    /// How many more there are, not listed.
    more: u64,
}

impl Problem {
    fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
            Self::Beyond => "beyond",
        }
    }
}

impl Remedy {
    /// Whether this program can give the file back.
    pub fn is_repair(self) -> bool {
        matches!(self, Self::Entries | Self::Staged | Self::Remove | Self::Derived)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Staged => "staged",
            Self::Remove => "remove",
            Self::Derived => "derived",
            Self::Start => "start",
            Self::Copy => "copy",
            Self::Publisher => "publisher",
            Self::Person => "person",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Entries => "it follows from the entries: --repair puts it back",
            Self::Staged => "a staged object has it: the next start puts it back, or --repair",
            Self::Remove => "nothing rests on it any more: --repair removes it",
            Self::Derived => "it is derived: --repair makes it again, or the next start",
            Self::Start => "the next start has the witnesses cosign the signed tree head again",
            Self::Copy => "only a copy has it: `stele-log adopt DIR --from FOLDER-OR-URL`",
            Self::Publisher => {
                "only a copy or its publisher has it: copy it from a mirror, or have the release sent again"
            }
            Self::Person => "look at it before anything else is done",
        }
    }
}

impl Finding {
    /// A finding.
    pub fn new(path: impl Into<String>, problem: Problem, remedy: Remedy, found: impl Into<String>) -> Self {
        Self { path: path.into(), problem, remedy, found: found.into(), repaired: false }
    }

    /// Whether a start gives the file back by itself, or goes on without it.
    pub fn is_harmless(&self) -> bool {
        match self.remedy {
            Remedy::Staged | Remedy::Start | Remedy::Derived | Remedy::Publisher => true,
            // A start puts back what is missing, and refuses what differs.
            Remedy::Entries => self.problem == Problem::Missing,
            Remedy::Remove | Remedy::Copy | Remedy::Person => false,
        }
    }

    /// For a person: what, where, and what gives it back.
    pub fn line(&self) -> String {
        let found = if self.found.is_empty() { String::new() } else { format!(" ({})", self.found) };
        let then = if self.repaired { "repaired" } else { self.remedy.hint() };
        format!("{} {}{found}: {then}", self.problem.word(), self.path)
    }

    fn json(&self) -> Value {
        json!({
            "path": self.path, "problem": self.problem.word(), "found": self.found, "remedy": self.remedy.word(),
            "repaired": self.repaired,
        })
    }
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, finding: Finding) {
        if self.list.len() < MOST {
            self.list.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Those that are listed.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self) -> &mut [Finding] {
        &mut self.list
    }

    /// How many more there are.
    pub fn more(&self) -> u64 {
        self.more
    }

    /// How many are listed and were repaired.
    pub fn repaired(&self) -> usize {
        self.list.iter().filter(|finding| finding.repaired).count()
    }

    /// How many are left that this program can give back.
    pub fn repairable(&self) -> usize {
        self.left().filter(|finding| finding.remedy.is_repair()).count()
    }

    /// How many are left that it cannot.
    pub fn lost(&self) -> usize {
        self.left().filter(|finding| !finding.remedy.is_repair()).count()
    }

    /// Those that were not repaired.
    pub fn left(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter().filter(|finding| !finding.repaired)
    }

    /// Adds all of another list.
    pub fn append(&mut self, other: Self) {
        self.more += other.more;
        other.list.into_iter().for_each(|finding| self.add(finding));
    }

    /// Those with a remedy were repaired.
    pub fn mark_repaired(&mut self, remedy: Remedy) {
        self.list.iter_mut().filter(|finding| finding.remedy == remedy).for_each(|finding| finding.repaired = true);
    }

    /// What had a repair has none: it is not certain which files are right.
    pub fn doubt(&mut self) {
        for finding in self.list.iter_mut().filter(|finding| finding.remedy == Remedy::Entries) {
            finding.remedy = Remedy::Copy;
        }
    }

    /// A line each.
    pub fn text(&self) -> String {
        let mut text: String = self.list.iter().map(|finding| format!("{}\n", finding.line())).collect();
        if self.more > 0 {
            text += &format!("{} more; run it again once these are mended\n", self.more);
        }
        text
    }

    /// An object each.
    pub fn json(&self) -> Value {
        self.list.iter().map(Finding::json).collect()
    }
}
