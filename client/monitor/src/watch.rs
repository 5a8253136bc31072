//! What is watched: the same keys that the log's index lists its entries under, so nothing that a name proof would show
//! is missed.

use std::collections::BTreeMap;

use stele_explain::{Exit, Explain, explain};
use stele_spec::coverage::MAX_LISTS;
use stele_spec::entry::Entry;
use stele_spec::hash::IndexKey;
use stele_spec::index::{Subject, keys_of};
use stele_spec::name::{Coordinate, Model, NameError, Publisher, Version};

use crate::config::{Reading, WatchConfig};
use crate::state::LogState;

/// The questions that a monitor asks of each entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    keys: BTreeMap<IndexKey, (Subject, String)>,
    everything: bool,
    reading: Reading,
}

impl Watch {
    /// What a config says.
    pub(crate) fn of(config: &WatchConfig) -> Result<Self, WatchError> {
        let mut watch = Self { everything: config.everything, reading: config.read, ..Self::default() };
        for name in &config.names {
            watch.name(name).map_err(|error| WatchError::Name { name: name.clone(), error })?;
        }
        config.publishers.iter().for_each(|publisher| watch.publisher(publisher));
        for digest in &config.digests {
            watch.add(Subject::digest(digest), &digest.to_string());
        }
        if watch.keys.is_empty() && !watch.everything {
            return Err(WatchError::Nothing);
        }
        if watch.reads_names() && (watch.everything || watch.keys.len() > MAX_LISTS) {
            return Err(WatchError::TooMuchByName { everything: watch.everything, found: watch.keys.len() });
        }
        Ok(watch)
    }

    /// Watches a publisher's keys and everything below its name.
    pub(crate) fn publisher(&mut self, publisher: &Publisher) {
        let name = publisher.to_string();
        for subject in
            [Subject::publisher(publisher), Subject::about_publisher(publisher), Subject::under_publisher(publisher)]
        {
            self.add(subject, &name);
        }
    }

    /// Whether the log's index is asked, in place of reading every entry.
    pub(crate) fn reads_names(&self) -> bool {
        self.reading == Reading::Names
    }

    /// Everything that is asked of an index, in the order of the keys.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.keys.values().map(|(subject, _)| subject)
    }

    /// Up to where nothing about what is watched was missed: where entries were read to, or the smallest tree of a list that is known.
    pub(crate) fn looked_to(&self, log: &LogState) -> u64 {
        if !self.reads_names() {
            return log.next;
        }
        let known = |subject: &Subject| log.lists.get(&subject.to_string()).map_or(0, |list| list.size);
        self.subjects().map(known).min().unwrap_or(0)
    }

    /// What of the watched an entry is about; empty if nothing.
    pub(crate) fn reasons(&self, entry: &Entry) -> Vec<String> {
        let mut reasons: Vec<String> =
            keys_of(entry).iter().filter_map(|key| self.keys.get(key).map(|(_, name)| name.clone())).collect();
        if self.everything && matches!(entry, Entry::Statement(_)) {
            reasons.push("everything".to_owned());
        }
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    fn name(&mut self, name: &str) -> Result<(), NameError> {
        if name.contains('#') {
            let coordinate: Coordinate = name.parse()?;
            self.add(Subject::release(&coordinate), name);
            self.add(Subject::about_release(&coordinate), name);
            return Ok(());
        }
        let (model, version) = match name.split_once('@') {
            Some((model, version)) => (model, Some(version.parse::<Version>()?)),
            None => (name, None),
        };
        let (publisher, model) = model.rsplit_once('/').unwrap_or((model, ""));
        let (publisher, model): (Publisher, Model) = (publisher.parse()?, model.parse()?);
        self.add(
            match version {
                Some(version) => Subject::under_version(&publisher, &model, &version),
                None => Subject::under_model(&publisher, &model),
            },
            name,
        );
        Ok(())
    }

    fn add(&mut self, subject: Subject, name: &str) {
        self.keys.insert(subject.key(), (subject, name.to_owned()));
    }
}

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// No name, publisher or digest.
    #[error("the config watches nothing")]
    Nothing,
    /// More than a log's index is asked about.
    #[error("read = \"names\" asks about at most {MAX_LISTS} subjects")]
    TooMuchByName {
        /// Whether everything is watched.
        everything: bool,
        /// How many subjects there are: a publisher has three, a coordinate two.
        found: usize,
    },
    /// Text that is no name.
    #[error("watch.names: {name:?} is no name: {error}")]
    Name {
        /// As given.
        name: String,
        /// Why.
        error: NameError,
    },
}

impl Explain for WatchError {
    explain! {
        Self::Nothing => Exit::BadInput, "watches-nothing",
            hint: "name something under [watch]: names, publishers, digests, or everything = true";
        Self::TooMuchByName { everything, found } => Exit::BadInput, "watches-too-much",
            hint: "read every entry (leave out `read`), or divide what is watched between several monitors",
            "found": if *everything { "everything = true".to_owned() } else { format!("{found} subjects") };
        Self::Name { .. } => Exit::BadInput, "name-malformed",
            hint: "write PUBLISHER/MODEL, PUBLISHER/MODEL@VERSION or PUBLISHER/MODEL@VERSION#VARIANT; a publisher belongs into watch.publishers";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::key::SecretKey;
    use stele_spec::statement::{PublisherClaim, Statement, Timestamp, sign};

    fn claim(publisher: &str) -> Entry {
        let key = SecretKey::from_seed([9; 32]);
        let claim = PublisherClaim::new(publisher.parse().unwrap(), Timestamp::MAX, &[key.public()]);
        Entry::Statement(sign(&Statement::Publisher(claim), &key).unwrap())
    }

    fn names(names: &[&str]) -> Result<Watch, WatchError> {
        Watch::of(&WatchConfig { names: names.iter().map(|name| (*name).to_owned()).collect(), ..Default::default() })
    }

    #[test]
    fn a_name_that_is_none_and_a_config_without_any_are_refused() {
        assert!(matches!(names(&[]), Err(WatchError::Nothing)));
        for name in
            ["", "acme.example", "acme.example/", "acme.example/tiny@", "acme.example/tiny#base", "ACME.example/tiny"]
        {
            assert!(matches!(names(&[name]), Err(WatchError::Name { .. })), "{name}");
        }
        names(&["acme.example/tiny", "huggingface.co/acme/tiny@1.0", "acme.example/tiny@1.0#base"]).unwrap();
    }

    #[test]
    fn a_publisher_s_keys_are_below_its_name_and_no_other_s() {
        let mut watch = Watch::default();
        watch.publisher(&"acme.example".parse().unwrap());
        assert_eq!(watch.reasons(&claim("acme.example")), ["acme.example"]);
        assert!(watch.reasons(&claim("acme.example.org")).is_empty());
        let index = Entry::Index(stele_spec::index::genesis());
        let all = Watch { everything: true, ..Watch::default() };
        assert_eq!(all.reasons(&claim("other.example")), ["everything"]);
        assert!(all.reasons(&index).is_empty());
    }
}
