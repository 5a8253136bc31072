//! What a log has about a name, by its index, and else by its lookups.

use std::collections::{BTreeMap, BTreeSet};

use stele_explain::Failure;
use stele_spec::index::{Kind, Subject};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::statement::Statement;

use super::LogView;
use crate::release_status::{ReleaseStatus, Source};
use crate::statements::{Lack, MAX_STATEMENTS, ProvenStatement, StatementList, StatementSource};

/// The most coordinates below one name about which others are asked.
const MAX_COORDINATES: usize = 256;

impl StatementSource for LogView<'_> {
    fn head(&self) -> &TrustedCheckpoint {
        self.tree.head()
    }

    fn about(&self, coordinate: &Coordinate) -> Result<StatementList, Failure> {
        self.recall(coordinate);
        let subjects = [Subject::release(coordinate), Subject::about_release(coordinate)];
        let [own, others] = &subjects;
        let own_list = self.indexed(own, MAX_STATEMENTS)?;
        if let Ok(list) = &own_list {
            self.own_lists.borrow_mut().insert(coordinate.to_string(), list.clone());
            // Judged by the keys of the publisher alone: what strangers say may take longer than anybody waits.
            self.keys(&coordinate.publisher)?;
        }
        let listing = match (own_list, self.indexed(others, MAX_STATEMENTS)?) {
            (Ok(own), Ok(others)) => own.with(others),
            (Err(lack), _) | (_, Err(lack)) => {
                self.listed("coordinate?name=", &coordinate.to_string(), MAX_STATEMENTS, lack)?
            }
        };
        self.with_proven_before(&subjects, listing)
    }

    fn keys(&self, publisher: &Publisher) -> Result<StatementList, Failure> {
        if let Some(known) = self.known_keys.borrow().get(publisher) {
            return Ok(known.clone());
        }
        let subject = Subject::publisher(publisher);
        let known = self.id.map(|id| self.local_state.key_statements(id, publisher, self.policy)).unwrap_or_default();
        self.proven_before.borrow_mut().extend(known.into_iter().map(|logged| (logged.position(), logged)));
        let listing = match self.indexed(&subject, MAX_STATEMENTS)? {
            Ok(listing) => listing,
            Err(lack) => self.listed("keys?name=", publisher.as_str(), MAX_STATEMENTS, lack)?,
        };
        let listing = self.with_proven_before(&[subject], listing)?;
        if let Some(id) = self.id {
            self.local_state.keep_keys(id, publisher, self.policy, &listing.statements)?;
        }
        self.known_keys.borrow_mut().insert(publisher.clone(), listing.clone());
        Ok(listing)
    }

    fn under(&self, name: &str) -> Result<StatementList, Failure> {
        let lack = match Subject::read(Kind::Under, name) {
            Ok(subject) => match self.indexed(&subject, MAX_STATEMENTS)? {
                Ok(listing) => return Ok(listing),
                Err(lack) => lack,
            },
            Err(_) => Lack::Unindexed,
        };
        // `huggingface.co/acme` is a publisher, or a model of `huggingface.co`.
        let above = name.rsplit_once('/').map(|(above, _)| above);
        let publishers = [Some(name), above].into_iter().flatten().filter_map(|text| text.parse::<Publisher>().ok());
        let mut found: BTreeMap<u64, ProvenStatement> = BTreeMap::new();
        let mut cut = false;
        for publisher in publishers {
            let listing = self.listed("publisher?name=", publisher.as_str(), MAX_STATEMENTS, lack)?;
            cut |= listing.cut;
            let below = |logged: &ProvenStatement| is_below(logged.signed().statement(), name);
            found.extend(listing.statements.into_iter().filter(below).map(|logged| (logged.position(), logged)));
        }
        let coordinates: BTreeSet<Coordinate> =
            found.values().flat_map(|logged| logged.signed().statement().coordinates()).collect();
        cut |= coordinates.len() > MAX_COORDINATES;
        for coordinate in coordinates.iter().take(MAX_COORDINATES) {
            let listing = self.about(coordinate)?;
            cut |= listing.cut;
            found.extend(listing.statements.into_iter().map(|logged| (logged.position(), logged)));
        }
        Ok(StatementList::incomplete(found.into_values().collect(), lack, cut))
    }
}

impl LogView<'_> {
    /// Where it stands by what its publisher said, where that came and is proven and the rest of the answer did not come; kept as far as it goes.
    pub fn own_status(&self, coordinate: &Coordinate) -> Option<ReleaseStatus> {
        let own = self.own_lists.borrow().get(&coordinate.to_string())?.clone();
        let own = StatementList { lack: own.lack.or(Some(Lack::OwnAlone)), ..own };
        let status = ReleaseStatus::of(coordinate, &OwnAlone { log: self, own }, Source::Log).ok()?;
        if let Some(id) = self.id {
            // What cannot be remembered is told all the same.
            let _ = status.keep(self.local_state, id, self.policy);
        }
        Some(status)
    }
}

/// What a publisher said of its own release, without what others say; of keys what came already.
struct OwnAlone<'a> {
    log: &'a LogView<'a>,
    own: StatementList,
}

impl StatementSource for OwnAlone<'_> {
    fn head(&self) -> &TrustedCheckpoint {
        self.log.head()
    }

    fn about(&self, _: &Coordinate) -> Result<StatementList, Failure> {
        Ok(self.own.clone())
    }

    fn keys(&self, publisher: &Publisher) -> Result<StatementList, Failure> {
        self.log.keys(publisher)
    }

    fn under(&self, _: &str) -> Result<StatementList, Failure> {
        Ok(self.own.clone())
    }
}

/// Whether a statement is about a name or about something below it.
fn is_below(statement: &Statement, name: &str) -> bool {
    let below = |coordinate: Coordinate| coordinate.prefixes().iter().any(|prefix| prefix == name);
    match statement {
        Statement::Publisher(change) => change.publisher.name.as_str() == name,
        _ => statement.coordinates().into_iter().any(below),
    }
}
