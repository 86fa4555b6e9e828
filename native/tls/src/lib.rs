//! One TLS connection to a database server, for one WebAssembly instance.
//!
//! rustls does the protocol, webpki the verification and ring the cryptography. This file is only the
//! interface for JavaScript (src/db/links/tls-engine.ts), which moves bytes between socket and module.
//!
//! JavaScript gets a buffer from `tls_reserve`, writes to it, and passes its length to the next call. This
//! returns a state. Its output (records, decrypted bytes, a failure's words) is at `tls_pointer` until the
//! next call. A failure is a state too. It is final: every later call returns it again.

mod failure;

use failure::{Failure, Kind, failure};
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ClientConfig, ClientConnection, RootCertStore, SupportedCipherSuite};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroize;

/// The states that a call returns without a failure.
const HANDSHAKING: i32 = 0;
const OPEN: i32 = 1;
/// The server has sent close_notify: it sends nothing more, and nothing is missing.
const CLOSED: i32 = 2;

/// 2025-01-01. A clock with an earlier time is not set (a Worker's clock is 0 before its first event).
const EARLIEST_SECONDS: u64 = 1_735_689_600;

#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        (now.as_secs() >= EARLIEST_SECONDS).then(|| UnixTime::since_unix_epoch(now))
    }
}

/// ring's suites, all of them AEAD with forward secrecy. WebAssembly has no AES instructions, so ChaCha20 is
/// several times faster. So it comes first.
fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite: &SupportedCipherSuite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        )
    });
    provider
}

fn configuration(bundle: &[u8], lowest: u32, highest: u32) -> Result<ClientConfig, Failure> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        let certificate =
            certificate.map_err(|e| failure(Kind::Settings, format!("the CA bundle is no PEM: {e}")))?;
        authorities
            .add(certificate)
            .map_err(|e| failure(Kind::Settings, format!("a CA of the bundle: {e}")))?;
    }
    if authorities.is_empty() {
        return Err(failure(Kind::Settings, "the CA bundle has no certificate"));
    }
    let versions: Vec<_> = [&TLS13, &TLS12]
        .into_iter()
        .filter(|version| (lowest..=highest).contains(&u32::from(u16::from(version.version))))
        .collect();
    let mut configuration = ClientConfig::builder_with_details(Arc::new(provider()), Arc::new(Clock))
        .with_protocol_versions(&versions)
        .map_err(|e| failure(Kind::Settings, e))?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    // Tickets stay in the instance's memory, for its next connection to the same server. In TLS 1.2 a resumed
    // session would use the old connection's secret again, so each of its handshakes is a full one.
    configuration.resumption =
        Resumption::in_memory_sessions(1).tls12_resumption(Tls12Resumption::Disabled);
    Ok(configuration)
}

/// A connection, opaque to JavaScript.
#[derive(Default)]
pub struct Connection {
    tls: Option<ClientConnection>,
    /// The settings of `start`, which `begin` uses again.
    kept: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    inbox: Vec<u8>,
    /// Records to send.
    records: Vec<u8>,
    /// Decrypted bytes.
    plain: Vec<u8>,
    closed: bool,
    failure: Option<Failure>,
    details: String,
}

impl Connection {
    /// Runs one step, unless an earlier one failed. Collects its records, also an alert.
    fn step(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Failure>) -> i32 {
        self.records.clear();
        self.plain.clear();
        if self.failure.is_none() {
            self.failure = work(self).err();
            let (Some(tls), records) = (&mut self.tls, &mut self.records) else { return self.state() };
            // Writing to a Vec cannot fail.
            while tls.wants_write() && tls.write_tls(records).is_ok() {}
        }
        self.state()
    }

    fn state(&self) -> i32 {
        match (&self.failure, &self.tls) {
            (Some(failure), _) => -(failure.kind as i32),
            (None, _) if self.closed => CLOSED,
            (None, Some(tls)) if !tls.is_handshaking() => OPEN,
            _ => HANDSHAKING,
        }
    }

    fn start(&mut self, bundle: usize, name: usize, lowest: u32, highest: u32) -> Result<(), Failure> {
        let (Some(bundle), Some(name)) = (self.inbox.get(..bundle), self.inbox.get(bundle..bundle + name))
        else {
            return Err(failure(Kind::Misuse, "more bytes were announced than room was made for"));
        };
        let name = std::str::from_utf8(name).unwrap_or_default().to_owned();
        let server = ServerName::try_from(name)
            .map_err(|e| failure(Kind::Settings, format!("the server's name: {e}")))?;
        self.kept = Some((Arc::new(configuration(bundle, lowest, highest)?), server));
        self.begin()
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let (Some((configuration, server)), None) = (&self.kept, &self.tls) else {
            return Err(failure(Kind::Misuse, "there is nothing to begin with, or it has begun"));
        };
        let mut tls = ClientConnection::new(configuration.clone(), server.clone())?;
        // JavaScript has bounded the bytes to send.
        tls.set_buffer_limit(None);
        self.tls = Some(tls);
        Ok(())
    }

