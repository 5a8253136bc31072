//! What a registry sends: a manifest or list, a challenge, an archive, a reference; the first byte picks the reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stele_fuzz::oci_manifest::run(data));
