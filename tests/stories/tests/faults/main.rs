//! What breaks by itself: power, disks, processes, clocks, backups.

mod backups;
mod bucket;
mod crashes;
mod deaths;
mod outages;
mod restored;
mod standby;
