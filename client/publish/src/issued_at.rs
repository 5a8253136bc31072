//! When a statement is issued: this machine's time, which stays in the log for ever. So it is held against the time that witnesses gave the
//! newest tree head.

use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_spec::cosignature::UnixTime;
use stele_spec::statement::Timestamp;

/// How far this machine may be behind the cosignatures: clocks of machines that are set by a server differ by far less.
const BEHIND: u64 = 10 * 60;

/// How far it may be ahead of them. A log that runs has its newest tree head cosigned again every few minutes; one that was stopped over
/// night may still be written to.
const AHEAD: u64 = 24 * 60 * 60;

/// The time of this machine.
pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(SystemClock.unix_seconds()).unwrap_or(Timestamp::MAX)
}

/// Refuses to go on where the log's newest tree head contradicts this machine's clock. Where it has no such head yet, or none that can be
/// believed, the questions that follow say why.
pub fn check_clock(record: &ProvenEntries<'_>) -> Result<(), Failure> {
    match record.newest_time()? {
        Some(cosigned) => Ok(clock_fits(now(), cosigned)?),
        None => Ok(()),
    }
}

/// Refuses a time that somebody wrote, or that was kept from long ago, for what is to be said now: readers are told it as the day on which it was said.
pub fn check_near(issued_at: Timestamp, now: Timestamp) -> Result<(), IssuedElsewhen> {
    match issued_at.unix_seconds().abs_diff(now.unix_seconds()) {
        ..=AHEAD => Ok(()),
        _ => Err(IssuedElsewhen { issued_at, now }),
    }
}

/// A statement would be dated on another day than that on which it is said.
#[derive(Debug, thiserror::Error)]
#[error("issued_at is not the time at which this is said, and readers are told it as that, for ever")]
pub struct IssuedElsewhen {
    issued_at: Timestamp,
    now: Timestamp,
}

impl Explain for IssuedElsewhen {
    explain! {
        Self { issued_at, now } => Exit::BadInput, "issued-elsewhen",
            hint: "remove the line issued_at: the time is written in when it is sent. The days of what happened have fields of their own; nothing has been sent",
            facts: vec![("expected", format!("a time within a day of {now}")), ("found", issued_at.to_string())];
    }
}

/// Whether this machine's time can be that of the newest tree head.
fn clock_fits(machine: Timestamp, cosigned: UnixTime) -> Result<(), ClockDiffers> {
    let (ours, theirs) = (machine.unix_seconds(), cosigned.seconds());
    if ours.saturating_add(BEHIND) >= theirs && ours <= theirs.saturating_add(AHEAD) {
        return Ok(());
    }
    let cosigned = Timestamp::from_unix_seconds(theirs).unwrap_or(Timestamp::MAX);
    Err(ClockDiffers { machine, cosigned })
}

/// This machine's clock and the witnesses' differ: nothing is signed with its time.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine's clock does not fit the log's newest tree head: what is signed now would have a wrong time for ever"
)]
pub struct ClockDiffers {
    machine: Timestamp,
    cosigned: Timestamp,
}

impl Explain for ClockDiffers {
    explain! {
        Self { machine, cosigned } => Exit::Refused, "clock-differs",
            hint: match machine < cosigned {
                true => "set this machine's clock; nothing has been signed",
                false => "set this machine's clock; if it is right, the log has not had a tree head cosigned for more than a day: ask its operator",
            },
            facts: vec![
                ("expected", format!("a time near {cosigned}, when witnesses cosigned the tree head")),
                ("found", machine.to_string()),
            ];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_minutes_behind_the_witnesses_and_a_day_ahead() {
        let theirs = 1_700_000_000;
        let fits =
            |ours| clock_fits(Timestamp::from_unix_seconds(ours).unwrap(), UnixTime::new(theirs).unwrap()).is_ok();
        assert!(fits(theirs) && fits(theirs - BEHIND) && fits(theirs + AHEAD));
        assert!(!fits(0) && !fits(theirs - BEHIND - 1) && !fits(theirs + AHEAD + 1));
        assert!(!fits(Timestamp::MAX.unix_seconds()));
    }

    #[test]
    fn what_is_said_now_is_not_dated_on_another_day() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        let now = 1_700_000_000;
        for near in [now, now - AHEAD, now + AHEAD] {
            assert!(check_near(at(near), at(now)).is_ok(), "{near}");
        }
        for far in [0, now - AHEAD - 1, now + AHEAD + 1, Timestamp::MAX.unix_seconds()] {
            assert_eq!(check_near(at(far), at(now)).unwrap_err().code(), "issued-elsewhen", "{far}");
        }
    }
}
