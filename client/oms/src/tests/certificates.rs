use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
    date_time_ymd,
};
use serde_json::Value;
use stele_explain::{Exit, Explain as _};

use super::*;
use crate::bundle::{Bundle, BundleError, VerifyError};
use crate::certificate::{CertificateError, Chain, ChainError, Roots};
use crate::sign::{SignError, SignOptions, sign};

/// 2026-12-01.
const NOW: u64 = 1_796_083_200;

/// A certificate and its key.
struct Issued {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

type Change<'a> = &'a dyn Fn(&mut CertificateParams);

fn named(name: &str, change: Change) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2035, 1, 1));
    change(&mut params);
    params
}

fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
}

fn signer(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
}

fn root(algorithm: &'static SignatureAlgorithm, change: Change) -> Issued {
    let (params, key) = (named("Root", change), KeyPair::generate_for(algorithm).unwrap());
    let pem = pem_of(&params.self_signed(&key).unwrap());
    Issued { pem, issuer: Issuer::new(params, key) }
}

impl Issued {
    fn issue(&self, name: &str, change: Change) -> Self {
        let (params, key) = (named(name, change), KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap());
        let pem = pem_of(&params.signed_by(&key, &self.issuer).unwrap());
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn key(&self) -> SecretKey {
        SecretKey::from_pem(&pem::write("PRIVATE KEY", self.issuer.key().serialized_der())).unwrap()
    }

    fn roots(&self) -> Roots {
        Roots::from_pem(&self.pem).unwrap()
    }
}

fn pem_of(certificate: &Certificate) -> String {
    pem::write("CERTIFICATE", certificate.der())
}

fn chain(certificates: &[&Issued]) -> Chain {
    Chain::from_pem(&certificates.iter().map(|issued| issued.pem.as_str()).collect::<String>()).unwrap()
}

#[test]
fn a_model_that_was_signed_with_a_certificate_is_verified_by_the_root_and_by_no_other() {
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let root = root(algorithm, &authority);
        let between = root.issue("Between", &authority);
        let acme = between.issue("Acme", &signer);
        let key = acme.key();
        let (folder, chain) = (tiny(), chain(&[&acme, &between]));
        let options = SignOptions { chain: Some(chain.clone()), ..SignOptions::default() };
        let bytes = sign(folder.path(), &key, &options, &|_| {}).unwrap().bundle;
        let bundle = Bundle::parse(&bytes).unwrap();
        let signed = bundle.verify_by_roots(&root.roots(), NOW).unwrap();
        let holder = signed.holder().unwrap();
        assert_eq!((holder.subject(), holder.root(), holder.key()), ("CN=Acme", "CN=Root", key.public()));
        assert!(signed.check(folder.path(), &Default::default(), &|_| {}).unwrap().is_exact());

        // A key is not a certificate, nor is another root with the name of this one.
        assert_eq!(bundle.verify(key.public()).unwrap_err(), VerifyError::ByCertificate);
        let by_key = Bundle::parse(ONE_FILE).unwrap().verify_by_roots(&root.roots(), NOW).unwrap_err();
        assert_eq!((by_key.clone(), by_key.exit()), (VerifyError::ByKey, Exit::BadInput));
        let error = bundle.verify_by_roots(&self::root(algorithm, &authority).roots(), NOW).unwrap_err();
        assert!(
            matches!(error, VerifyError::Chain(ChainError::NotSigned { .. })) && error.exit() == Exit::BadSignature
        );
        let other = between.issue("Other", &signer);
        let other = other.key();
        assert!(matches!(sign(folder.path(), &other, &options, &|_| {}), Err(SignError::OtherCertificate)));

        // Signed by one, named as another of the same root.
        let mut changed: Value = serde_json::from_slice(&bytes).unwrap();
        let strange = between.issue("Strange", &signer);
        let der = pem::blocks(&strange.pem).pop().unwrap().der.unwrap();
        changed["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"] =
            stele_spec::text::to_base64(&der).into();
        let changed = Bundle::parse(changed.to_string().as_bytes()).unwrap();
        assert_eq!(changed.verify_by_roots(&root.roots(), NOW).unwrap_err(), VerifyError::Signature);
    }
}

#[test]
fn each_bit_of_the_certificates_counts() {
    let root = root(&PKCS_ED25519, &authority);
    let acme = root.issue("Acme", &signer);
    let der = pem::blocks(&acme.pem).pop().unwrap().der.unwrap();
    for at in 0..der.len() {
        let mut flipped = der.to_vec();
        flipped[at] ^= 1 << (at % 8);
        let chain = Chain::from_pem(&pem::write("CERTIFICATE", &flipped));
        assert!(!chain.is_ok_and(|chain| chain.trusted_by(&root.roots(), NOW).is_ok()), "byte {at}");
    }
}

#[test]
fn a_certificate_counts_for_what_it_was_issued_for_and_while_it_is_valid() {
    let root = root(&PKCS_ED25519, &authority);
    let issued = |change: Change| chain(&[&root.issue("Acme", change)]).trusted_by(&root.roots(), NOW);
    let usage = ChainError::Usage { subject: "CN=Acme".to_owned() };
    assert!(issued(&signer).is_ok());
    assert!(issued(&|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]).is_ok());
    assert!(issued(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning]).is_ok());
    assert_eq!(issued(&|_| {}).unwrap_err(), usage, "it names nothing");
    for change in [
        &(|params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::KeyAgreement])
            as &dyn Fn(&mut CertificateParams),
        &|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
    ] {
        let changed = issued(&|params| {
            signer(params);
            change(params);
        });
        assert_eq!(changed.unwrap_err(), usage);
    }
    for (from, until) in [(2020, 2021), (2030, 2031)] {
        let aged = issued(&|params| {
            signer(params);
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        });
        assert!(matches!(aged, Err(ChainError::Validity { .. })), "{aged:?}");
    }
}

