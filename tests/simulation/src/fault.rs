//! What goes wrong, by kind: counted, and taken out one by one when a failure is made smaller.

use std::collections::BTreeMap;

macro_rules! faults {
    ($($kind:ident $word:literal $about:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $about] $kind,)*
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The word on the command line and in the table.
            pub fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// What happens.
            pub fn about(self) -> &'static str {
                match self { $(Self::$kind => $about,)* }
            }
        }
    };
}

faults! {
    Loss "loss" "A request to a witness is lost.",
    Delay "delay" "A request arrives long after its sender has given up.",
    Duplicate "duplicate" "A request arrives twice.",
    HalfOpen "half-open" "A request arrives, and its answer is lost.",
    Partition "partition" "A log and a witness cannot reach each other for a while.",
    Kill "kill" "A process ends between two operations.",
    Power "power" "A machine loses its power between two operations.",
    Cut "cut" "A machine loses its power, or a process ends, at an operation on the disk.",
    SyncFails "sync-fails" "A sync fails, and keeps what it was to write or not.",
    DiskFull "disk-full" "A disk is full for a while.",
    ClockJump "clock-jump" "A machine's time of day is set wrong, or right again.",
    Stall "stall" "Nothing happens for a long time.",
    Stop "stop" "A log is stopped in order and started again.",
    LogRestored "log-restored" "A log's data folder is put back from an older copy.",
    SecondWriter "second-writer" "A copy of a log's disk is started beside it: two writers with one key.",
    SharedDisk "shared-disk" "A second process writes on the disk of the log, where locks do not exclude it.",
    StateRestored "state-restored" "A witness's states or its marks are put back from an older copy.",
    Bucket "bucket" "A request to the bucket of a log is lost, or its answer is; it comes late, or twice.",
    KeyChanged "key-changed" "A log gets a second key, a witness learns it, or the first is retired.",
    MonitorRestored "monitor-restored" "A monitor's state is put back from an older copy, or is lost.",
    WrongIndex "wrong-index" "Somebody with the log's key signs a tree whose index is wrong, and brings it to whoever cosigns.",
    Tampered "tampered" "A name proof is changed on its way to a reader.",
}

impl Fault {
    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.word() == word)
    }
}

/// How often each kind of fault, and each kind of event, has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Faults.
    pub faults: BTreeMap<Fault, u64>,
    /// What the network did, by its name.
    pub events: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts one fault.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Counts several of one kind.
    pub fn fault_many(&mut self, fault: Fault, count: u64) {
        *self.faults.entry(fault).or_default() += count;
    }

    /// Counts events.
    pub fn event(&mut self, name: &'static str, count: u64) {
        *self.events.entry(name).or_default() += count;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        other.faults.iter().for_each(|(fault, count)| *self.faults.entry(*fault).or_default() += count);
        other.events.iter().for_each(|(name, count)| self.event(name, *count));
    }
}
