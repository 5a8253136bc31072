//! A release.stele, and the name proofs in it: what is put together from its parts has those parts.

use stele_spec::bundle::Bundle;
use stele_spec::nameproof::NameProof;
use stele_spec::proof::TlogProof;

fn name_proofs(bundle: &Bundle) {
    let (Some(names), Ok(proof)) = (&bundle.names, TlogProof::parse(&bundle.proof)) else { return };
    let subject = "name acme.example/tiny@1.0.0#base".parse().expect("a subject");
    for answer in [&names.release, &names.keys] {
        if let Ok(proof) = NameProof::assemble(&subject, &names.index, answer, proof.checkpoint()) {
            assert_eq!((proof.index_lines().as_bytes(), proof.answer_lines().as_bytes()), (&*names.index, &**answer));
        }
    }
}

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(bundle) = Bundle::parse(data) {
        assert_eq!(bundle.encode().expect("what was parsed is written again"), data);
        name_proofs(&bundle);
    }
}
