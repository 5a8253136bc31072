//! How much memory a process has had at most.

use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use stele_probe::failure::{During, Failure, Step};

/// How often the kernel is asked.
const LOOK: Duration = Duration::from_millis(2);

/// The most memory that a process has had, in bytes: `VmHWM` of proc(5).
pub fn high_water(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

/// The most memory that a process has until it ends, which it must do well.
pub fn peak(mut child: Child, name: &str) -> Step<u64> {
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().during(format!("waiting for {name}"))? {
            return if status.success() { Ok(peak) } else { Err(Failure::new(format!("{name} ended with {status}"))) };
        }
        peak = peak.max(high_water(child.id()));
        sleep(LOOK);
    }
}
