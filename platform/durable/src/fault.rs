//! Faults on demand: makes the machine fail at a chosen step, for tests.
//!
//! Compiled in only with `debug_assertions` or the feature `faults`; in a plain release build a step is the system
//! call itself and the environment variable is not read.
//!
//! `STELE_FAULT` holds rules separated by `;`, each `ACTION:OPERATION:PATH:COUNT`:
//!
//! | part | values |
//! |---|---|
//! | `ACTION` | `fail` (EIO, the operation is not carried out), `full` (ENOSPC, not carried out), `fail-persisted` (carried out, then EIO), `kill` (SIGKILL to ourselves before it), `kill-after` (after it) |
//! | `OPERATION` | a name of [`Op`]: `open`, `create`, `write`, `sync`, `link`, `rename`, `unlink`, `mkdir`, `sync-dir`, `sync-fs`, `read`, `list`; or `*` |
//! | `PATH` | a part of the path of the *target* (a temporary file goes by the name it will get); empty matches all |
//! | `COUNT` | `3`: the third match only; `3+`: the third and every later one |
//!
//! So `fail:rename:lock/signed-head:3` fails the third time the signed head is replaced. A rule that cannot be read ends
//! the process: a fault test that tests nothing would be worse.

#[cfg(any(test, debug_assertions, feature = "faults"))]
pub use live::{Armed, BadRule, arm};

use crate::op::Op;
use std::io;
use std::path::Path;

/// Carries out `call`, unless a rule matches this operation on this path.
#[cfg(any(test, debug_assertions, feature = "faults"))]
pub(crate) fn around<T>(op: Op, path: &Path, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    use live::Action;
    match live::matching(op, path) {
        None => call(),
        Some(Action::Fail) => Err(io::Error::from_raw_os_error(live::EIO)),
        Some(Action::Full) => Err(io::Error::from_raw_os_error(live::ENOSPC)),
        Some(Action::FailPersisted) => call().and_then(|_| Err(io::Error::from_raw_os_error(live::EIO))),
        Some(Action::Kill) => live::die(),
        Some(Action::KillAfter) => call().and_then(|_| live::die()),
    }
}

/// Carries out `call`: this build has no faults.
#[cfg(not(any(test, debug_assertions, feature = "faults")))]
#[inline(always)]
pub(crate) fn around<T>(_: Op, _: &Path, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    call()
}