    /// Drops an open connection, wipes its buffers, and keeps its tickets.
    fn rest(&mut self) -> Result<(), Failure> {
        match self.tls.take_if(|tls| !tls.is_handshaking()) {
            Some(_) => self.closed = false,
            None => return Err(failure(Kind::Misuse, "only a connection that was open can rest")),
        }
        [&mut self.inbox, &mut self.records, &mut self.plain].into_iter().for_each(Zeroize::zeroize);
        Ok(())
    }

    fn receive(&mut self, length: usize) -> Result<(), Failure> {
        let (Some(tls), Some(mut rest)) = (&mut self.tls, self.inbox.get(..length)) else {
            return Err(failure(Kind::Misuse, "bytes came before the start, or without room"));
        };
        while !rest.is_empty() && !self.closed {
            tls.read_tls(&mut rest).map_err(|e| failure(Kind::Protocol, e))?;
            let io = tls.process_new_packets()?;
            let read = self.plain.len();
            self.plain.resize(read + io.plaintext_bytes_to_read(), 0);
            tls.reader().read_exact(&mut self.plain[read..]).map_err(|e| failure(Kind::Protocol, e))?;
            self.closed = io.peer_has_closed();
            if self.closed && tls.is_handshaking() {
                return Err(failure(Kind::Truncated, "the server said goodbye during the handshake"));
            }
        }
        Ok(())
    }

    fn send(&mut self, length: usize) -> Result<(), Failure> {
        match (&mut self.tls, self.inbox.get(..length)) {
            (Some(tls), Some(bytes)) if !tls.is_handshaking() => {
                tls.writer().write_all(bytes).map_err(|e| failure(Kind::Protocol, e))
            }
            _ => Err(failure(Kind::Misuse, "nothing can be sent before the server is verified")),
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn tls_new() -> Box<Connection> {
    Box::default()
}

/// Wipes the keys.
#[unsafe(no_mangle)]
pub extern "C" fn tls_free(_: Box<Connection>) {}

/// Makes a buffer of `length` bytes for the next call's input.
#[unsafe(no_mangle)]
pub extern "C" fn tls_reserve(connection: &mut Connection, length: usize) -> *mut u8 {
    connection.inbox.resize(length, 0);
    connection.inbox.as_mut_ptr()
}

/// Begins. The buffer has a CA bundle (PEM) and then the name or address that the certificate must have.
/// `lowest` and `highest` are TLS version numbers: 0x0303 is 1.2, 0x0304 is 1.3.
#[unsafe(no_mangle)]
pub extern "C" fn tls_start(
    c: &mut Connection,
    bundle: usize,
    name: usize,
    lowest: u32,
    highest: u32,
) -> i32 {
    c.step(|c| c.start(bundle, name, lowest, highest))
}

/// Ends a connection after its close_notify, so that another one to the same server can begin.
#[unsafe(no_mangle)]
pub extern "C" fn tls_rest(connection: &mut Connection) -> i32 {
    connection.step(Connection::rest)
}

/// Begins another connection with the same settings, and with a ticket of an earlier one if it has one.
#[unsafe(no_mangle)]
pub extern "C" fn tls_begin_again(connection: &mut Connection) -> i32 {
    connection.step(Connection::begin)
}

/// Takes bytes from the server.
#[unsafe(no_mangle)]
pub extern "C" fn tls_receive(connection: &mut Connection, length: usize) -> i32 {
    connection.step(|c| c.receive(length))
}

/// The server's side of the socket has ended. Without close_notify, an attacker may have cut it off.
#[unsafe(no_mangle)]
pub extern "C" fn tls_receive_end(connection: &mut Connection) -> i32 {
    connection.step(|c| match c.closed {
        true => Ok(()),
        false => Err(failure(Kind::Truncated, "the connection ended without TLS's goodbye (close_notify)")),
    })
}

/// Encrypts bytes for the server.
#[unsafe(no_mangle)]
pub extern "C" fn tls_send(connection: &mut Connection, length: usize) -> i32 {
    connection.step(|c| c.send(length))
}

/// Sends close_notify.
#[unsafe(no_mangle)]
pub extern "C" fn tls_close(connection: &mut Connection) -> i32 {
    connection.step(|c| {
        c.tls.iter_mut().for_each(|tls| tls.send_close_notify());
        Ok(())
    })
}

/// The output that `which` names: 0 records, 1 decrypted bytes, 2 the words of the failure, 3 version,
/// cipher suite and kind of handshake, 4 the server's own certificate (DER).
fn part(c: &mut Connection, which: u32) -> &[u8] {
    match (which, &c.tls) {
        (0, _) => &c.records,
        (1, _) => &c.plain,
        (2, _) => c.failure.as_ref().map_or(b"", |failure| failure.words.as_bytes()),
        (3, Some(tls)) => {
            let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
            c.details = match (tls.protocol_version(), suite, tls.handshake_kind()) {
                (Some(version), Some(suite), Some(kind)) => format!("{version:?} {suite:?} {kind:?}"),
                _ => String::new(),
            };
            c.details.as_bytes()
        }
        (4, Some(tls)) => tls.peer_certificates().and_then(|chain| chain.first()).map_or(b"", |leaf| leaf),
        _ => b"",
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn tls_pointer(connection: &mut Connection, which: u32) -> *const u8 {
    part(connection, which).as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn tls_length(connection: &mut Connection, which: u32) -> usize {
    part(connection, which).len()
}
