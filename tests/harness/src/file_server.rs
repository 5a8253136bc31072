//! A web server that knows nothing but the files of a folder: how a log of tiles is served by anybody.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use stele_probe::failure::{During, Step};

/// Serves until it is dropped; the folder may change meanwhile.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
    gone: Arc<AtomicBool>,
}

impl FileServer {
    /// Serves a folder on a free port.
    pub fn start(folder: &Path) -> Step<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").during("listening")?;
        let address = listener.local_addr().during("listening")?;
        let gone = Arc::new(AtomicBool::new(false));
        let (root, stop) = (folder.to_owned(), gone.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever goes before the answer does not want it.
                let _ = stream.and_then(|stream| answer(stream, &root));
            }
        });
        Ok(Self { address, gone })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: TcpStream, root: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    let path: PathBuf = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').into();
    let (status, body) = match fs::read(root.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
