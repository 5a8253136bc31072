//! A witness's folder with an index cosigner in it, for one log.
//!
//! ```text
//! let mut cosigner = IndexCosigner::init(network.home(), "indexer", ORIGIN, network.log_vkey())?;
//! cosigner.server.start()?;
//! cosigner.policy_line()?                witness indexer VKEY URL
//! ```

use std::path::{Path, PathBuf};

use stele_probe::failure::Step;

use crate::binaries::Binary;
use crate::command;
use crate::network::path;
use crate::process::Server;

/// The folder, the key and the program, which does not run yet.
pub struct IndexCosigner {
    name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its Ed25519 verifier key.
    pub vkey: String,
    /// The program.
    pub server: Server,
}

impl IndexCosigner {
    /// Makes `NAME` in a folder, which knows one log and checks its index.
    pub fn init(home: &Path, name: &str, origin: &str, log_vkey: &str) -> Step<Self> {
        Self::make(home, name, origin, log_vkey, None)
    }

    /// The same, by replaying the copy that a mirror beside it pulls from an address.
    pub fn replaying(home: &Path, name: &str, origin: &str, log_vkey: &str, pull: &str) -> Step<Self> {
        Self::make(home, name, origin, log_vkey, Some(pull))
    }

    fn make(home: &Path, name: &str, origin: &str, log_vkey: &str, pull: Option<&str>) -> Step<Self> {
        let folder = home.join(name);
        let at = path(&folder)?.to_owned();
        let run = |arguments: &[&str]| command::run(Binary::Witness, arguments)?.expect(0);
        run(&["init", &at, "--name", &format!("{name}.example/w"), "--listen", "127.0.0.1:0"])?;
        let pulled = pull.map(|url| ["--pull", url, "--pull-seconds", "1"]);
        run(&[&["logs", "add", &at, "--vkey", log_vkey][..], pulled.as_ref().map_or(&[], |pulled| &pulled[..])]
            .concat())?;
        if pull.is_some() {
            run(&["mirror", "init", &at, "--name", &format!("{name}.example/copy")])?;
            run(&["mirror", "add", &at, origin])?;
        }
        let made = run(&["index", "init", &at, "--name", &format!("{name}.example/index")])?;
        run(&[&["index", "add", &at, origin][..], pull.map_or(&[], |_| &["--replay"])].concat())?;
        let vkey = made.stdout.lines().next().unwrap_or_default().to_owned();
        let arguments = vec!["run".into(), at.into()];
        let messages = home.join(format!("messages-of-{name}"));
        let server = Server::new(name, Binary::Witness.path()?, arguments, messages);
        Ok(Self { name: name.to_owned(), folder, vkey, server })
    }

    /// Where it is asked, while it runs.
    pub fn url(&self) -> Step<String> {
        Ok(format!("{}/index", self.server.url()?))
    }

    /// Its line in a policy, while it runs.
    pub fn policy_line(&self) -> Step<String> {
        Ok(format!("witness {} {} {}\n", self.name, self.vkey, self.url()?))
    }
}
