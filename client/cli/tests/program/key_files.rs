//! Keys as people and their tools have them: encrypted, in a variable, on standard input, of OpenSSH, mounted for a group.
//! OpenSSL and `ssh-keygen` make them in the run.

use std::fs::{Permissions, set_permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::publishing::{decide, draft, publish, served};
use crate::common::{Ran, ran, stele, stranger};
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse";

/// A folder with a passphrase and keys of other tools.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        keys.write("passphrase", &format!("{PASSPHRASE}\n"));
        keys
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.at(name);
        std::fs::write(&path, text).unwrap();
        self.mode(name, 0o600);
        path
    }

    fn mode(&self, name: &str, mode: u32) {
        set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    /// Runs a tool here; its output.
    fn tool(&self, program: &str, arguments: &str) -> String {
        let arguments = arguments.split(' ').filter(|word| !word.is_empty());
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A key of OpenSSL, in the clear and encrypted by these options; the first in `plain.pem`.
    fn encrypted(&self, name: &str, options: &str) -> String {
        if !Path::new(&self.at("plain.pem")).exists() {
            self.tool("openssl", "genpkey -algorithm ed25519 -out plain.pem");
            self.mode("plain.pem", 0o600);
        }
        let arguments = format!("pkcs8 -topk8 -in plain.pem -out {name} -passout file:passphrase {options}");
        self.tool("openssl", &arguments);
        self.mode(name, 0o600);
        self.at(name)
    }

    /// The key id that OpenSSL makes of a key.
    fn kid(&self, name: &str) -> String {
        self.tool("openssl", &format!("pkey -in {name} -passin file:passphrase -pubout -outform DER -out public.der"));
        self.tool("sha256sum", "public.der").split(' ').next().unwrap().to_owned()
    }
}

/// `stele key show` with these arguments, without a terminal and with these variables and bytes on standard input.
fn show(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Ran {
    alone(&[&["key", "show"], arguments].concat(), environment, input)
}

/// A run of `stele` in a session of its own, which has no terminal.
fn alone(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut command = Command::new("setsid");
    command.args(["--wait", env!("CARGO_BIN_EXE_stele")]).args(arguments);
    stranger(&mut command, environment);
    let piped = || Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    ran(child.wait_with_output().unwrap())
}

#[test]
fn an_encrypted_key_of_openssl_is_refused_without_its_passphrase_and_read_with_it() {
    let keys = Keys::new();
    let wrong = keys.write("wrong", "wrong horse\n");
    let file = keys.at("passphrase");
    for (name, options) in [
        ("default.pem", ""),
        ("aes128.pem", "-v2 aes-128-cbc"),
        ("aes192.pem", "-v2 aes-192-cbc"),
        ("aes256.pem", "-v2 aes-256-cbc"),
        ("sha1.pem", "-v2 aes-256-cbc -v2prf hmacWithSHA1"),
        ("sha512.pem", "-v2 aes-256-cbc -v2prf hmacWithSHA512"),
        ("many.pem", "-v2 aes-256-cbc -iter 600000"),
        ("scrypt.pem", "-scrypt"),
        ("scrypt-32.pem", "-scrypt -scrypt_N 16384 -scrypt_r 8 -scrypt_p 2 -v2 aes-128-cbc"),
    ] {
        let path = keys.encrypted(name, options);
        let kid = keys.kid(name);
        let none =
            show(&[&path], &[], b"").fails(2, &["is encrypted, and no passphrase was given", "--passphrase-file"]);
        assert!(none.out.is_empty());
        let said = show(&[&path, "--passphrase-file", &wrong], &[], b"").fails(7, &["does not decrypt", &path]);
        assert!(!said.err.contains("horse"), "{}", said.err);
        show(&[&path], &[("STELE_PASSPHRASE", "wrong")], b"").fails(7, &["does not decrypt"]);
        show(&[&path, "--passphrase-file", &file], &[], b"").ok().says(&[&kid]);
        show(&[&path], &[("STELE_PASSPHRASE", PASSPHRASE)], b"").ok().says(&[&kid]);
        // The option is nearer than the environment.
        show(&[&path, "--passphrase-file", &file], &[("STELE_PASSPHRASE", "wrong")], b"").ok().says(&[&kid]);
    }
    let json = show(&[&keys.at("aes256.pem"), "--passphrase-file", &wrong, "--json"], &[], b"").json();
    assert_eq!((json["error"].as_str(), json["exit"].as_u64()), (Some("passphrase-wrong"), Some(7)));
    let json = show(&[&keys.at("aes256.pem"), "--json"], &[], b"").json();
    assert_eq!((json["error"].as_str(), json["exit"].as_u64()), (Some("passphrase-needed"), Some(2)));
}

#[test]
fn a_key_as_genpkey_encrypts_it_signs() {
    let (keys, (world, served)) = (Keys::new(), served());
    keys.tool("openssl", "genpkey -algorithm ed25519 -aes256 -pass file:passphrase -out key.pem");
    keys.mode("key.pem", 0o600);
    let (key, policy) = (keys.at("key.pem"), world.at("policy").display().to_string());
    let claim = ["claim", "acme.example", "--key", &key, "--policy", &policy];
    alone(&claim, &[], b"").fails(2, &["no passphrase was given"]);
    alone(&claim, &[("STELE_PASSPHRASE", "wrong")], b"").fails(7, &["does not decrypt"]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1, "nothing was sent");
    alone(&claim, &[("STELE_PASSPHRASE", PASSPHRASE)], b"").ok().says(&[&keys.kid("key.pem")]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 2);
}

#[test]
fn what_is_encrypted_otherwise_or_is_another_key_is_called_what_it_is() {
    let keys = Keys::new();
    let given = [("STELE_PASSPHRASE", PASSPHRASE)];
    let old = keys.encrypted("des3.pem", "-v2 des-ede3-cbc");
    show(&[&old], &given, b"").fails(7, &["of a kind that is not read", "openssl pkcs8 -topk8 -v2 aes-256-cbc"]);
    let cut = keys.write("cut.pem", &keys.read("des3.pem").lines().take(2).collect::<Vec<_>>().join("\n"));
    show(&[&cut], &given, b"").fails(7, &["damaged"]);
    let scrypt = keys.encrypted("costly.pem", "-v2 aes-256-cbc -iter 10000001");
    let costly = show(&[&scrypt], &[], b"").fails(7, &["rounds of PBKDF2", "allowed: 10000000", "found: 10000001"]);
    assert!(!costly.err.contains("passphrase"), "nobody is asked first: {}", costly.err);
    for (name, algorithm) in [("ed448.pem", "ed448"), ("x25519.pem", "x25519")] {
        keys.tool("openssl", &format!("genpkey -algorithm {algorithm} -aes256 -pass file:passphrase -out {name}"));
        keys.mode(name, 0o600);
        show(&[&keys.at(name)], &given, b"").fails(7, &["expected an encrypted Ed25519 key", "1.3.101."]);
        show(&[&keys.at(name)], &[("STELE_PASSPHRASE", "wrong")], b"").fails(7, &["does not decrypt"]);
    }
    let two = keys.write("two.pem", &format!("{}{}", keys.read("des3.pem"), keys.read("plain.pem")));
    show(&[&two], &given, b"").fails(7, &["two private keys"]);
}

#[test]
fn a_new_key_is_encrypted_so_that_openssl_reads_it() {
    let keys = Keys::new();
    let (path, file) = (keys.at("new.pem"), keys.at("passphrase"));
    let new = ["key", "new", &path, "--encrypt"];
    alone(&new, &[], b"").fails(2, &["no passphrase was given"]);
    alone(&new, &[("STELE_PASSPHRASE", "abc")], b"").fails(7, &["too short", "at least 4 bytes"]);
    alone(&["key", "new", &path, "--passphrase-file", &file], &[], b"").fails(2, &["--encrypt"]);
    assert!(!PathBuf::from(&path).exists(), "no key without its passphrase");

    let made = alone(&[&new[..], &["--passphrase-file", &file]].concat(), &[], b"").ok();
    assert!(keys.read("new.pem").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let kid = keys.kid("new.pem");
    made.says(&[&kid]);
    show(&[&path, "--passphrase-file", &file], &[], b"").ok().says(&[&kid]);
    // It is never made again, and nobody chooses a passphrase for nothing.
    alone(&new, &[], b"").fails(7, &["exists already"]);
}

#[test]
fn a_new_key_says_what_its_loss_means_and_how_to_have_a_second() {
    let keys = Keys::new();
    let path = keys.at("new.pem");
    let made = stele(&["key", "new", &path]).ok();
    let public = keys.at("new.pub");
    for said in ["the name is lost", &format!("stele key show {path} > {public}"), &format!("--new {public} --key KEY")]
    {
        assert!(made.err.contains(said), "{made:?}");
    }
    // A key does not add itself.
    assert!(!made.err.contains(&format!("--key {path}")), "{made:?}");
    assert!(!made.out.contains("lost"), "stdout has the key id and the public key alone");
}

#[test]
fn a_key_with_its_public_half_must_have_its_own() {
    let keys = Keys::new();
    keys.tool("openssl", "genpkey -algorithm ed25519 -out plain.pem -outform DER");
    let plain = std::fs::read(keys.at("plain.pem")).unwrap();
    keys.tool("openssl", "pkey -inform DER -in plain.pem -pubout -outform DER -out public.der");
    let public = std::fs::read(keys.at("public.der")).unwrap()[12..].to_vec();
    // OneAsymmetricKey (RFC 5958): version 1, and `[1]` with the public key.
    let second = |public: &[u8]| {
        let der = [&[0x30, 0x51, 0x02, 0x01, 0x01][..], &plain[5..], &[0x81, 0x21, 0x00], public].concat();
        std::fs::write(keys.at("second.der"), der).unwrap();
        let base64 = keys.tool("openssl", "base64 -in second.der");
        keys.write("second.pem", &format!("-----BEGIN PRIVATE KEY-----\n{base64}-----END PRIVATE KEY-----\n"))
    };
    let path = second(&public);
    let kid = keys.tool("sha256sum", "public.der").split(' ').next().unwrap().to_owned();
    show(&[&path], &[], b"").ok().says(&[&kid]);
    let path = second(&[public[0] ^ 1].iter().chain(&public[1..]).copied().collect::<Vec<_>>());
    show(&[&path], &[], b"").fails(7, &["the public key of another beside it"]);
}

#[test]
fn a_key_comes_from_one_place_and_two_are_refused_by_their_names() {
    let (keys, (world, served)) = (Keys::new(), served());
    let encrypted = keys.encrypted("aes.pem", "-v2 aes-256-cbc");
    let (pem, kid) = (keys.read("plain.pem"), keys.kid("plain.pem"));
    let (plain, policy) = (keys.at("plain.pem"), world.at("policy").display().to_string());
    let claim = |more: &[&str], environment: &[(&str, &str)], input: &[u8]| {
        alone(&[&["claim", "acme.example", "--policy", &policy][..], more].concat(), environment, input)
    };
    claim(&[], &[], b"").fails(2, &["which key is to sign?", "--key -", "STELE_KEY"]);
    claim(&[], &[("STELE_KEY", "")], b"").fails(2, &["STELE_KEY is set and empty", "given to this job"]);
    let both = claim(&["--key", &plain], &[("STELE_KEY", &pem)], b"");
    let both = both.fails(2, &["two keys are named", &plain, "STELE_KEY"]);
    assert!(!both.err.contains("PRIVATE"), "{}", both.err);
    claim(&["--key", "-"], &[("STELE_KEY", &pem)], pem.as_bytes()).fails(2, &["standard input, and STELE_KEY"]);
    claim(&[], &[("STELE_KEY", &plain)], b"").fails(7, &["STELE_KEY is not a private", "--key FILE"]);
    claim(&["--key", "-"], &[], b"").fails(7, &["standard input is not a key file: empty"]);
    claim(&["--key", "-"], &[], &[b'x'; 20_000]).fails(7, &["too large"]);
    claim(&["--key", "-"], &[], b"\xff\xfe").fails(7, &["not text", "openssl pkey -inform DER"]);
    let broken = pem.replace('M', "%");
    let said = claim(&[], &[("STELE_KEY", &broken)], b"").fails(7, &["STELE_KEY is not"]);
    assert!(!said.err.contains(broken.lines().nth(1).unwrap()), "the key is not repeated: {}", said.err);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1, "nothing was sent");

    for (more, environment, input) in [
        (&["--key", "-"][..], &[][..], pem.as_bytes()),
        (&[], &[("STELE_KEY", pem.as_str())], b""),
        (&["--key", &plain], &[("STELE_KEY", "")], b""),
        (&["--key", "-"], &[("STELE_PASSPHRASE", PASSPHRASE)], std::fs::read(&encrypted).unwrap().as_slice()),
    ] {
        claim(more, environment, input).ok().says(&[&kid]);
    }
    show(&["-"], &[], pem.as_bytes()).ok().says(&[&kid]);
    assert_eq!(served.log.lock().unwrap().entries.len(), 2, "one claim, which was there the next times");
}

#[test]
fn a_key_of_openssh_in_the_clear_signs_and_an_encrypted_one_is_for_an_agent() {
    let keys = Keys::new();
    let generate = |name: &str, kind: &[&str], passphrase: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-C", "me@here", "-N", passphrase, "-f", &keys.at(name)]).args(kind);
        assert!(command.status().unwrap().success());
        keys.at(name)
    };
    let locked = generate("locked", &["-t", "ed25519"], "secret");
    let given = [("STELE_PASSPHRASE", "secret")];
    show(&[&locked], &given, b"").fails(7, &["that a passphrase encrypts", "ssh-add", "--key ssh-agent:"]);
    for kind in [&["-t", "rsa", "-b", "2048"][..], &["-t", "ecdsa"]] {
        let name = kind[1];
        let other = generate(name, kind, "");
        show(&[&other], &[], b"").fails(7, &["not Ed25519", "stele key new FILE"]);
    }
    let plain = generate("plain", &["-t", "ed25519"], "");
    let text = keys.read("plain");
    let lines: Vec<&str> = text.lines().collect();
    let cut = keys.write("cut", &[&lines[..2], &lines[lines.len() - 1..]].concat().join("\n"));
    show(&[&cut], &[], b"").fails(7, &["a damaged private key of OpenSSH"]);
    // The public key that `ssh-keygen` wrote beside it.
    let (secret, public) = (show(&[&plain], &[], b"").ok(), show(&[&format!("{plain}.pub")], &[], b"").ok());
    assert_eq!(secret.out, public.out);
    let (world, served) = served();
    let policy = world.at("policy").display().to_string();
    alone(&["claim", "acme.example", "--key", &plain, "--policy", &policy], &[], b"").ok();
    assert_eq!(served.log.lock().unwrap().entries.len(), 2);
}

#[test]
fn a_secret_that_is_mounted_for_a_group_is_read_where_that_is_said_and_never_for_all() {
    let keys = Keys::new();
    let path = keys.encrypted("aes.pem", "-v2 aes-256-cbc");
    let (plain, file, kid) = (keys.at("plain.pem"), keys.at("passphrase"), keys.kid("plain.pem"));
    let switch = "--allow-group-readable-key";
    for (mode, allowed) in
        [(0o440, true), (0o640, true), (0o444, false), (0o644, false), (0o660, false), (0o604, false)]
    {
        keys.mode("plain.pem", mode);
        show(&[&plain], &[], b"").fails(7, &["can be used by others"]);
        let ran = show(&[&plain, switch], &[], b"");
        if allowed {
            ran.ok().says(&[&kid])
        } else {
            ran.fails(7, &["can be used by others", "chmod 600"])
        };
    }
    keys.mode("passphrase", 0o440);
    show(&[&path, "--passphrase-file", &file], &[], b"").fails(7, &[&file, "can be used by others", switch]);
    show(&[&path, "--passphrase-file", &file, switch], &[], b"").ok().says(&[&kid]);
    keys.mode("passphrase", 0o644);
    show(&[&path, "--passphrase-file", &file, switch], &[], b"").fails(7, &["can be used by others"]);
    show(&[&path], &[("STELE_PASSPHRASE", PASSPHRASE), ("STELE_KEY_GROUP_READABLE", "1")], b"").ok();
}

#[test]
fn public_keys_are_read_in_the_forms_that_tools_write() {
    let keys = Keys::new();
    keys.tool("ssh-keygen", "-q -t ed25519 -N secret -C me@here -f id");
    let pem = show(&[&keys.at("id.pub")], &[], b"").ok();
    let other = keys.write("other.pub", &keys.read("id.pub").replace("ed25519", "dss"));
    show(&[&other], &[], b"").fails(7, &["a public key of OpenSSH"]);
    let written = keys.write("written.pub", &pem.out);
    assert_eq!(show(&[&written], &[], b"").ok().out, pem.out);
    // The same 32 bytes, as OpenSSL reads them.
    let text = keys.tool("openssl", "pkey -pubin -in written.pub -outform DER -out public.der");
    assert!(text.is_empty());
    let kid = keys.tool("sha256sum", "public.der").split(' ').next().unwrap().to_owned();
    pem.says(&[&kid]);
}

#[test]
fn certificates_and_public_keys_are_published_and_private_keys_beside_them_are_not() {
    let (keys, (world, served)) = (Keys::new(), served());
    keys.encrypted("aes.pem", "-v2 aes-256-cbc");
    keys.tool("openssl", "req -new -x509 -key plain.pem -subj /CN=acme.example -days 9 -out certificate.pem");
    let text = keys.tool("openssl", "x509 -in certificate.pem -text");
    keys.write("described.crt", &format!("{text}{}", keys.read("certificate.pem")));
    keys.tool("openssl", "x509 -in certificate.pem -outform DER -out certificate.der");
    keys.tool("openssl", "req -new -key plain.pem -subj /CN=acme.example -out request.csr");
    keys.tool("openssl", "pkey -in plain.pem -pubout -out public.pem");
    keys.tool("openssl", "pkey -in plain.pem -pubout -outform DER -out public.der");
    keys.tool("openssl", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    keys.tool("openssl", "rsa -in rsa.pem -RSAPublicKey_out -out rsa-public.pem");
    keys.tool("ssh-keygen", "-q -t ed25519 -N secret -C me@here -f id");
    for public in [
        "certificate.pem",
        "described.crt",
        "certificate.der",
        "request.csr",
        "public.pem",
        "public.der",
        "rsa-public.pem",
        "id.pub",
    ] {
        std::fs::copy(keys.at(public), world.model().join(public)).unwrap();
    }
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim", "--dry-run"]).ok();
    keys.write("both.pem", &format!("{}{}", keys.read("certificate.pem"), keys.read("plain.pem")));
    for private in ["plain.pem", "aes.pem", "rsa.pem", "id", "both.pem"] {
        let path = world.model().join(private);
        std::fs::copy(keys.at(private), &path).unwrap();
        publish(&world, &["--claim"]).fails(7, &[&format!("{private}: holds a private key"), "Nothing has been sent"]);
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
}

#[test]
#[cfg(feature = "monitor")]
fn a_hook_is_not_given_what_signs() {
    let (world, _served) = served();
    let config = world.at("monitor.toml");
    let hook = "command = [\"sh\", \"-c\", \"cat > event; env > seen\"]";
    let text = format!("state = \"state\"\npolicy = \"policy\"\n[watch]\neverything = true\n[hook]\n{hook}\n");
    std::fs::write(&config, text).unwrap();
    let given = [("STELE_PASSPHRASE", PASSPHRASE), ("STELE_KEY", "secret text"), ("OTHER", "kept")];
    alone(&["monitor", config.to_str().unwrap(), "--self-test"], &given, b"").ok();
    let seen = std::fs::read_to_string(world.at("seen")).unwrap();
    assert!(seen.contains("OTHER=kept") && seen.contains("STELE_EVENT_KIND=self-test"), "{seen}");
    assert!(!seen.contains(PASSPHRASE) && !seen.contains("secret text"), "{seen}");
}

/// A terminal of its own, as `script` makes it: what is typed there, and what is seen.
fn on_a_terminal(command: &str, typed: &[(&str, &str)]) -> (i32, String) {
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", command, "/dev/null"]);
    stranger(&mut script, &[]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    for (question, answer) in typed {
        while !seen.ends_with(question) {
            let count = output.read(&mut buffer).unwrap();
            assert!(count > 0, "no {question:?} in {seen:?}");
            seen += &String::from_utf8_lossy(&buffer[..count]);
        }
        // The question comes before the echo is off.
        std::thread::sleep(std::time::Duration::from_millis(300));
        input.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    output.read_to_string(&mut seen).unwrap();
    drop(input);
    (child.wait().unwrap().code().unwrap(), seen)
}

#[test]
fn a_person_at_a_terminal_is_asked_and_what_is_typed_is_not_shown() {
    let keys = Keys::new();
    let path = keys.encrypted("aes.pem", "-v2 aes-256-cbc");
    let (stele, new) = (env!("CARGO_BIN_EXE_stele"), keys.at("new.pem"));
    let show = format!("{stele} key show {path}");
    let question = format!("passphrase of {path}: ");
    let (code, seen) = on_a_terminal(&show, &[(&question, "wrong")]);
    assert!(code == 7 && seen.contains("does not decrypt") && !seen.contains("wrong"), "{code} {seen}");
    let (code, seen) = on_a_terminal(&show, &[(&question, PASSPHRASE)]);
    assert!(code == 0 && seen.contains(&keys.kid("plain.pem")) && !seen.contains(PASSPHRASE), "{code} {seen}");

    let make = format!("{stele} key new {new} --encrypt");
    let (first, again) = (format!("passphrase for {new}: "), "the same again: ");
    let (code, seen) = on_a_terminal(&make, &[(&first, PASSPHRASE), (again, "another")]);
    assert!(code == 7 && seen.contains("differ") && !PathBuf::from(&new).exists(), "{code} {seen}");
    let (code, seen) = on_a_terminal(&make, &[(&first, PASSPHRASE), (again, PASSPHRASE)]);
    assert!(code == 0 && !seen.contains(PASSPHRASE), "{code} {seen}");
    assert_eq!(keys.kid("new.pem").len(), 64, "OpenSSL decrypts it with what was typed");
}
