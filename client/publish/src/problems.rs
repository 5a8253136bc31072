//! Everything that keeps a statement from being sent, told at once: whoever mends one thing at a time sends the last but one.

use stele_explain::{Exit, Explain, Failure};

/// Problems, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Problems(Vec<Failure>);

impl Problems {
    /// What came of a step; none where it failed, and the problem is kept.
    pub fn keep<T>(&mut self, outcome: Result<T, impl Into<Failure>>) -> Option<T> {
        outcome.map_err(|error| self.0.push(error.into())).ok()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a log was not reached: nothing more is asked of it.
    pub fn has_unavailable(&self) -> bool {
        self.0.iter().any(|problem| problem.as_explain().exit() == Exit::Unavailable)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.0.iter()
    }

    /// Nothing, or the one problem, or all as one.
    pub fn check(self) -> Result<(), Failure> {
        let mut found = self.0;
        match (found.pop(), found.is_empty()) {
            (None, _) => Ok(()),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                found.push(last);
                Err(SeveralProblems(found).into())
            }
        }
    }
}

/// Several problems. Code and exit code are those of the first, unless a log contradicts itself.
#[derive(Debug, thiserror::Error)]
#[error("{} problems: nothing has been sent", .0.len())]
pub struct SeveralProblems(Vec<Failure>);

impl SeveralProblems {
    fn gravest(&self) -> Option<&Failure> {
        let inconsistent = self.0.iter().find(|problem| problem.as_explain().exit() == Exit::Inconsistent);
        inconsistent.or(self.0.first())
    }

    /// Each.
    pub fn all(&self) -> &[Failure] {
        &self.0
    }
}

impl Explain for SeveralProblems {
    fn exit(&self) -> Exit {
        self.gravest().map_or(Exit::BadInput, |problem| problem.as_explain().exit())
    }

    fn code(&self) -> &'static str {
        self.gravest().map_or("form-invalid", |problem| problem.as_explain().code())
    }

    fn hint(&self) -> Option<String> {
        Some("mend all of them; --dry-run looks again and sends nothing".to_owned())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        for problem in self.0.iter().map(Failure::as_explain) {
            let cause = problem.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            facts.push(("problem", format!("{problem}{cause} ({})", problem.code())));
            facts.extend(problem.facts());
            facts.extend(problem.hint().map(|hint| ("do", hint)));
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FileError;

    fn missing(path: &str) -> FileError {
        FileError::Missing { path: path.into(), what: "a form" }
    }

    #[test]
    fn one_problem_is_itself_and_several_are_told_with_what_to_do_about_each() {
        assert!(Problems::default().check().is_ok());
        let mut problems = Problems::default();
        assert_eq!(problems.keep(Ok::<_, FileError>(7)), Some(7));
        assert_eq!(problems.keep(Err::<(), _>(missing("a.toml"))), None);
        assert!(!problems.is_empty());
        assert_eq!(problems.iter().count(), 1);
        problems.keep(Err::<(), _>(missing("b.toml")));
        let all = problems.check().unwrap_err();
        assert_eq!((all.as_explain().code(), all.as_explain().exit()), ("file-missing", Exit::BadInput));
        let facts = all.as_explain().facts();
        let of = |name: &str| facts.iter().filter(|(known, _)| *known == name).count();
        assert_eq!((of("problem"), of("do"), of("expected")), (2, 2, 2));

        let mut one = Problems::default();
        one.keep(Err::<(), _>(missing("a.toml")));
        assert!(one.check().unwrap_err().as_explain().to_string().contains("a.toml"));
    }
}
