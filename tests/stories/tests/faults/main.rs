//! What breaks by itself: power, disks, processes, clocks, backups.

mod backups;
mod crashes;
mod deaths;
mod outages;
mod restored;