#[test]
fn who_may_not_issue_certificates_issues_none() {
    let top = root(&PKCS_ED25519, &authority);
    let below = |between: &Issued| chain(&[&between.issue("Acme", &signer), between]).trusted_by(&top.roots(), NOW);
    let no_authorities = [
        // One signer makes another.
        top.issue("Between", &signer),
        top.issue("Between", &|params| {
            authority(params);
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        }),
        top.issue("Between", &|params| {
            authority(params);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
    ];
    assert!(below(&top.issue("Between", &authority)).is_ok());
    // No authority may be below this one.
    let last = top.issue("Last", &|params| {
        authority(params);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    assert!(below(&last).is_ok());
    let between = last.issue("Between", &authority);
    let acme = between.issue("Acme", &signer);
    let error = chain(&[&acme, &between, &last]).trusted_by(&top.roots(), NOW).unwrap_err();
    assert_eq!(error, ChainError::NoAuthority { subject: "CN=Last".to_owned() });
    for between in &no_authorities {
        assert_eq!(below(between).unwrap_err(), ChainError::NoAuthority { subject: "CN=Between".to_owned() });
    }
    // An authority, or a root, that is not valid any more.
    let old = |params: &mut CertificateParams| {
        authority(params);
        params.not_after = date_time_ymd(2026, 1, 1);
    };
    assert!(matches!(below(&top.issue("Between", &old)), Err(ChainError::Validity { .. })));
    let old = root(&PKCS_ED25519, &old);
    let error = chain(&[&old.issue("Acme", &signer)]).trusted_by(&old.roots(), NOW).unwrap_err();
    assert!(matches!(error, ChainError::Validity { .. }));
    // A chain that ends before it is at the root.
    let error = chain(&[&acme]).trusted_by(&top.roots(), NOW).unwrap_err();
    assert_eq!(error, ChainError::NoRoot { issuer: "CN=Between".to_owned() });
}

#[test]
fn authorities_that_certify_each_other_in_a_circle_end_the_search() {
    let top = root(&PKCS_ED25519, &authority);
    // Each of them issues each other, under one name: more paths than can be gone.
    let same: Vec<Issued> = (0..4).map(|_| root(&PKCS_ED25519, &authority)).collect();
    let mut circle = vec![same[0].issue("Acme", &signer).pem];
    for issuer in &same {
        let again = |subject: &Issued| named("Root", &authority).signed_by(subject.issuer.key(), &issuer.issuer);
        circle.extend(same.iter().take(3).map(|subject| pem_of(&again(subject).unwrap())));
    }
    let circle = Chain::from_pem(&circle.concat()).unwrap();
    assert!(circle.trusted_by(&top.roots(), NOW).is_err());
}

#[test]
fn what_may_narrow_a_certificate_and_is_not_read_refuses_it() {
    let root = root(&PKCS_ED25519, &authority);
    let read = |change: Change| Chain::from_pem(&root.issue("Acme", change).pem).unwrap_err();
    let found = read(&|params| {
        let mut strange = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55_555], vec![5, 0]);
        strange.set_criticality(true);
        params.custom_extensions = vec![strange];
    });
    assert_eq!(found, CertificateError::Extension { found: "1.3.6.1.4.1.55555".to_owned() });
    let found = read(&|params| {
        authority(params);
        let within = vec![GeneralSubtree::DnsName("acme.example".to_owned())];
        params.name_constraints = Some(NameConstraints { permitted_subtrees: within, excluded_subtrees: vec![] });
    });
    assert_eq!(found, CertificateError::Extension { found: "2.5.29.30".to_owned() });
    // Not critical: it narrows nothing.
    let harmless = root.issue("Acme", &|params| {
        signer(params);
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55_555], vec![5, 0])];
    });
    assert!(chain(&[&harmless]).trusted_by(&root.roots(), NOW).is_ok());
}

#[test]
fn files_that_have_no_roots_or_no_certificates_are_refused_by_name() {
    let top = root(&PKCS_ED25519, &authority);
    let between = top.issue("Between", &authority);
    // What is no root helps to lead to one, and is none.
    assert_eq!(Roots::from_pem(&between.pem).unwrap_err(), CertificateError::NoRoot);
    let both = Roots::from_pem(&[between.pem.as_str(), &top.pem].concat()).unwrap();
    assert!(chain(&[&between.issue("Acme", &signer)]).trusted_by(&both, NOW).is_ok());
    for (text, error) in [
        (String::new(), CertificateError::None),
        (tool_key().to_pem(), CertificateError::Label { found: "PUBLIC KEY".to_owned() }),
        (pem::write("CERTIFICATE", b"\x30\x00"), CertificateError::Form),
        (top.pem.replacen('\n', "\n*", 1), CertificateError::Form),
        (top.pem.repeat(17), CertificateError::TooMany),
    ] {
        assert_eq!(Chain::from_pem(&text).unwrap_err(), error, "{text}");
    }
    // A signer's key of another kind than the format has.
    assert!(matches!(Chain::from_pem(&top.pem), Err(CertificateError::Key(_))));
    // One that signed itself and is trusted is a signer, where it is for that.
    let own = root(&PKCS_ECDSA_P384_SHA384, &signer);
    assert!(chain(&[&own, &own]).trusted_by(&own.roots(), NOW).is_ok());
    let mut bundle: Value = serde_json::from_slice(ONE_FILE).unwrap();
    bundle["verificationMaterial"] = serde_json::json!({ "x509CertificateChain": { "certificates": [] } });
    let error = Bundle::parse(bundle.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, BundleError::Certificate(CertificateError::None));
}
