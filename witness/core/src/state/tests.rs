use std::fs;

use stele_durable::compare_and_swap::CasError;
use stele_durable::fault;
use stele_explain::{Exit, Explain};
use stele_spec::cosignature::UnixTime;

use super::*;
use crate::samples::{Log, witness_key, witness_of};

struct Place {
    home: tempfile::TempDir,
    log: Log,
}

impl Place {
    fn new() -> Self {
        let place = Self { home: tempfile::tempdir().unwrap(), log: Log::new("log.example/a", 1) };
        place.states().begin(&place.log.origin()).unwrap();
        place
    }

    fn states(&self) -> StateStore {
        StateStore::open(
            &self.home.path().join("state"),
            &self.home.path().join("marks"),
            witness_key().own(),
            |work| work(),
        )
        .unwrap()
    }

    /// As at a start.
    fn load(&self) -> Result<LogState, StateError> {
        let states = self.states();
        states.recover()?;
        states.load(&self.log.origin()).map(|(state, _)| state)
    }

    /// As somebody sees it who has no lock.
    fn look(&self) -> Result<LastCosigned, StateError> {
        self.states().view()?.look(&self.log.origin(), || ())
    }

    fn file(&self, folder: &str) -> PathBuf {
        self.home.path().join(folder).join(self.log.origin().digest().to_string())
    }

    fn cosigned(&self, size: u64, time: u64) -> Cosigned {
        let verified = self.log.trusted().verify(&self.log.signed(size)).unwrap();
        Cosigned::sign(&verified, &witness_key(), UnixTime::new(time).unwrap()).unwrap()
    }

    /// Of another history of the same log.
    fn forked(&self, size: u64, time: u64) -> Cosigned {
        let verified = self.log.trusted().verify(&Log::salted("log.example/a", 1, 1).signed(size)).unwrap();
        Cosigned::sign(&verified, &witness_key(), UnixTime::new(time).unwrap()).unwrap()
    }

    /// A change that has come to rest.
    fn advance(&self, size: u64, time: u64) {
        let states = self.states();
        states.recover().unwrap();
        let (mut state, _) = states.load(&self.log.origin()).unwrap();
        state.advance(&self.cosigned(size, time)).unwrap();
        state.settle_mark().unwrap();
        states.flush().unwrap();
    }

    fn size(&self) -> u64 {
        self.load().unwrap().record().unwrap().head().size
    }

    /// A fault rule on what records are written to, of this test alone.
    fn rule(&self, action: &str, op: &str, folder: &str, count: &str) -> String {
        format!("{action}:{op}:{}/{folder}/journal:{count}", self.home.path().display())
    }

    /// Anyone who puts back a whole folder puts back its journals; anyone who loses them, loses what they hold.
    fn lose_journals(&self, folder: &str) {
        for name in ["journal.0", "journal.1"] {
            fs::remove_file(self.home.path().join(folder).join(name)).unwrap();
        }
    }

    fn mark(&self) -> String {
        let name = self.log.origin().digest().to_string();
        String::from_utf8(self.states().marks.peek(&self.states().marks.view().unwrap(), &name).unwrap().unwrap())
            .unwrap()
    }
}

#[test]
fn s1_a_log_without_a_mark_is_refused_though_its_state_is_there() {
    let place = Place::new();
    fs::remove_file(place.file("marks")).unwrap();
    let error = place.load().unwrap_err();
    assert!(matches!(error, StateError::NoMark { .. }), "{error}");
    place.states().begin(&place.log.origin()).unwrap();
    place.advance(3, 10);
    fs::remove_file(place.file("marks")).unwrap();
    assert!(matches!(place.states().begin(&place.log.origin()), Err(StateError::NoMark { .. })));
}

