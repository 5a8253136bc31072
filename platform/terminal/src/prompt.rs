//! A secret that a person types at the terminal of this process, without echo.
//!
//! The terminal is asked and not standard input: that may be a key, or closed, as in a pipeline.

use std::io;

use rpassword::{ConfigBuilder, prompt_password_with_config};
use stele_explain::printable::one_line;
use zeroize::Zeroizing;

/// The terminal of this process, if it has one.
const TERMINAL: &str = "/dev/tty";

/// Asks for a line; none where this process has no terminal. Whether it was meant is for the caller to ask again.
pub fn secret(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    if std::fs::File::options().read(true).write(true).open(TERMINAL).is_err() {
        return Ok(None);
    }
    let config = ConfigBuilder::new().build();
    prompt_password_with_config(format!("{}: ", one_line(question)), config).map(|line| Some(Zeroizing::new(line)))
}