#[cfg(any(test, debug_assertions, feature = "faults"))]
mod live {
    use super::{Op, Path};
    use rustix::io::Errno;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};

    pub(super) const EIO: i32 = Errno::IO.raw_os_error();
    pub(super) const ENOSPC: i32 = Errno::NOSPC.raw_os_error();

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Action {
        Fail,
        Full,
        FailPersisted,
        Kill,
        KillAfter,
    }

    #[derive(Debug)]
    struct Rule {
        id: u64,
        action: Action,
        op: Option<Op>,
        path: String,
        from: u64,
        once: bool,
        seen: u64,
    }

    /// A rule of `STELE_FAULT` or of [`arm`] that says nothing.
    #[derive(Debug, PartialEq, Eq, thiserror::Error)]
    #[error("fault rule {0:?} is not ACTION:OPERATION:PATH:COUNT")]
    pub struct BadRule(String);

    /// A rule in force in this process until this value is dropped.
    #[derive(Debug)]
    #[must_use = "the rule is taken away when this is dropped"]
    pub struct Armed(u64);

    /// Puts one rule in force for this process, for tests that run inside it.
    ///
    /// Tests share the process: name a path that only the own test uses.
    pub fn arm(rule: &str) -> Result<Armed, BadRule> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let rule = parse(rule, id)?;
        rules().lock().unwrap_or_else(PoisonError::into_inner).push(rule);
        Ok(Armed(id))
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            rules().lock().unwrap_or_else(PoisonError::into_inner).retain(|rule| rule.id != self.0);
        }
    }

    pub(super) fn matching(op: Op, path: &Path) -> Option<Action> {
        let mut rules = rules().lock().unwrap_or_else(PoisonError::into_inner);
        if rules.is_empty() {
            return None;
        }
        let path = path.to_string_lossy();
        rules.iter_mut().filter(|rule| rule.op.is_none_or(|o| o == op) && path.contains(&rule.path)).fold(
            None,
            |chosen, rule| {
                rule.seen += 1;
                let hit = if rule.once { rule.seen == rule.from } else { rule.seen >= rule.from };
                chosen.or(hit.then_some(rule.action))
            },
        )
    }

    pub(super) fn die() -> ! {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort()
    }

    fn rules() -> &'static Mutex<Vec<Rule>> {
        static RULES: OnceLock<Mutex<Vec<Rule>>> = OnceLock::new();
        RULES.get_or_init(|| {
            let text = std::env::var("STELE_FAULT").unwrap_or_default();
            let parsed: Result<Vec<Rule>, BadRule> =
                text.split(';').filter(|rule| !rule.is_empty()).map(|rule| parse(rule, 0)).collect();
            match parsed {
                Ok(rules) => Mutex::new(rules),
                Err(bad) => {
                    eprintln!("STELE_FAULT: {bad}");
                    std::process::exit(stele_explain::Exit::Usage.number().into())
                }
            }
        })
    }

    fn parse(text: &str, id: u64) -> Result<Rule, BadRule> {
        let bad = || BadRule(text.to_owned());
        let (action, rest) = text.split_once(':').ok_or_else(bad)?;
        let (op, rest) = rest.split_once(':').ok_or_else(bad)?;
        let (path, count) = rest.rsplit_once(':').ok_or_else(bad)?;
        let action = match action {
            "fail" => Action::Fail,
            "full" => Action::Full,
            "fail-persisted" => Action::FailPersisted,
            "kill" => Action::Kill,
            "kill-after" => Action::KillAfter,
            _ => return Err(bad()),
        };
        let op = match op {
            "*" => None,
            name => Some(Op::ALL.into_iter().find(|op| op.name() == name).ok_or_else(bad)?),
        };
        let (count, once) = count.strip_suffix('+').map_or((count, true), |count| (count, false));
        let from = count.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
        Ok(Rule { id, action, op, path: path.to_owned(), from, once, seen: 0 })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_rule_that_says_nothing_is_refused() {
            for text in [
                "",
                "fail",
                "fail:rename",
                "fail:rename:x",
                "fail:rename:x:0",
                "fail:rename:x:",
                "fail:fly:x:1",
                "burn:rename:x:1",
            ] {
                assert_eq!(parse(text, 0).unwrap_err(), BadRule(text.to_owned()), "{text}");
            }
        }

        #[test]
        fn a_rule_counts_only_its_own_operation_and_path() {
            let _armed = arm("fail:rename:only-here-7f/head:2").unwrap();
            let here = Path::new("/x/only-here-7f/head");
            assert_eq!(matching(Op::Rename, here), None);
            assert_eq!(matching(Op::Sync, here), None);
            assert_eq!(matching(Op::Rename, Path::new("/x/elsewhere")), None);
            assert_eq!(matching(Op::Rename, here), Some(Action::Fail));
            assert_eq!(matching(Op::Rename, here), None);
        }

        #[test]
        fn a_rule_with_plus_goes_on_until_it_is_dropped() {
            let here = Path::new("/only-here-8e");
            let armed = arm("full:*:only-here-8e:2+").unwrap();
            assert_eq!(matching(Op::Write, here), None);
            assert_eq!(matching(Op::Write, here), Some(Action::Full));
            assert_eq!(matching(Op::Sync, here), Some(Action::Full));
            drop(armed);
            assert_eq!(matching(Op::Sync, here), None);
        }
    }
}