#[test]
fn s2_a_deleted_state_is_refused_and_not_begun_anew() {
    let place = Place::new();
    place.advance(3, 10);
    fs::remove_file(place.file("state")).unwrap();
    let error = place.load().unwrap_err();
    assert!(matches!(error, StateError::Missing { marked: 3, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Inconsistent);
    assert!(error.hint().unwrap().contains("logs adopt"));
    assert!(matches!(place.states().begin(&place.log.origin()), Err(StateError::Missing { .. })));
    let never = Place::new();
    fs::remove_file(never.file("state")).unwrap();
    assert!(matches!(never.load(), Err(StateError::Missing { marked: 0, .. })));
}

#[test]
fn s3_a_restored_older_state_is_refused_even_if_it_is_the_one_before() {
    let place = Place::new();
    let begun = fs::read(place.file("state")).unwrap();
    place.advance(3, 10);
    let before = fs::read(place.file("state")).unwrap();
    place.advance(3, 20);
    for (copy, found) in [(begun, (0, 0)), (before, (3, 10))] {
        fs::write(place.file("state"), copy).unwrap();
        place.lose_journals("state");
        let error = place.load().unwrap_err();
        assert!(matches!(error, StateError::Older { found: f, marked: (3, 20), .. } if f == found), "{error}");
        let error = place.look().unwrap_err();
        assert!(matches!(error, StateError::Older { found: f, marked: (3, 20), .. } if f == found), "{error}");
    }
}

#[test]
fn a_journal_that_is_damaged_is_noticed_by_the_other_folder() {
    for (folder, marked) in [("state", true), ("marks", false)] {
        let place = Place::new();
        place.advance(3, 10);
        let mut state = place.load().unwrap();
        for (size, time) in [(5, 20), (7, 30)] {
            state.advance(&place.cosigned(size, time)).unwrap();
            state.settle_mark().unwrap();
        }
        drop(state);
        let journal = place.home.path().join(folder).join("journal.0");
        let mut bytes = fs::read(&journal).unwrap();
        bytes[300] ^= 1;
        fs::write(&journal, bytes).unwrap();
        match place.load().unwrap_err() {
            StateError::Older { found: (3, 10), marked: (7, 30), .. } => assert!(marked),
            StateError::Contradiction { found: (7, 30), marked: (3, 10), .. } => assert!(!marked),
            other => panic!("{folder}: {other}"),
        }
    }
}

#[test]
fn s4_a_restored_mark_or_a_foreign_state_is_refused() {
    let place = Place::new();
    place.advance(3, 10);
    let mark = fs::read(place.file("marks")).unwrap();
    place.advance(5, 20);
    fs::write(place.file("marks"), &mark).unwrap();
    assert_eq!(place.size(), 5, "its journal knows how it went on");
    fs::write(place.file("marks"), &mark).unwrap();
    place.lose_journals("marks");
    assert!(matches!(place.load(), Err(StateError::Contradiction { found: (5, 20), marked: (3, 10), .. })));
    fs::write(place.file("state"), b"rubbish").unwrap();
    assert!(matches!(place.load(), Err(StateError::Unreadable { .. })));
    fs::write(place.file("marks"), b"rubbish").unwrap();
    assert!(matches!(place.load(), Err(StateError::NotAMark { .. })));
}

#[test]
fn a_state_as_old_as_the_mark_with_another_tree_is_no_backup_but_a_contradiction() {
    let place = Place::new();
    place.advance(5, 20);
    fs::write(place.file("state"), place.forked(5, 20).to_bytes()).unwrap();
    place.lose_journals("state");
    assert!(matches!(place.load(), Err(StateError::Contradiction { found: (5, 20), marked: (5, 20), .. })));
}

#[test]
fn another_key_cannot_take_up_the_state() {
    let place = Place::new();
    place.advance(3, 10);
    let other = witness_of(8).own();
    let states =
        StateStore::open(&place.home.path().join("state"), &place.home.path().join("marks"), other, |work| work())
            .unwrap();
    let error = states.load(&place.log.origin()).unwrap_err();
    assert!(matches!(error, StateError::Unreadable { reason: RecordError::NotOurs, .. }), "{error}");
}

#[test]
fn a_state_that_somebody_changes_under_us_stops_the_log_for_good() {
    let place = Place::new();
    let states = place.states();
    states.recover().unwrap();
    let (mut state, _) = states.load(&place.log.origin()).unwrap();
    state.advance(&place.cosigned(3, 10)).unwrap();
    states.flush().unwrap();
    let before = fs::read(place.file("state")).unwrap();
    state.advance(&place.cosigned(5, 20)).unwrap();
    states.flush().unwrap();
    let now = fs::read(place.file("state")).unwrap();
    fs::write(place.file("state"), before).unwrap();
    assert!(matches!(state.advance(&place.cosigned(7, 30)), Err(StateError::Swap(CasError::Conflict { .. }))));
    fs::write(place.file("state"), now).unwrap();
    assert!(matches!(state.advance(&place.cosigned(7, 30)), Err(StateError::Stopped { .. })));
    assert!(matches!(state.check(), Err(StateError::Stopped { .. })));
}

#[test]
fn after_each_failed_step_nothing_is_lost_and_the_next_start_goes_on() {
    for folder in ["marks", "state"] {
        for action in ["fail", "full", "fail-persisted"] {
            for op in ["write", "sync"] {
                let place = Place::new();
                let mut state = place.load().unwrap();
                state.advance(&place.cosigned(3, 10)).unwrap();
                let armed = fault::arm(&place.rule(action, op, folder, "1+")).unwrap();
                let failed = state.advance(&place.cosigned(5, 20)).is_err();
                let _ = state.settle_mark();
                drop(armed);
                drop(state);
                let what = format!("{action} {op} {folder}");
                let size = place.load().unwrap_or_else(|error| panic!("{what}: {error}")).record().unwrap().head().size;
                assert!(size == 3 || size == 5, "{what}: {size}");
                assert!(failed || size == 5, "{what}: answered, but not there");
                place.advance(7, 30);
            }
        }
    }
}

#[test]
fn a_full_disk_passes_without_a_restart_and_a_failed_sync_does_not() {
    let place = Place::new();
    let mut state = place.load().unwrap();
    let armed = fault::arm(&place.rule("full", "write", "state", "1+")).unwrap();
    assert!(state.advance(&place.cosigned(3, 10)).is_err());
    assert!(state.record().is_err(), "still full");
    drop(armed);
    // The change that was begun is finished: it was signed, though not answered.
    assert_eq!(state.record().unwrap().head().size, 3);
    state.advance(&place.cosigned(5, 20)).unwrap();
    let armed = fault::arm(&place.rule("fail", "sync", "state", "1")).unwrap();
    assert!(state.advance(&place.cosigned(7, 30)).is_err());
    drop(armed);
    assert!(matches!(state.advance(&place.cosigned(7, 30)), Err(StateError::Stopped { .. })));
    assert_eq!(place.size(), 7);
}

#[test]
fn a_start_without_room_to_finish_a_change_serves_what_was_cosigned_and_signs_nothing_before_it_is_finished() {
    let place = Place::new();
    place.advance(3, 10);
    let full = || fault::arm(&place.rule("full", "write", "state", "1+")).unwrap();
    let mut state = place.load().unwrap();
    let armed = full();
    assert!(state.advance(&place.cosigned(5, 20)).is_err());
    drop((armed, state));

    let armed = full();
    let states = place.states();
    states.recover().unwrap();
    let (mut state, cosigned) = states.load(&place.log.origin()).unwrap();
    assert_eq!(cosigned.head().size, 5, "it was signed, though not answered");
    assert!(state.advance(&place.cosigned(7, 30)).is_err());
    drop(armed);
    state.advance(&place.cosigned(7, 30)).unwrap();
    drop((state, states));
    assert_eq!(place.size(), 7);
}

#[test]
fn within_the_second_before_the_mark_settles_a_restored_state_is_replaced_by_the_marks_newer_record() {
    let place = Place::new();
    place.advance(3, 10);
    let before = fs::read(place.file("state")).unwrap();
    place.load().unwrap().advance(&place.cosigned(5, 20)).unwrap();
    fs::write(place.file("state"), before).unwrap();
    assert_eq!(place.size(), 5, "never back to 3");
    let mark = place.mark();
    assert!(mark.contains("\nsettled\n"), "{mark}");
}

#[test]
fn a_change_goes_on_top_of_a_mark_that_has_not_settled_and_settling_twice_is_nothing() {
    let place = Place::new();
    let mut state = place.load().unwrap();
    for (size, time) in [(3, 10), (5, 20), (7, 30)] {
        state.advance(&place.cosigned(size, time)).unwrap();
    }
    state.settle_mark().unwrap();
    state.settle_mark().unwrap();
    state.advance(&place.cosigned(9, 40)).unwrap();
    let armed = fault::arm(&place.rule("fail", "write", "marks", "1+")).unwrap();
    assert!(state.settle_mark().is_err());
    assert!(state.record().is_err(), "nothing is signed before the files were read again");
    drop(armed);
    assert_eq!(state.record().unwrap().head().size, 9);
    state.advance(&place.cosigned(11, 50)).unwrap();
    drop(state);
    assert_eq!(place.size(), 11);
}

#[test]
fn an_interrupted_change_is_finished_but_not_on_top_of_another_state() {
    let place = Place::new();
    let begun = fs::read(place.file("state")).unwrap();
    let states = place.states();
    states.recover().unwrap();
    let (mut state, _) = states.load(&place.log.origin()).unwrap();
    state.advance(&place.cosigned(3, 10)).unwrap();
    states.flush().unwrap();
    let armed = fault::arm(&place.rule("fail", "write", "state", "1+")).unwrap();
    assert!(state.advance(&place.cosigned(5, 20)).is_err());
    drop((state, states, armed));
    assert!(place.mark().contains("\nintent\n"));
    let before = fs::read(place.file("state")).unwrap();
    fs::write(place.file("state"), &begun).unwrap();
    place.lose_journals("state");
    assert!(matches!(place.load(), Err(StateError::Older { .. })));
    fs::write(place.file("state"), before).unwrap();
    assert_eq!(place.size(), 5);
    assert!(place.mark().contains("\nsettled\n"));
}

#[test]
fn the_way_out_adopts_our_own_newest_cosignature_and_nothing_older() {
    let place = Place::new();
    place.advance(3, 10);
    place.advance(5, 20);
    fs::remove_file(place.file("state")).unwrap();
    for (size, time) in [(3, 10), (3, 30), (5, 10), (7, 10)] {
        let error = place.states().adopt(&place.cosigned(size, time)).unwrap_err();
        assert!(matches!(error, StateError::AdoptsOlder { known: (5, 20), .. }), "{size} {time} {error}");
    }
    // As large, later, and of another history.
    let error = place.states().adopt(&place.forked(5, 30)).unwrap_err();
    assert!(matches!(error, StateError::AdoptsOlder { offered: (5, 30), known: (5, 20), .. }), "{error}");
    let (log, own) = (place.log.trusted(), witness_key().own());
    let marked = read_adoptable(&place.file("marks"), &log, &own).unwrap();
    place.states().adopt(&marked).unwrap();
    assert_eq!(place.size(), 5);
    let published = place.home.path().join("checkpoint");
    fs::write(&published, place.cosigned(9, 40).to_bytes()).unwrap();
    place.states().adopt(&read_adoptable(&published, &log, &own).unwrap()).unwrap();
    assert_eq!(place.size(), 9);
    fs::write(&published, place.log.signed(9).to_bytes()).unwrap();
    assert!(matches!(read_adoptable(&published, &log, &own), Err(StateError::Unreadable { .. })));
}
