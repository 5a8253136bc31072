//! The one line on stdout by which a server says that it serves, and where: `listening on http://127.0.0.1:8080`.
//!
//! Scripts and tests wait for it, and read the port from it when they asked for port 0.

use std::net::SocketAddr;
use stele_terminal::output::{self, OutputError};

/// Prints the line for a server without TLS of its own.
pub fn listening(address: SocketAddr) -> Result<(), OutputError> {
    output::print(&line(address))
}

fn line(address: SocketAddr) -> String {
    format!("listening on http://{address}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_a_url_for_both_families() {
        assert_eq!(line("127.0.0.1:80".parse().unwrap()), "listening on http://127.0.0.1:80\n");
        assert_eq!(line("[::1]:8080".parse().unwrap()), "listening on http://[::1]:8080\n");
    }
}
