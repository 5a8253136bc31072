//! What breaks by itself: power, disks, processes, clocks, backups.

mod crashes;
mod deaths;
mod outages;
mod restored;
