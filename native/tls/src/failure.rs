use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// Why a connection failed. The state of a call is the negated number. tls-engine.ts has the same list.
#[derive(Clone, Copy, PartialEq)]
#[repr(i32)]
pub enum Kind {
    /// The CA bundle or the server's name cannot be used.
    Settings = 1,
    /// The time of the runtime's clock is impossible.
    Clock = 2,
    UnknownAuthority = 3,
    /// A signature does not fit: a CA of the same name with another key, or a key that is too small.
    BadSignature = 4,
    Expired = 5,
    NotYetValid = 6,
    WrongName = 7,
    /// Another fault of a certificate: its purpose, its key, its constraints.
    Certificate = 8,
    Version = 9,
    /// No common cipher suite, or the server ended the handshake with an alert.
    Refused = 10,
    /// The server ended the connection without close_notify.
    Truncated = 11,
    Protocol = 12,
    /// The caller broke the order of calls.
    Misuse = 13,
}

pub struct Failure {
    pub kind: Kind,
    /// The message for the operator. It has no key and no password.
    pub words: String,
}

pub fn failure(kind: Kind, words: impl ToString) -> Failure {
    Failure { kind, words: words.to_string() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use CertificateError as C;
        let kind = match &error {
            Error::FailedToGetCurrentTime => Kind::Clock,
            Error::InvalidCertificate(reason) => match reason {
                C::UnknownIssuer => Kind::UnknownAuthority,
                C::BadSignature => Kind::BadSignature,
                C::Expired | C::ExpiredContext { .. } => Kind::Expired,
                C::NotValidYet | C::NotValidYetContext { .. } => Kind::NotYetValid,
                C::NotValidForName | C::NotValidForNameContext { .. } => Kind::WrongName,
                _ => Kind::Certificate,
            },
            Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            )
            | Error::AlertReceived(AlertDescription::ProtocolVersion) => Kind::Version,
            Error::AlertReceived(_) | Error::PeerIncompatible(_) => Kind::Refused,
            _ => Kind::Protocol,
        };
        failure(kind, error)
    }
}
