//! The line by which a policy counts a witness.

use stele_witness_core::signer::WitnessKeys;

/// The line by which a policy counts this witness, ready to be copied: its first key, and the first address at which it is reached. Its name
/// there is that of its key, so that the lines of two witnesses never clash.
pub(crate) fn policy_line(own: &WitnessKeys, urls: &[String]) -> Option<String> {
    let url = urls.first().map_or("https://WHERE-IT-IS-REACHED/", String::as_str);
    own.keys().next().map(|key| format!("witness {} {key} {url}", own.name()))
}
