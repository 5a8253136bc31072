//! What breaks by itself: power, disks, processes, clocks, backups.

mod backups;
mod bucket;
mod crashes;
mod deaths;
mod export;
mod outages;
mod restored;
mod standby;
