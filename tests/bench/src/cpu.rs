//! Which process used the cores: the kernel's own account of this process and its children, by program.

use std::collections::BTreeMap;
use std::fs;
use std::process;
use std::time::Duration;

/// The unit of the account: the kernel's `USER_HZ`, a hundred a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// CPU time by program. Ours is under an empty name.
pub type Account = BTreeMap<String, Duration>;

/// What was used until now; empty where the system does not tell.
pub fn until_now() -> Account {
    let us = process::id();
    let mut account = Account::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for found in processes {
        let Ok(stat) = fs::read_to_string(found.path().join("stat")) else { continue };
        let Some(used) = Used::parse(&stat) else { continue };
        let ours = found.file_name().to_str() == Some(us.to_string().as_str());
        if ours || used.parent == us {
            let name = if ours { String::new() } else { used.program.to_owned() };
            *account.entry(name).or_default() += TICK * used.ticks;
        }
    }
    account
}

/// What was used since an earlier account.
pub fn since(before: &Account) -> Account {
    let mut account = until_now();
    for (name, used) in &mut account {
        *used = used.saturating_sub(before.get(name).copied().unwrap_or_default());
    }
    account
}

struct Used<'a> {
    program: &'a str,
    parent: u32,
    ticks: u32,
}

impl<'a> Used<'a> {
    /// A line of `/proc/PID/stat`: the program stands in brackets and may hold anything, brackets included.
    fn parse(stat: &'a str) -> Option<Self> {
        let (before, rest) = stat.rsplit_once(") ")?;
        let (_, program) = before.split_once(" (")?;
        // Fields 4 (parent), 14 (user) and 15 (system) of proc(5); `rest` begins with field 3.
        let mut fields = rest.split(' ').skip(1);
        let parent = fields.next()?.parse().ok()?;
        let mut times = fields.skip(9);
        let mut next = || times.next()?.parse::<u32>().ok();
        let (user, system) = (next()?, next()?);
        Some(Self { program, parent, ticks: user.saturating_add(system) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_s_name_may_hold_anything() {
        let used = Used::parse("7 (a) R (b) S 3 7 7 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 1 0 9").unwrap();
        assert_eq!((used.program, used.parent, used.ticks), ("a) R (b", 3, 42));
        assert!(Used::parse("7 (a) S 3").is_none());
    }
}
