//! Lanes side by side, against each alone: the first bytes say how many blocks each lane has, and the rest is the blocks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::sha256_lanes::run(data));
