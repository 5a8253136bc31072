//! The path of a tile.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::tile_path::run(data));
